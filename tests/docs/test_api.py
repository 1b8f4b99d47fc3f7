"""docs/api.md and the document of the API name the same calls."""

import re
from pathlib import Path

from app.api.problems import SENTENCES
from app.panoptes.reports import REPORTS
from simulator.openrouter import OpenRouterWorld
from tests.api.conftest import place, service, world
from tests.api.service import Place, Service
from tests.docs.claims import read
from tests.docs.document import Document
from tests.docs.tables import ROOT, documents
from tests.security.authorisation import HIDDEN

__all__ = ["OpenRouterWorld", "Place", "place", "service", "world"]
API = ROOT / "docs" / "api.md"
CALL = re.compile(r"(GET|POST|DELETE|PUT|PATCH) (/[^?\s`]*)")


def calls(document: Document) -> set[str]:
    """Return the calls that stand in `code`, without their queries."""
    return {f"{it[1]} {it[2]}" for word in document.words for it in CALL.finditer(word)}


def documented(service: Service) -> set[str]:
    """Return the calls of the document of the API; all reports count as one."""
    paths = {
        re.sub(r"^/network/.*", "/network/{report}", path): methods
        for path, methods in service.app.openapi()["paths"].items()
    }
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


async def test_the_documents_name_the_calls_that_there_are(service: Service) -> None:
    known = documented(service) | {route for route in HIDDEN if "assets" not in route}

    assert calls(read(API)) == known
    for path in documents():
        named = {
            re.sub("/webhook/internal$", "/webhook/{platform}", it) for it in calls(read(path))
        }
        assert named - known == set(), path.name


def test_a_call_that_is_planted_is_seen() -> None:
    planted = Document(Path("planted.md"), "`GET /weather?city=` and `POST /a`, `GET /b`")

    assert calls(planted) == {"GET /weather", "POST /a", "GET /b"}


def test_every_report_is_explained() -> None:
    rows = read(API).rows("report", "what it tells")

    assert {word for row in rows for word in re.findall(r"`(\w+)`", row[0])} == set(REPORTS)


def test_the_codes_of_routing_are_among_the_problems() -> None:
    assert all(f"`{code}`" in read(API).text for code, _ in SENTENCES.values())
