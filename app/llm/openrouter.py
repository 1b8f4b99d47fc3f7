"""The client of OpenRouter, and of any gateway that speaks OpenAI's dialect."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import orjson
from loguru import logger

from app.errors import (
    ModelBadReply,
    ModelBusy,
    ModelError,
    ModelInterrupted,
    ModelTimeout,
    ModelUnreachable,
)
from app.http import TRANSPORT_ERRORS, is_encoded, open_client
from app.llm.answer import Answer
from app.llm.attempt import Attempt, Door, refusal, unreachable
from app.llm.base import Ask, Completion, Say
from app.llm.cards import KeyState, ModelCard, read_cards, read_key
from app.llm.faults import FEWEST_TOKENS, Fault, bad_reply
from app.llm.meter import Meter
from app.llm.patience import Patience
from app.llm.request import Dialect, chat_body

_USUAL: Final = Patience()
WORTH_KEEPING: Final = 200  # characters; less of a broken answer is thrown away
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 8.0  # seconds, of the retries that nobody set a time for
_UNTOLD_WAIT: Final = 30.0  # seconds a person is told to wait where the provider says nothing
_CHECK: Final = 10.0  # seconds for a call that is no chat
_LARGEST_LIST: Final = 32_000_000  # bytes; OpenRouter's models are about 2 MB


def open_http(
    base_url: str,
    api_key: str = "",
    *,
    dialect: Dialect = "openrouter",
    title: str = "Arash Bot",
    referer: str = "",
) -> httpx.AsyncClient:
    """Return the connections to the provider, to be opened once and closed at the end.

    Raises:
        ValueError: the key, the title or the referer holds what no header may carry. The text
            does not repeat it.
    """
    headers = {}
    if api_key:
        headers["Authorization"] = f"Bearer {_printable(api_key, 'key')}"
    if dialect == "openrouter":
        headers["X-OpenRouter-Title"] = _printable(title, "title", spaces=True)
        if referer:
            headers["HTTP-Referer"] = _printable(referer, "referer")
    return open_client(base_url, headers)


class OpenRouter:
    """A `ChatModel` over OpenRouter's API.

    The answer is always read as a stream, as only a stream can be cancelled. This is the one
    layer of retries; `sleep`, `rand` and `now` (Unix time) stand in tests for the real ones.
    `meter` holds the money for each request; None where it is not counted.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        dialect: Dialect = "openrouter",
        patience: Patience = _USUAL,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rand: Callable[[], float] = random.random,
        now: Callable[[], float] = time.time,
        meter: Meter | None = None,
    ) -> None:
        self._http = http
        self._meter = meter
        self._dialect = dialect
        self._patience = patience
        self._sleep = sleep
        self._rand = rand
        self._now = now
        self._door = Door(http, patience)

    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        """Answer; see `ChatModel`.

        `web_search` is left out in the `openai` dialect, which has no such tool.

        Raises (besides):
            SpendLimitReached, StorageUnavailable: where the money is counted, see `Purse`.

        Source: POST /chat/completions
        """
        call = _Call(ask, say, drops_thinking=self._dialect == "openai")
        try:
            async with asyncio.timeout(self._patience.total) as whole:
                fault = await self._persist(call, ends=whole.when() or math.inf)
        except TimeoutError:
            if not whole.expired():
                raise
            fault = None if call.is_whole else Fault(ModelTimeout, "total")
            if fault is not None:
                _log(fault, ask.model, tried=call.tried, chars=call.answer.size)
        # Outside of the handlers, so that no foreign exception hangs on the error: those of
        # aiohttp print the headers of the request.
        return call.outcome(fault)

    async def models(self) -> list[ModelCard]:
        """Return what can be asked, in the provider's order.

        Gateways name ids alone; what is not told is None. Entries that make no sense are left
        out.

        Raises:
            ModelError: see `app.errors`.

        Source: GET /models
        """
        return read_cards(await self._get("models"))

    async def key(self) -> KeyState:
        """Ask whether the provider takes the key, which costs nothing.

        All fields are None in the `openai` dialect, where the list of models is asked for.

        Raises:
            ModelMisconfigured: it does not.
            ModelError: see `app.errors`.

        Source: GET /key
        """
        return read_key(await self._get("key" if self._dialect == "openrouter" else "models"))

    async def _persist(self, call: "_Call", *, ends: float) -> Fault | None:
        while True:
            fault = await self._attempt(call)
            if fault is None:
                return None
            wait = self._wait(call, fault, asyncio.get_running_loop().time(), ends)
            _log(fault, call.ask.model, tried=call.tried, wait=wait, chars=call.answer.size)
            if wait is None:
                return fault
            if fault.affordable is not None:
                call.max_tokens = fault.affordable
                call.shrunk = True
            await self._sleep(wait)

    async def _attempt(self, call: "_Call") -> Fault | None:
        meter, ask = self._meter, call.ask
        hold = "" if meter is None else await meter.hold(ask, call.max_tokens)
        attempt = Attempt(
            self._door, call.fresh(), self._patience, now=self._now(), model=ask.model
        )
        body = chat_body(ask, self._dialect, max_tokens=call.max_tokens)
        # Cancelled in here, it is never settled, and so paid in full: nobody learns what the
        # provider takes for an answer that was broken off.
        fault = await attempt.run(body, max_tokens=call.max_tokens)
        if meter is not None:
            await meter.settle(hold, ask, call.answer.tokens, billed=attempt.billed)
        return fault

    def _wait(self, call: "_Call", fault: Fault, time: float, ends: float) -> float | None:
        """Return how long to wait before the next attempt, None where there is to be none."""
        if call.answer.said:
            return None
        if fault.affordable is not None:
            return None if call.shrunk else 0.0
        worth = fault.tries_after_text if call.answer.began else fault.tries
        if call.tried >= min(worth, 1 + self._patience.retries):
            return None
        if fault.wait is None:
            most = min(_LONGEST_DELAY, math.ldexp(_FIRST_DELAY, call.tried - 1))
            return self._rand() * most
        affordable = fault.wait <= self._patience.max_wait and time + fault.wait < ends
        return fault.wait if affordable else None

    async def _get(self, path: str) -> object:
        try:
            async with asyncio.timeout(_CHECK):
                found = await self._fetch(path)
        except TimeoutError:
            found = Fault(ModelTimeout, "total")
        if isinstance(found, Fault):
            _log(found, path)
            raise _error(found)
        return found

    async def _fetch(self, path: str) -> object:
        """Return the JSON of the reply, or the `Fault`; see `Attempt.run` for why."""
        whole = bytearray()
        try:
            async with self._http.stream("GET", path, timeout=self._door.timeout) as response:
                if not response.is_success:
                    return await refusal(response, now=self._now())
                if is_encoded(response):
                    return bad_reply("encoded")
                async for piece in response.aiter_raw():
                    whole += piece
                    if len(whole) > _LARGEST_LIST:
                        return bad_reply("too_large")
        except TRANSPORT_ERRORS as error:
            # A TimeoutError is an OSError; that of the deadline never passes here as one.
            return unreachable(error)
        try:
            return orjson.loads(whole)
        except orjson.JSONDecodeError:
            return bad_reply("bad_json")


class _Call:
    """One call of `complete`, over all its attempts."""

    def __init__(self, ask: Ask, say: Say | None, *, drops_thinking: bool) -> None:
        self.ask = ask
        self.max_tokens = max(FEWEST_TOKENS, ask.max_tokens)
        self.shrunk = False
        self.tried = 0
        self._say = say
        self._drops_thinking = drops_thinking
        self.answer = Answer(say, drops_thinking=drops_thinking)

    @property
    def is_whole(self) -> bool:
        return self.answer.finish is not None and not self.answer.blank

    def fresh(self) -> Answer:
        """Begin the next attempt with nothing of the one before."""
        self.tried += 1
        self.answer = Answer(self._say, drops_thinking=self._drops_thinking)
        return self.answer

    def outcome(self, fault: Fault | None) -> Completion:
        """Return what there is to show.

        Raises:
            ModelError: there is nothing, or too little.
        """
        answer = self.answer
        if fault is None:
            return answer.completion(self.ask.model)
        if fault.error is None:
            return answer.completion(self.ask.model, "declined")
        if answer.size >= WORTH_KEEPING and not fault.worthless:
            return answer.completion(self.ask.model, "cut")
        # Nobody saw this text, so these two can say what it was.
        unseen = not answer.said and issubclass(fault.error, ModelBadReply | ModelTimeout)
        if answer.size and not unseen:
            raise ModelInterrupted(cause=fault.cause)
        raise _error(fault)


def _error(fault: Fault) -> ModelError:
    kind = fault.error or ModelError
    if fault.wait is not None and kind is ModelUnreachable:
        kind = ModelBusy
    wait = (fault.wait or _UNTOLD_WAIT) if kind is ModelBusy else None
    return kind(fault.sentence, retry_after=wait, cause=fault.cause)


def _log(
    fault: Fault, asked: str, *, tried: int = 1, wait: float | None = None, chars: int = 0
) -> None:
    logger.warning(
        "llm.refused",
        cause=fault.cause,
        status=fault.status,
        error_type=fault.kind,
        provider_message=fault.message,
        asked=asked,
        attempt=tried,
        retry_in_s=wait,
        chars=chars,
    )


def _printable(value: str, name: str, *, spaces: bool = False) -> str:
    if not all("!" <= sign <= "~" or (spaces and sign == " ") for sign in value):
        raise ValueError(f"the {name} holds a blank, a line end or a sign that is no ASCII")
    return value
