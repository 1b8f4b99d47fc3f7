"""Misconfigurations, each of which `doctor` has to name with the next step."""

import json
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.admin import doctor
from app.admin.findings import Finding, State
from simulator.telegram.faults import queued
from tests import postgres, redises
from tests.admin import mishaps
from tests.admin.clinic import Clinic, clinic, made_well
from tests.admin.troubles import HERE, PASSWORD, Trouble
from tests.admin.troubles_outside import OUTSIDE

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def healthy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clinic]:
    """One for all, as it takes a moment to start."""
    async with clinic(tmp_path_factory.mktemp("clinic")) as made:
        yield made


@pytest.fixture
def well(healthy: Clinic) -> Clinic:
    made_well(healthy)
    return healthy


async def test_all_is_well(well: Clinic, tmp_path: Path) -> None:
    found = await well.visit(tmp_path)

    assert [it for it in found if it.state is not State.FINE] == []
    pieces = {it.piece for it in found}
    assert pieces >= {"settings", "storage", "encryption key", "service", "way of the bot"}
    assert pieces >= {"OpenRouter", "models", "Telegram", "Plume", "Redis", "disk", "clocks"}
    assert not any(it.next for it in found)


@pytest.mark.parametrize(
    "trouble", [*HERE, *OUTSIDE], ids=[trouble.name for trouble in (*HERE, *OUTSIDE)]
)
async def test_a_misconfiguration_is_named_with_the_next_step(
    well: Clinic, tmp_path: Path, trouble: Trouble
) -> None:
    trouble.change(well, tmp_path)

    found = await well.visit(tmp_path)

    named = [it for it in found if it.piece == trouble.piece and trouble.what in it.what]
    assert named, found
    assert named[0].state is not State.FINE
    assert trouble.todo in named[0].next, named
    said = json.dumps([[it.what, it.next] for it in found])
    assert not any(secret in said for secret in [*well.secrets(), PASSWORD])
    assert not re.search(r"[\x00-\x1f\x7f]|1001", " ".join(it.what for it in found))


async def test_what_is_broken_is_not_called_fine_too(well: Clinic, tmp_path: Path) -> None:
    mishaps.key_withdrawn(well, tmp_path)

    found = await well.visit(tmp_path)

    assert [it.state for it in found if it.piece == "OpenRouter"] == [State.BROKEN]
    assert not doctor.healthy(found)


async def test_several_troubles_are_named_at_once(well: Clinic, tmp_path: Path) -> None:
    for spoil in (mishaps.key_withdrawn, mishaps.no_token, mishaps.sign_in_refused):
        spoil(well, tmp_path)
    mishaps.disk_full(well, tmp_path)

    found = await well.visit(tmp_path)

    wrong = {it.piece for it in found if it.state is State.BROKEN}
    assert wrong == {"OpenRouter", "Telegram", "Plume", "disk"}


async def test_a_service_that_used_up_its_money_says_so(well: Clinic, tmp_path: Path) -> None:
    spending = well.service.parts.health.spending
    assert spending is not None
    spending._used_up_on = time.time() // 86_400
    well.service.parts.health._looked_at = float("-inf")
    try:
        found = await well.visit(tmp_path)
    finally:
        spending._used_up_on = -1.0

    assert "midnight UTC" in next(it.next for it in found if it.piece == "spend")


async def test_it_takes_no_longer_than_it_says(well: Clinic, tmp_path: Path) -> None:
    well.seconds = 0.5
    well.openrouter.next("silence", at="/key")
    well.telegram.faults.append(queued("getMe", "silence", 1, None))
    well.plume.fail("*/token", "silence")
    began = time.monotonic()

    found = await well.visit(tmp_path)

    assert time.monotonic() - began < 2.0
    late = {it.piece for it in found if "no answer within 0.5 s" in it.what}
    assert late == {"OpenRouter", "Telegram", "Plume"}


async def test_postgresql_is_looked_at(well: Clinic, tmp_path: Path) -> None:
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.database() as url:
        well.changed["DATABASE_URL"] = url.render_as_string(hide_password=False)
        fresh = await well.visit(tmp_path)
        well.changed["DATABASE_URL"] = str(url.set(database="not_there"))
        absent = await well.visit(tmp_path)

    assert "not made yet" in next(it.what for it in fresh if it.piece == "storage")
    assert (
        Finding(
            "storage",
            State.BROKEN,
            "there is no such database",
            "mend user, password or database in DATABASE_URL, or on the server",
        )
        in absent
    )


async def test_redis_is_looked_at(well: Clinic, tmp_path: Path) -> None:
    with redises.server(tmp_path) as server:
        well.changed["REDIS_URL"] = server.url
        fine = await well.visit(tmp_path)
        server.say("CONFIG", "SET", "requirepass", "letmein")
        locked = await well.visit(tmp_path)
        server.freeze()
        well.seconds = 1.0
        frozen = await well.visit(tmp_path)

    said = [next(it for it in each if it.piece == "Redis") for each in (fine, locked, frozen)]
    assert [it.state for it in said] == [State.FINE, State.BROKEN, State.BROKEN]
    assert "password is refused" in said[1].what
    assert "no answer within" in said[2].what


async def test_a_port_that_says_nothing_is_named(
    well: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.admin.checks.outside.SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as door:
        well.changed["API_PORT"] = str(door.getsockname()[1])

        found = await well.visit(tmp_path)

    named = next(it for it in found if it.piece == "service")
    assert (named.state, "restart it" in named.next) == (State.BROKEN, True)
