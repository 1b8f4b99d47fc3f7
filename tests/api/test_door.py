"""Who goes when there are too many connections, and that honest callers are answered meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from app.api.door import Door
from app.api.protocol import Limits, protocol
from tests.api.test_protocol import HELLO, Echo, get, opened, post
from tests.corpus.raw import Heard, exchange, hear
from tests.servers import serve

HALVES = (
    b"", b"GET / HTTP/1.1\r\nHost: a\r\nX:", b"\r\n", post(b"Content-Length: 9", body=b"a"),
)  # fmt: skip


class Guest:
    def __init__(self) -> None:
        self.gone = False

    def make_room(self) -> None:
        self.gone = True


def test_the_oldest_silent_one_of_the_address_makes_room() -> None:
    door, guests = Door(100, 3), [Guest() for _ in range(5)]
    for guest in guests[:3]:
        assert door.enter(guest, "a")
    door.heard(guests[0], "a")

    assert door.enter(guests[3], "a")
    assert [guest.gone for guest in guests] == [False, True, False, False, False]
    assert door.enter(guests[4], "a")
    assert [guest.gone for guest in guests] == [False, True, True, False, False]


def test_who_has_spoken_is_never_turned_out() -> None:
    door, guests = Door(100, 2), [Guest() for _ in range(2)]
    for guest in guests:
        door.enter(guest, "a")
        door.heard(guest, "a")

    assert not door.enter(Guest(), "a")
    assert not any(guest.gone for guest in guests)


def test_when_all_is_taken_the_address_with_most_silent_ones_makes_room() -> None:
    door, attacker, honest = Door(5, 100), [Guest() for _ in range(4)], Guest()
    assert door.enter(honest, "b")
    for guest in attacker:
        assert door.enter(guest, "a")

    assert door.enter(Guest(), "c")
    assert not honest.gone
    assert [guest.gone for guest in attacker] == [True, False, False, False]


def test_places_come_free_whoever_leaves() -> None:
    door, guests = Door(2, 2), [Guest() for _ in range(2)]
    for _ in range(3):
        for guest in guests:
            assert door.enter(guest, "a")
        door.heard(guests[0], "a")
        for guest in guests:
            door.leave(guest, "a")

    assert not any(guest.gone for guest in guests)
    assert door._total == 0
    assert door._silent == {}


@asynccontextmanager
async def half_open(port: int, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Hold connections on which nothing whole is ever said."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for number, (_, writer) in enumerate(held):
        writer.write(HALVES[number % len(HALVES)])
    await asyncio.sleep(0.05)
    yield [reader for reader, _ in held]
    for _, writer in held:
        writer.transport.abort()


async def answered(port: int, count: int) -> list[int]:
    found: list[Heard] = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(2):
            found.append(await exchange(reader, writer, HELLO))
        writer.transport.abort()
    return [each.status for each in found]


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        (Limits(), 200),
        (Limits(connections_per_address=100), 200),
        (Limits(connections=100), 200),
    ],
    ids=["room enough", "beyond what an address may", "beyond what all may"],
)
async def test_half_open_connections_keep_no_honest_request_out(limits: Limits, held: int) -> None:
    async with opened(limits) as door, half_open(door.port, held):
        statuses = await answered(door.port, 40)

    assert statuses == [200] * 40


async def test_who_is_being_answered_is_not_cut_for_a_newcomer() -> None:
    async with opened(Limits(connections=3)) as door, door.open() as (reader, writer):
        waiting = asyncio.create_task(exchange(reader, writer, get(path=b"/wait")))
        await asyncio.sleep(0.05)
        async with half_open(door.port, 10):
            others = await answered(door.port, 5)
        door.echo.release.set()
        heard = await waiting

    assert others == [200] * 5
    assert heard.body == b"waited"


async def test_the_one_that_makes_room_is_closed() -> None:
    async with opened(Limits(connections=1)) as door, half_open(door.port, 1) as readers:
        assert await answered(door.port, 1) == [200]
        heard = await hear(readers[0])

    assert heard.status == 0


async def test_refused_ones_that_make_room_leave_the_count_as_it_was() -> None:
    kind = protocol(Limits(connections=1, linger_seconds=60))
    async with serve(Echo().app, http=kind) as base:
        port = urlsplit(base).port or 0
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"nonsense\r\n\r\n")
            assert (await hear(reader)).status == 400
            assert await answered(port, 1) == [200]
            writer.transport.abort()
            await asyncio.sleep(0.05)

    assert kind._door.lingering == 0  # type: ignore[attr-defined]
