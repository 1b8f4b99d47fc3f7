"""The reports as JSON, of a location that is fine and of one that is not, as they are stored."""

import json
import os
from typing import Any

import pytest

from app.panoptes.reports import REPORTS
from simulator.plume import PlumeWorld
from tests.api.service import INTERNAL, bearer
from tests.networks.engineer import Engineer
from tests.stored import GOLDEN

FOLDER = GOLDEN / "networks" / "json"
LOCATIONS = {"healthy": "all_fine", "broken": "pod_down"}
CASES = [(report, state) for report in REPORTS for state in LOCATIONS]


async def ask(engineer: Engineer, report: str) -> Any:
    heard = await engineer.service.http.get(
        f"/network/{report}", params={"user_id": engineer.user_id}, headers=bearer(INTERNAL)
    )
    assert heard.status_code == 200, heard.text
    return heard.json()


def stored(name: str, report: Any) -> Any:
    """Return what is stored under a name, after storing it anew where that is asked for."""
    path = FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("report", "state"), CASES)
async def test_a_report_as_json_is_the_stored_one(
    report: str, state: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, LOCATIONS[state])

    found = await ask(engineer, report)

    assert found == stored(f"{state}-{report}", found)


def test_no_stored_report_is_left_without_its_test() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")}

    assert names == {f"{state}-{report}" for report, state in CASES}


async def test_each_report_has_a_schema_of_its_own_in_the_document(engineer: Engineer) -> None:
    document = (await engineer.service.http.get("/openapi.json")).json()

    schemas = {}
    for report, offer in REPORTS.items():
        described = document["paths"][f"/network/{report}"]["get"]
        answer = described["responses"]["200"]["content"]["application/json"]["schema"]
        schemas[report] = answer["$ref"].rsplit("/", 1)[1]
        assert described["summary"] == offer.summary
    assert schemas == {report: offer.model.__name__ for report, offer in REPORTS.items()}
    assert len(set(schemas.values())) == 9
