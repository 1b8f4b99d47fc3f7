"""The service with people who look at networks, and what they ask it."""

import asyncio
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, make_url

from app.plume.credentials import Credentials, parse_authorization
from app.sessions import connections, places, profiles
from app.sessions.connections import EVERYTHING, Person
from app.sessions.places import Chosen
from app.sessions.profiles import Profile
from app.storage.sealed import Sealer, read_keys
from app.storage.sqlite import open_sqlite
from bench.processes import Failed, Start
from bench.targets import Service
from simulator.plume import PARTNER, PlumeWorld, addresses
from simulator.plume.people import Place

OWNER = "u0"
OK = 200
SETTINGS = Profile(language="English", length="short", time_zone="Europe/Amsterdam")


def home() -> Place:
    """Return the location that is asked about; worlds with one seed have the same ones."""
    return PlumeWorld().place("all_fine")


@dataclass(frozen=True, slots=True)
class Networks(Service):
    """One person who signed in, and others who look through that, up to `people` in all.

    Each has settings and a chosen location of their own; that of the first one exists.
    """

    name: str = "networks"
    people: int = 1

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        start = Service.start(self, folder, model, port, upstream)
        cloud = addresses(upstream)
        more = {
            "PLUME_SSO_URL": cloud.sso,
            "PLUME_API_BASE": cloud.api,
            "PLUME_REPORTS_BASE": cloud.reports,
            "PLUME_CALLS_PER_SECOND": "10000",  # Plume's own pace is six
        }
        start = replace(start, environment={**start.environment, **more})
        self._fill(folder, start.environment)
        return start

    def body(self, model: str, *, stream: bool) -> str:
        return self.said("/help", "{what}") if self.method == "POST" else ""

    def said(self, text: str, message: str) -> str:
        known = {"platform": "internal", "user_id": OWNER, "chat_id": OWNER}
        return json.dumps(known | {"message_id": message, "text": text})

    def asking(self, report: str, *, anew: bool) -> "Networks":
        """Return the same as what the load asks; `anew`: each time of another location."""
        path = f"/network/{report}?user_id={OWNER}"
        if anew:
            path += f"&customer={home().customer.id}&location={{place}}"
        return replace(self, method="GET", path=path)

    def _fill(self, folder: Path, environment: Mapping[str, str]) -> None:
        (folder / "data").mkdir(mode=0o700)
        sealer = Sealer(read_keys(Path(environment["ENCRYPTION_KEY_FILE"])))
        with open_sqlite(make_url(environment["DATABASE_URL"])) as store:
            asyncio.run(store.run(partial(self._keep, sealer=sealer)))

    def _keep(self, db: Connection, *, sealer: Sealer) -> None:
        now, place = time.time(), home()
        signed_in = Credentials(parse_authorization(PARTNER.header), PARTNER.id).dump()
        number = connections.keep(db, sealer, Person("internal", OWNER), signed_in, now)
        for each in range(self.people):
            person = Person("internal", f"u{each}")
            chosen = f"{int(place.id, 16) + each:024x}"
            names = (place.customer.name, place.plan.label)
            places.choose(db, sealer, person, Chosen(place.customer.id, chosen, *names), now)
            profiles.keep(db, *person, SETTINGS)
            if each:
                connections.grant(db, sealer, number, person, EVERYTHING, now)


@dataclass(slots=True)
class Door:
    """One connection that is kept, and the milliseconds of each answer."""

    port: int
    headers: Mapping[str, str]
    _http: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[float, bytes]:
        """Return how long an answer took, and the answer.

        Raises:
            Failed: it was refused.
        """
        headers = {"Content-Type": "application/json", **self.headers}
        began = time.perf_counter()
        self._http.request(method, path, body, headers)
        found = self._http.getresponse()
        said = found.read()
        took = (time.perf_counter() - began) * 1000
        if found.status != OK:
            raise Failed(f"{method} {path}: {found.status} {said[:300]!r}")
        return took, said
