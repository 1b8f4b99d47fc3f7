"""Calls of many, sent together: what comes while one batch is under way is the next one."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from app.sharing.script import Argument, Script

MOST_AT_ONCE: Final = 256
BATCH_SECONDS: Final = 0.2
# Of one call, which may wait for the batch before its own. Whoever asked has 300 ms in all.
PATIENCE: Final = 1.25
CANCEL_AGAIN: Final = 0.1  # seconds
STALL_SECONDS: Final = 0.05  # so much too late, it was this process that held everything up


class Away(Exception):
    """Redis cannot be asked now, or did not answer in time. What was to happen may have."""


@dataclass(frozen=True, slots=True)
class _Call:
    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]
    answer: "asyncio.Future[Any]"


class Line:
    """One connection for all calls. With one for each, a thousand at once would wait too long.

    `failed` hears of every error, also where whoever asked no longer waits.
    """

    def __init__(self, client: Redis, failed: Callable[[Exception], None], seconds: float) -> None:
        self._seconds = seconds
        self._client = client
        self._failed = failed
        self._waiting: list[_Call] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Return what the script answers.

        Raises:
            Away: it did not run, or nobody heard what it answered.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(script, keys, arguments, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        try:
            async with asyncio.timeout(PATIENCE * self._seconds):
                return await answer
        except TimeoutError:
            raise Away from None

    async def close(self) -> None:
        if self._sending is not None:
            await ended(self._sending)

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            began = time.monotonic()
            try:
                # redis-py's time-outs are per step, and a connection takes several.
                async with asyncio.timeout(self._seconds):
                    answers = await self._answers(batch)
            except (RedisError, OSError, ValueError) as error:  # ValueError: this is no Redis
                # Those who wait behind it would only find out the same, later.
                batch, self._waiting = batch + self._waiting, []
                answers = [error] * len(batch)
            errors = [answer for answer in answers if isinstance(answer, Exception)]
            stalled = time.monotonic() - began > self._seconds + STALL_SECONDS
            if errors and not stalled:
                self._failed(errors[0])
            for call, answer in zip(batch, answers, strict=True):
                if call.answer.done():
                    continue
                if isinstance(answer, Exception):
                    # Not the error itself: its text may hold the URL.
                    call.answer.set_exception(Away())
                else:
                    call.answer.set_result(answer)

    async def _answers(self, batch: Sequence[_Call]) -> list[Any]:
        answers = await self._run(batch, whole=False)
        # It restarted, or its scripts were flushed: with the text it keeps them again.
        unknown = [at for at, found in enumerate(answers) if isinstance(found, NoScriptError)]
        if unknown:
            again = await self._run([batch[at] for at in unknown], whole=True)
            for at, found in zip(unknown, again, strict=True):
                answers[at] = found
        return answers

    async def _run(self, batch: Sequence[_Call], *, whole: bool) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for call in batch:
            given = (len(call.keys), *call.keys, *map(_text, call.arguments))
            text = ("EVAL", call.script.text) if whole else ("EVALSHA", call.script.sha)
            pipeline.execute_command(*text, *given)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers


async def ended(*tasks: "asyncio.Task[None]") -> None:
    """Cancel tasks that talk with Redis, until they have ended.

    Once is not enough: redis-py sends by the `wait_for` of Python 3.11, which forgets a
    cancellation that comes together with the result.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=CANCEL_AGAIN)


def _text(argument: Argument) -> str:
    # `repr` gives a number back to the last bit; what redis-py makes of one may not.
    return argument if isinstance(argument, str) else repr(argument)
