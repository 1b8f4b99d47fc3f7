"""Whoever waits for an answer gets one, whatever happens to the turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from app import texts
from app.chat.inbox import Inbox
from app.errors import AppError, StorageUnavailable
from app.llm.base import Ask, Completion, Say
from app.storage.sealed import Sealer
from app.storage.store import Store
from tests.api.service import until
from tests.chat.turning import Bench, HeldModel, bench, kept, message
from tests.fakes import PLATFORMS, ScriptedModel
from wire.delivery import Delivery, Progress
from wire.reply import Reply

PATIENCE = 10.0  # seconds


class BrokenModel(ScriptedModel):
    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        raise ZeroDivisionError


class SlowModel(HeldModel):
    """Says something, and the rest when it is let go."""

    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        assert say is not None
        say("So far")
        return await super().complete(ask, None)


@contextlib.asynccontextmanager
async def answering(
    store: Store, sealer: Sealer, model: ScriptedModel
) -> AsyncIterator[tuple[Bench, Inbox]]:
    with bench(store, sealer, model) as one:
        async with kept(one):
            yield one, Inbox(PLATFORMS, one.processor, one.processor.outbox)


async def answer(one: Bench) -> Reply:
    """Return the reply of the only delivery, when it is final."""
    async with asyncio.timeout(PATIENCE):
        async for change in one.processor.outbox.changes("internal"):
            if isinstance(change, Delivery) and change.final:
                assert change.reply is not None
                return change.reply
    raise AssertionError


async def test_a_fault_that_nobody_foresaw_is_told(store: Store, sealer: Sealer) -> None:
    async with answering(store, sealer, BrokenModel()) as (one, inbox):
        await inbox.take_message(message())
        said = await answer(one)

    assert (said.response, said.success, said.error) == (AppError.sentence, False, "internal")
    assert await one.rows() == ["done"]


async def test_an_answer_that_cannot_be_kept_is_given_again_when_it_can(
    store: Store, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HeldModel("Hello.")
    async with answering(store, sealer, model) as (one, inbox):
        await inbox.take_message(message())
        await model.asking.wait()
        with monkeypatch.context() as away:
            asked = asyncio.Event()

            async def keep(*_: object) -> None:
                asked.set()
                raise StorageUnavailable

            away.setattr(type(one.memory), "keep", keep)
            model.go.set()
            await asked.wait()
            await until(lambda: not one.lanes._held)
        assert await one.rows() == ["working"]
        one.clock.now += 31
        one.lanes.wake()
        said = await answer(one)

    assert said.response == "Hello."
    assert len(model.asked) == 2


async def test_pressing_stop_ends_the_answer_and_keeps_what_was_written(
    store: Store, sealer: Sealer
) -> None:
    model = SlowModel("never heard")
    async with answering(store, sealer, model) as (one, inbox):
        await inbox.take_message(message(message_id="1"))
        await model.asking.wait()
        async with asyncio.timeout(PATIENCE):
            async for change in one.processor.outbox.changes("internal"):
                if isinstance(change, Progress):
                    break
        await inbox.take_message(message("/stop", message_id="2"))
        said = await answer(one)

    assert said.response == f"So far\n\n{texts.STOPPED_NOTE}"
    assert said.error == "stopped"
    assert await one.rows() == ["done"]
