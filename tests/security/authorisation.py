"""Who may call what: the one table. docs/security.md shows it, test_authorisation.py runs it.

A row is a route, an object, and the status that each caller gets. The object is whose thing is
asked for: of the platform `internal` or `telegram`, or `absent`; `any` where there is none. At a
route that is `open` no key is looked at, so that a wrong one does no harm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.panoptes.reports import REPORTS

# `secret`: shows the secret of Telegram's webhook. `signed`: signs the call after Standard
# Webhooks. Neither has a key.
CALLERS = ("nobody", "internal", "bot", "admin", "metrics", "secret", "signed")

TABLE = """
route                             object    nobody internal bot admin metrics secret signed
GET /                             open      200    200      200 200   200     200    200
GET /health/live                  open      200    200      200 200   200     200    200
GET /health/ready                 open      200    200      200 200   200     200    200
GET /platforms                    open      200    200      200 200   200     200    200
GET /docs                         open      200    200      200 200   200     200    200
GET /redoc                        open      200    200      200 200   200     200    200
GET /openapi.json                 open      200    200      200 200   200     200    200
GET /docs/assets/swagger-ui.css   open      200    200      200 200   200     200    200
GET /health                       any       200    200      200 200   403     200    200
GET /stats                        any       200    200      200 200   403     200    200
GET /metrics                      any       200    403      403 200   200     200    200
GET /sessions                     any       200    200      200 200   403     200    200
GET /sessions                     internal  200    200      200 200   403     200    200
GET /sessions                     telegram  200    200      200 200   403     200    200
POST /message                     internal  401    200      403 403   403     401    401
POST /message                     telegram  401    403      200 403   403     401    401
POST /message                     absent    401    422      422 403   403     401    401
POST /webhook/telegram            any       401    403      200 403   403     200    401
POST /webhook/{platform}          internal  401    202      403 403   403     401    202
POST /webhook/{platform}          absent    401    403      403 403   403     401    401
GET /deliveries                   any       401    200      200 403   403     401    401
POST /deliveries/{delivery_id}/ack internal 401    200      404 403   403     401    401
POST /deliveries/{delivery_id}/ack telegram 401    404      200 403   403     401    401
POST /deliveries/{delivery_id}/ack absent   401    404      404 403   403     401    401
GET /admin/deliveries             any       401    403      403 200   403     401    401
POST /admin/redrive               any       401    403      403 200   403     401    401
GET /network/{report}             internal  401    200      409 403   403     401    401
GET /network/{report}             telegram  401    409      200 403   403     401    401
GET /network/{report}             absent    401    409      409 403   403     401    401
GET /session/{session_id}         internal  401    200      404 200   403     401    401
GET /session/{session_id}         telegram  401    404      200 200   403     401    401
GET /session/{session_id}         absent    401    404      404 404   403     401    401
DELETE /session/{session_id}      internal  401    403      403 200   403     401    401
DELETE /session/{session_id}      telegram  401    403      403 200   403     401    401
DELETE /session/{session_id}      absent    401    403      403 404   403     401    401
POST /admin/clear-sessions        any       401    403      403 200   403     401    401
POST /admin/clear-sessions        internal  401    403      403 200   403     401    401
POST /admin/clear-sessions        telegram  401    403      403 200   403     401    401
POST /admin/clear-sessions        absent    401    403      403 422   403     401    401
"""

# In place of the rows above, where ENVIRONMENT is production and nothing else is set.
PRODUCTION = """
route                             object    nobody internal bot admin metrics secret signed
GET /docs                         open      404    404      404 404   404     404    404
GET /redoc                        open      404    404      404 404   404     404    404
GET /openapi.json                 open      404    404      404 404   404     404    404
GET /docs/assets/swagger-ui.css   open      404    404      404 404   404     404    404
GET /stats                        any       401    200      200 200   403     401    401
GET /metrics                      any       401    403      403 200   200     401    401
GET /sessions                     any       401    200      200 200   403     401    401
GET /sessions                     internal  401    200      200 200   403     401    401
GET /sessions                     telegram  401    200      200 200   403     401    401
"""

# Not in the document of the API.
HIDDEN = frozenset(
    {"GET /docs", "GET /redoc", "GET /openapi.json", "GET /docs/assets/swagger-ui.css"}
)


@dataclass(frozen=True, slots=True)
class Row:
    route: str
    object: str
    statuses: Sequence[int]

    @property
    def open(self) -> bool:
        return self.object == "open"

    def status(self, caller: str) -> int:
        return self.statuses[CALLERS.index(caller)]


def rows(*, production: bool = False) -> list[Row]:
    """Return the rows, one for each report of networks."""
    instead = {(row.route, row.object): row for row in read(PRODUCTION)} if production else {}
    return [
        Row(route, row.object, instead.get((row.route, row.object), row).statuses)
        for row in read(TABLE)
        for route in _routes(row.route)
    ]


def read(table: str) -> Iterator[Row]:
    for line in table.strip().splitlines()[1:]:
        method, path, thing, *statuses = line.split()
        assert len(statuses) == len(CALLERS), line
        yield Row(f"{method} {path}", thing, [int(status) for status in statuses])


def _routes(route: str) -> list[str]:
    if route.endswith("{report}"):
        return [route.replace("{report}", name) for name in REPORTS]
    return [route]


def markdown() -> str:
    """Return the table as docs/security.md shows it."""
    instead = {(row.route, row.object): row for row in read(PRODUCTION)}
    lines = ["| route | of | " + " | ".join(CALLERS) + " |", "|---|---|" + "---|" * len(CALLERS)]
    for row in read(TABLE):
        if "/assets/" in row.route:
            continue  # as the page that they belong to
        strict = instead.get((row.route, row.object), row).statuses
        cells = [
            str(loose) if loose == other else f"{loose}, {other}"
            for loose, other in zip(row.statuses, strict, strict=True)
        ]
        thing = "" if row.object in {"open", "any"} else row.object
        lines.append(f"| `{row.route}` | {thing} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
