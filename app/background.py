"""What runs as long as the service does, beside the requests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from loguru import logger

from app.bell import Bell
from app.chat.inbox import Inbox
from app.chat.memory import Memory
from app.errors import AppError
from app.llm.catalogue import Catalogue
from app.llm.openrouter import OpenRouter
from app.platforms.files import TelegramFiles

SWEEP_EVERY = 60.0  # seconds
LEARN_EVERY = 86_400.0
LEARN_AGAIN = 600.0  # after a failure
LOOK_AGAIN = 30.0


@asynccontextmanager
async def running(bell: Bell, **loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these until the block is left; the bell rings for one that ends before."""
    tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
    for task in tasks:
        task.add_done_callback(partial(_ended, bell))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ended(bell: Bell, task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        logger.opt(exception=task.exception()).critical("background.ended", task=task.get_name())
        bell.raise_("task_ended", task.get_name())


async def introduce(files: TelegramFiles, inbox: Inbox) -> None:
    """Learn who the bot is, and anew each day: its name may change."""
    while True:
        try:
            inbox.bot = await files.me()
        except AppError as error:
            logger.warning("telegram.unknown_bot", cause=error.cause)
            # Nobody waits any longer: who names us in a group is not heard until we know.
            inbox.bot = replace(inbox.bot, asked=False)
            await asyncio.sleep(LOOK_AGAIN)
        else:
            await asyncio.sleep(LEARN_EVERY)


async def sweep(memory: Memory, clock: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY)
        try:
            gone, old = await memory.sweep(clock())
        except AppError as error:
            logger.warning("sweep.failed", cause=error.cause)
        else:
            if gone or old:
                logger.info("sweep.done", sessions=gone, turns=old)


async def learn(
    provider: OpenRouter, catalogue: Catalogue, clock: Callable[[], float], bell: Bell
) -> None:
    before: list[str] | None = None
    while True:
        try:
            cards = await provider.models()
            catalogue.learn(cards, datetime.fromtimestamp(clock(), UTC).date())
        except AppError as error:
            logger.warning("models.unknown", cause=error.cause)
            await asyncio.sleep(LEARN_AGAIN)
            continue
        gone = [model for model in catalogue.models if catalogue.is_gone(model)]
        for model in gone:
            # What is configured as gone needs nobody, as long as something stands in for it.
            newly = before is not None and model not in before
            if newly or catalogue.replacement_for(model) is None:
                bell.raise_("model_gone", model)
        before = gone
        logger.info("models.learned", known=len(cards), gone=", ".join(gone))
        await asyncio.sleep(LEARN_EVERY)
