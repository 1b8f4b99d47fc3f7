"""The log of a real process: one JSON object per line, with the id of its request as a field."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.api.service import bearer, said
from tests.processes import Service

NAMED = "0123456789abcdef"
FORGED = [
    "0123456789ABCDEF",
    f"{NAMED}0",
    "0123456789abcde",
    'x" level="CRITICAL',
    "",
]


async def test_each_line_is_an_object_and_those_of_a_request_bear_its_id(tmp_path: Path) -> None:
    service = Service(tmp_path, "http://127.0.0.1:9/api/v1", LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    await service.start()
    try:
        await service.ready()
        async with httpx.AsyncClient(base_url=service.base, timeout=30) as http:
            headers = bearer(service.key) | {"X-Request-ID": NAMED}
            heard = await http.post("/message", json=said("/help"), headers=headers)
            for forged in FORGED:
                await http.get("/platforms", headers={"X-Request-ID": forged})
    finally:
        await service.stop()

    lines: list[dict[str, Any]] = [json.loads(line) for line in service.log.splitlines()]
    assert {"time", "level", "event", "request_id", "fields", "exception"} == {*lines[0]}
    mine = [it for it in lines if it["request_id"] == heard.headers["X-Request-ID"]]
    assert [it["event"] for it in mine] == ["turn.done", "request.done"]
    assert [it["fields"]["called_by"] for it in mine] == [NAMED, NAMED]
    # It is never taken for ours, and only from those who name a proper one.
    named = [it for it in lines if "called_by" in it["fields"] or it["request_id"] == NAMED]
    assert named == mine
