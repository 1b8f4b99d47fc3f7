"""The sign-in: the token call and introspection, with OAuth's errors."""

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from simulator.plume.failure import Json, oauth, refused
from simulator.plume.partners import Partner

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

FORM = "application/x-www-form-urlencoded"
OTHER_GRANTS = frozenset({"authorization_code", "refresh_token", "password"})


def sign_in(world: "PlumeWorld", cloud: str, headers: Mapping[str, str], body: bytes) -> Json:
    """Answer the token call.

    Raises:
        Refused: 400 or 401, one of the five OAuth errors; 404 there is no such cloud.
    """
    form = _form(headers, body)
    partner = _client(world, cloud, headers, form)
    grant = form.get("grant_type")
    if grant is None or "scope" not in form:
        raise oauth("invalid_request", "The request is missing a required field.")
    if grant in OTHER_GRANTS:
        raise oauth("invalid_grant", "The grant is not valid for this client.")
    if grant != "client_credentials":
        raise oauth("unsupported_grant_type", "The grant type is not supported.")
    if form["scope"] != partner.scope:
        raise oauth("invalid_scope", "One or more scopes are not configured for this client.")
    token = world.tokens.issue(partner, world.lifetime)
    return {
        "token_type": "Bearer",
        "expires_in": world.lifetime,
        "access_token": token.text,
        "scope": partner.scope,
    }


def introspect(world: "PlumeWorld", cloud: str, headers: Mapping[str, str], body: bytes) -> Json:
    """Tell what a token is worth."""
    form = _form(headers, body)
    _client(world, cloud, headers, form)
    if "token" not in form:
        raise oauth("invalid_request", "The request is missing a required field.")
    token = world.tokens.find(form["token"])
    if token is None:
        return {"active": False}
    kept = {key: token.claims[key] for key in ("exp", "iat", "sub", "iss", "aud", "jti")}
    told = {"scope": token.partner.scope, "client_id": token.partner.client_id}
    return {"active": True, "token_type": "Bearer", **told, **kept}


def _form(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise oauth("invalid_request", "The content type is not supported.")
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    if any(len(values) > 1 for values in fields.values()):
        raise oauth("invalid_request", "A field is given twice.")
    return {name: values[0] for name, values in fields.items()}


def _client(
    world: "PlumeWorld", cloud: str, headers: Mapping[str, str], form: Mapping[str, str]
) -> Partner:
    """Return the partner whose Basic header was sent, to the cloud it belongs to."""
    if cloud not in {it.cloud for it in world.partners}:
        raise refused(404)
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    if not scheme:
        raise oauth("invalid_client", "No client credentials found.")
    try:
        pair = base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    if scheme.lower() != "basic" or ":" not in pair:
        raise oauth("invalid_request", "The authorization header is malformed.")
    if form.keys() & {"client_id", "client_secret"}:
        raise oauth("invalid_request", "Cannot supply multiple client credentials.")
    for partner in world.partners:
        if partner.pair == pair and partner.cloud == cloud:
            return partner
    raise oauth(
        "invalid_client", "The client secret supplied for a confidential client is invalid."
    )
