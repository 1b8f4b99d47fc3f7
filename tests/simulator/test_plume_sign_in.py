import base64
import json
from typing import Any

import pytest

from simulator.plume import OTHER_PARTNER, PARTNER, PlumeWorld
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]

HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
COUNT = f"api/partners/{PARTNER.id}/customers/count"


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


async def test_a_token_is_a_jwt_that_names_its_partner_and_its_end(
    stranger: Cloud, clock: Clock
) -> None:
    told = (await stranger.token()).json()

    head, payload, _ = told["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "RS256"
    assert told | {"access_token": ""} == {
        "token_type": "Bearer", "expires_in": 600, "access_token": "", "scope": PARTNER.scope,
    }  # fmt: skip
    assert claims["exp"] == clock.now + 600
    assert claims["scp"] == [f"partnerId:{PARTNER.id}", "role:partnerIdAdmin"]
    assert claims["cid"] == PARTNER.client_id


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "invalid_grant"),
        ({"grant_type": "sms"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": None}, 400, "invalid_request"),
        ({"scope": "role:partnerIdAdmin"}, 400, "invalid_scope"),
        ({"scope": OTHER_PARTNER.scope}, 400, "invalid_scope"),
        ({"client_id": "x"}, 400, "invalid_request"),
        ({"scope": [PARTNER.scope, PARTNER.scope]}, 400, "invalid_request"),
    ],
)
async def test_a_wrong_form_is_an_oauth_error(
    stranger: Cloud, form: dict[str, Any], status: int, error: str
) -> None:
    reply = await stranger.token(**form)

    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json()["error_description"]


@pytest.mark.parametrize(
    ("header", "status", "error"),
    [
        (basic("who:what"), 401, "invalid_client"),
        (basic(f"{PARTNER.client_id}:wrong"), 401, "invalid_client"),
        (basic(f"{PARTNER.client_id}:{OTHER_PARTNER.client_secret}"), 401, "invalid_client"),
        (None, 401, "invalid_client"),
        ("Basic not-base64!", 400, "invalid_request"),
        (f"Bearer {PARTNER.header}", 400, "invalid_request"),
    ],
)
async def test_a_wrong_header_is_an_oauth_error(
    stranger: Cloud, header: str | None, status: int, error: str
) -> None:
    form = {"grant_type": "client_credentials", "scope": PARTNER.scope}
    headers = {} if header is None else {"Authorization": header}

    reply = await stranger.http.post(stranger.where.sso, data=form, headers=headers)

    assert (reply.status_code, reply.json()["error"]) == (status, error)


async def test_only_a_form_is_taken_and_only_at_a_cloud_that_exists(stranger: Cloud) -> None:
    headers = {"Authorization": PARTNER.header}
    elsewhere = f"{stranger.base}/oauth2/aus0000000/v1/token"

    as_json = await stranger.http.post(stranger.where.sso, json={}, headers=headers)
    lost = await stranger.http.post(elsewhere, data={"scope": "x"}, headers=headers)

    assert as_json.json()["error"] == "invalid_request"
    assert lost.status_code == 404


async def test_a_token_lives_until_its_last_second(cloud: Cloud, clock: Clock) -> None:
    clock.now += 599

    before = await cloud.get(COUNT)
    clock.now += 1
    after = await cloud.get(COUNT)

    assert (before.status_code, after.status_code) == (200, 401)
    assert after.json()["error"]["statusCode"] == 401


async def test_the_lifetime_is_told_and_kept(stranger: Cloud, clock: Clock) -> None:
    stranger.world.lifetime = 86_400

    assert (await stranger.token()).json()["expires_in"] == 86_400
    await stranger.sign_in()
    clock.now += 86_399

    assert (await stranger.get(COUNT)).status_code == 200


async def test_a_revoked_token_is_refused_and_a_new_one_is_not(cloud: Cloud) -> None:
    cloud.world.tokens.revoke()

    assert (await cloud.get(COUNT)).status_code == 401
    await cloud.sign_in()
    assert (await cloud.get(COUNT)).status_code == 200


async def test_the_same_token_opens_all_three_services(cloud: Cloud) -> None:
    home = cloud.world.place("lte")

    api = await cloud.of(home, "nodes")
    reports = await cloud.of(home, "wanStats", "reports", period="daily")
    lte = await cloud.read(f"lteservice/locations/{home.id}/supported")

    assert api["nodes"]
    assert reports["fifteenMins"]
    assert lte == {"supported": True}


@pytest.mark.parametrize("said", [None, "Bearer", "Bearer x", "Basic x", "Token {0}"])
async def test_nothing_is_told_without_a_token(cloud: Cloud, said: str | None) -> None:
    cloud.http.headers.pop("Authorization")
    headers = {} if said is None else {"Authorization": said.format(cloud.world.tokens.issued[0])}

    reply = await cloud.http.get(f"{cloud.base}/{COUNT}", headers=headers)

    assert (reply.status_code, reply.json()["error"]["name"]) == (401, "Unauthorized")


async def test_introspection_tells_a_living_token_from_a_dead_one(
    cloud: Cloud, clock: Clock
) -> None:
    url = cloud.where.sso.replace("/token", "/introspect")
    form = {"token": cloud.world.tokens.issued[0], "token_type_hint": "access_token"}
    headers = {"Authorization": PARTNER.header}

    alive = (await cloud.http.post(url, data=form, headers=headers)).json()
    clock.now += 601
    dead = (await cloud.http.post(url, data=form, headers=headers)).json()
    stranger = await cloud.http.post(url, data=form, headers={"Authorization": "Basic eA=="})

    assert alive["active"] is True
    assert alive["client_id"] == PARTNER.client_id
    assert dead == {"active": False}
    assert stranger.json()["error"] == "invalid_request"


async def test_sign_ins_are_counted_and_told_without_their_secrets(stranger: Cloud) -> None:
    await stranger.token()
    await stranger.token(scope="no")

    assert stranger.world.sign_ins == 2
    assert [call.status for call in stranger.world.calls] == [200, 400]
    assert "CANARY" not in repr(stranger.world.calls)
    assert PARTNER.header not in repr(stranger.world.calls)


async def test_reports_may_want_the_client_id_too(cloud: Cloud) -> None:
    cloud.world.switches.needs_client_id = True
    home = cloud.world.place("all_fine")

    plain = await cloud.get(f"reports/gateway/locations/{home.id}/qoe")
    whole = await cloud.get(f"reports/gateway/locations/{home.id}/qoe", client_id=PARTNER.client_id)

    assert (plain.status_code, whole.status_code) == (401, 200)
    assert (await cloud.get(COUNT)).status_code == 200


async def test_what_is_secret_is_listed(cloud: Cloud, plume: PlumeWorld) -> None:
    home = plume.place("pppoe")
    everything = json.dumps(await cloud.of(home, "appFacade/home"))
    secrets = plume.secrets()

    assert {PARTNER.header, PARTNER.pair, PARTNER.client_secret} <= set(secrets)
    assert plume.tokens.issued[0] in secrets
    told = {word for word in everything.split('"') if word.startswith("CANARY")}
    assert len(told) == 4  # home, guests, mesh and PPPoE
    assert told <= set(secrets)
