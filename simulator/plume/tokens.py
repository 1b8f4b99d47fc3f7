"""Access tokens: they look like Plume's JWTs, and end for real."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.plume.partners import Partner

ISSUER = "https://external.sso.plume.com/oauth2"


@dataclass(frozen=True)
class Token:
    """One token. Times are Unix seconds."""

    text: str
    partner: Partner
    issued: float
    expires: float
    claims: dict[str, Any]


class Tokens:
    """The tokens that were issued. `issued` keeps their texts, also of dead ones."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._alive: dict[str, Token] = {}
        self.issued: list[str] = []

    def issue(self, partner: Partner, lifetime: int) -> Token:
        now = int(self._time())
        claims = {
            "ver": 1,
            "jti": f"AT.simulated-{len(self.issued) + 1:06}",
            "iss": f"{ISSUER}/{partner.cloud}",
            "aud": "api://plume",
            "iat": now,
            "exp": now + lifetime,
            "cid": partner.client_id,
            "sub": partner.client_id,
            "scp": partner.scope.split(),
        }
        text = _jwt(claims)
        token = Token(text, partner, now, now + lifetime, claims)
        self._alive[text] = token
        self.issued.append(text)
        return token

    def find(self, text: str) -> Token | None:
        """Return the token if it is known, and neither expired nor revoked."""
        token = self._alive.get(text)
        if token is None or self._time() >= token.expires:
            self._alive.pop(text, None)
            return None
        return token

    def revoke(self) -> None:
        """Let all tokens die before their time."""
        self._alive.clear()


def _jwt(claims: dict[str, Any]) -> str:
    head = _part(json.dumps({"kid": "simulated", "alg": "RS256"}).encode())
    body = _part(json.dumps(claims).encode())
    # Long as a signature of 2048 bits, and worth nothing.
    return f"{head}.{body}.{_part(hashlib.sha512(body.encode()).digest() * 4)}"


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
