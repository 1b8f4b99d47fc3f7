import asyncio
import base64
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError

from app import texts
from app.chat.processor import Processor
from app.errors import (
    InProgress,
    InvalidBody,
    MessageIdReused,
    ModelBusy,
    PlatformNotAllowed,
    StorageUnavailable,
    TooManyMessages,
)
from app.sessions.sessions import Place
from app.storage import turns
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.turns import LEASE_SECONDS, Taken
from tests.chat.turning import Bench, HeldModel, bench, kept, message
from tests.fakes import INTERNAL, ScriptedModel


@pytest.fixture
async def make(store: Store, sealer: Sealer) -> AsyncIterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:
        yield lambda model=None: stack.enter_context(
            bench(store, sealer, model or ScriptedModel("Hello."))
        )


def picture(colour: int) -> dict[str, str]:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), (colour, 10, 10)).save(made, "PNG")
    return {"type": "image", "data": base64.b64encode(made.getvalue()).decode()}


@pytest.mark.parametrize(
    ("platform", "caller", "refusal"),
    [
        ("telegram", "internal", PlatformNotAllowed),
        ("internal", "telegram", PlatformNotAllowed),
        ("matrix", "internal", InvalidBody),
    ],
)
async def test_a_caller_speaks_for_its_own_platform_alone(
    make: Callable[..., Bench], platform: str, caller: str, refusal: type[Exception]
) -> None:
    one = make()

    with pytest.raises(refusal):
        await one.processor.admit(message(platform=platform), caller)

    assert await one.rows() == []


async def test_what_is_kept_of_a_message_is_gone_with_its_answer(
    make: Callable[..., Bench],
) -> None:
    one = make()
    said = message(attachments=[picture(200)], type="image")

    admitted = await one.processor.admit(said, "internal")
    before = await one.rows("request IS NOT NULL")
    await one.processor.work(admitted)

    assert (before, await one.rows("request IS NULL")) == ([1], [1])


async def test_another_picture_is_another_message(make: Callable[..., Bench]) -> None:
    one = make()
    said = message(attachments=[picture(200)], type="image")
    other = message(attachments=[picture(201)], type="image", message_id=said.message_id)
    await one.hear(said)

    again = await one.hear(said)
    with pytest.raises(MessageIdReused):
        await one.hear(other)

    assert again.response == "Hello."
    assert len(one.model.asked) == 1


async def test_a_refused_message_is_refunded(make: Callable[..., Bench]) -> None:
    one = make()
    busy = message()
    await one.processor.admit(busy, "internal")
    with pytest.raises(InProgress):
        await one.processor.admit(busy, "internal")

    admitted = await one.processor.admit(message(user_id="u1", chat_id="c2"), "internal")

    assert admitted.verdict.left == 58


async def test_a_refusal_for_the_limit_says_how_long(make: Callable[..., Bench]) -> None:
    one = make()
    for _ in range(20):
        await one.hear(message("/help", platform="telegram"))
    one.clock.now += 12.5

    with pytest.raises(TooManyMessages) as refused:
        await one.hear(message("/help", platform="telegram"))

    assert refused.value.retry_after == 47.5
    assert str(refused.value) == texts.LIMIT_REACHED.format(limit=20, seconds=48)


async def test_a_cancelled_turn_stays_open_and_is_taken_up(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    model = HeldModel("Hello.")
    one, other = make(model), make()
    said = message()
    working = asyncio.create_task(one.hear(said))
    await model.asking.wait()

    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    left = await one.rows()
    other.clock.now += LEASE_SECONDS
    async with kept(other):
        await _until_done(other)

    assert left == ["working"]
    assert (await other.hear(said)).response == "Hello."
    assert len(other.model.asked) == 1


async def test_a_turn_that_two_processes_answer_has_one_reply(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.chat.lanes.LOOK_EVERY", 0.01)
    slow = HeldModel("Too late.")
    one, other = make(slow), make(ScriptedModel("In time."))
    said = message()
    late = asyncio.create_task(one.hear(said))
    await slow.asking.wait()
    other.clock.now += LEASE_SECONDS
    async with kept(other):
        await _until_done(other)

    slow.go.set()
    with pytest.raises(InProgress):
        await late

    assert (await one.hear(said)).response == "In time."
    place = Place("internal", "c1", "", "u1")
    found = await one.memory.recall(place, INTERNAL, one.clock.now)
    assert [exchange.answer for exchange in found.history] == ["In time."]


@pytest.mark.parametrize("error", [ModelBusy(retry_after=5), RuntimeError("a fault of ours")])
async def test_a_turn_that_fails_may_be_sent_again(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    one = make()
    said = message()

    async def fails(*_: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(ScriptedModel, "complete", fails)
        with pytest.raises(type(error)):
            await one.hear(said)

    assert await one.rows() == ["failed"]
    assert (await one.hear(said)).data.message_count == 1


async def test_a_turn_whose_answer_cannot_be_kept_stays_open(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make()
    finish = turns.finish

    def breaks_once(*given: Any, **named: Any) -> bool:
        monkeypatch.setattr("app.chat.memory.turns.finish", finish)
        return _broken(*given, **named)

    monkeypatch.setattr("app.chat.memory.turns.finish", breaks_once)

    with pytest.raises(StorageUnavailable):
        await one.hear(message())

    assert await one.rows() == ["working"]


async def test_giving_up_without_storage_raises_nothing(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make()
    admitted = await one.processor.admit(message(), "internal")
    monkeypatch.setattr("app.chat.memory.turns.finish", _broken)

    await one.processor.abandon(admitted)

    assert await one.rows() == ["working"]


@pytest.mark.parametrize("kept_request", [b"", b"null", b'["{}", [], []]', b"\xff"])
async def test_taking_up_what_cannot_be_read_raises_nothing_and_fails_the_turn(
    make: Callable[..., Bench], kept_request: bytes
) -> None:
    one = make()
    admitted = await one.processor.admit(message(), "internal")
    taken = Taken(admitted.turn, admitted.key, admitted.conversation, 1, kept_request)

    await one.processor.resume(taken)

    assert await one.rows() == ["failed"]


async def test_taking_up_a_turn_of_a_platform_that_is_gone_raises_nothing(
    make: Callable[..., Bench],
) -> None:
    one = make()
    admitted = await one.processor.admit(message(), "internal")
    sealer = one.memory.sealer
    taken = await one.store.run(
        lambda db: turns.take(
            db, sealer, admitted.turn, one.lanes.owner, one.clock.now + LEASE_SECONDS
        )
    )
    assert taken is not None
    fields = {name: getattr(one.processor, name) for name in Processor.__slots__}

    await Processor(**fields | {"platforms": {}}).resume(taken)

    assert await one.rows() == ["failed"]


@pytest.mark.parametrize(("setting", "pieces"), [("on", ["Hel", "lo."]), ("off", [])])
async def test_the_person_decides_whether_pieces_come(
    make: Callable[..., Bench], setting: str, pieces: list[str]
) -> None:
    one = make()
    await one.hear(message(f"/settings streaming {setting}"))
    said: list[str] = []

    await one.hear(message(), said.append)

    assert said == pieces


async def _until_done(one: Bench) -> None:
    for _ in range(500):
        if await one.rows() == ["done"]:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def _broken(*_: object, **__: object) -> bool:
    raise OperationalError("", {}, OSError("disk I/O error"))
