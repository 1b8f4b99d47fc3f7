"""The partners (internet providers) that Plume has let in, with made-up credentials."""

import base64
from dataclasses import dataclass

CLOUD = "aussim0gamma0000pan0"


@dataclass(frozen=True)
class Partner:
    """One partner. `number` is its mark in ids, `cloud` the authorization server's id."""

    number: int
    id: str
    name: str
    client_id: str
    client_secret: str
    cloud: str = CLOUD

    @property
    def pair(self) -> str:
        return f"{self.client_id}:{self.client_secret}"

    @property
    def header(self) -> str:
        """The authorization header as the partner portal issues it."""
        return "Basic " + base64.b64encode(self.pair.encode()).decode()

    @property
    def scope(self) -> str:
        return f"partnerId:{self.id} role:partnerIdAdmin"


PARTNER = Partner(
    1,
    "5f0c0ffee0000000000000a1",
    "Example Fibre",
    "0oaSIMexamplefibre01",
    "CANARY-client-secret-of-example-fibre",  # pragma: allowlist secret
)
OTHER_PARTNER = Partner(
    2,
    "5f0c0ffee0000000000000b2",
    "Other Cable",
    "0oaSIMothercable0002",
    "CANARY-client-secret-of-other-cable",  # pragma: allowlist secret
)
