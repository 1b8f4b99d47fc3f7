"""A backup that is taken while people talk, and a service that starts on it elsewhere."""

import asyncio
import os
from pathlib import Path
from random import Random

import httpx
import pytest

from app.admin.backup import backup
from app.admin.restore import restore
from tests import postgres
from tests.api.service import until
from tests.processes import Service, program
from tests.soak.talk import Person, Said, World

WHOLE = bool(os.environ.get("SOAK"))
PEOPLE = 12
ANSWERS = 2_000 if WHOLE else 36  # before the backup, and as many after it
PATIENCE = 120.0  # seconds


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if WHOLE else ["postgresql"])
async def test_nothing_older_than_the_backup_is_missing(kind: str, tmp_path: Path) -> None:
    if reason := postgres.missing():
        pytest.skip(reason)
    calls, file = tmp_path / "calls", tmp_path / "backup.db"
    calls.touch()
    with postgres.database() as url:
        server = url.render_as_string(hide_password=False)
        async with program("tests.soak.provider", calls) as provider:
            elsewhere = f"sqlite:///{tmp_path / 'elsewhere' / 'arash.db'}"
            first, second = (elsewhere, server) if kind == "sqlite" else (server, elsewhere)
            service = Service(tmp_path, provider, DATABASE_URL=first)
            before, later = await _backed_up_in_the_middle(service, first, file)

            rows, readable = await restore(file, second, service.sealer)
            service._environment["DATABASE_URL"] = second
            asked = len(calls.read_text().splitlines())
            heard = await _asked_again(service, before)

    assert readable
    assert len(before) >= ANSWERS
    assert rows["turns"] >= len(before)
    pairs = zip(before, heard, strict=True)
    wrong = [said for (_, said), reply in pairs if said.reply != reply]
    assert wrong == []
    # Nobody was answered anew, but for those whose answer was being written in that moment.
    assert len(calls.read_text().splitlines()) - asked <= PEOPLE
    print(f"\n{kind}: {len(before)} answers before the backup, {later} later")  # noqa: T201


async def _backed_up_in_the_middle(
    service: Service, database: str, file: Path
) -> tuple[list[tuple[Person, Said]], int]:
    """Return what was answered before the backup began, by whom, and how much came later."""
    world = World(service, Random(1))
    people = [Person(number, world) for number in range(PEOPLE)]
    async with httpx.AsyncClient(timeout=30) as http:
        try:
            await service.start()
            await service.ready()
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(person.talk(http))
                await _until_answered(people, ANSWERS)
                before = _answered(people)
                await backup(database, file)
                await _until_answered(people, len(before) + ANSWERS)
                world.over = True
        finally:
            assert await service.stop() == 0
    return before, len(_answered(people)) - len(before)


async def _until_answered(people: list[Person], most: int) -> None:
    await until(lambda: len(_answered(people)) >= most, PATIENCE)


def _answered(people: list[Person]) -> list[tuple[Person, Said]]:
    return [(each, said) for each in people for said in each.said if said.reply is not None]


async def _asked_again(
    service: Service, before: list[tuple[Person, Said]]
) -> list[dict[str, object]]:
    headers = {"Authorization": f"Bearer {service.key}"}
    found = []
    async with httpx.AsyncClient(base_url=service.base, timeout=30, headers=headers) as http:
        try:
            await service.start()
            await service.ready()
            for person, said in before:
                message = {
                    "platform": "internal",
                    "user_id": f"person-{person.number}",
                    "chat_id": f"chat-{person.number}",
                    "message_id": said.id,
                    "text": said.text,
                }
                found.append((await http.post("/message", json=message)).json())
        finally:
            assert await service.stop() == 0
    return found
