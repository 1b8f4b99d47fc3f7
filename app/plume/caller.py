"""One call to Plume, from the first attempt to an answer or an error."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import httpx
from loguru import logger
from pydantic import ValidationError

from app import metrics, tracing
from app.errors import (
    PlumeBadReply,
    PlumeBusy,
    PlumeError,
    PlumeNotYours,
    PlumeTimeout,
    PlumeUnreachable,
)
from app.http import seconds_asked
from app.plume.answers import FirewallRefused, Unauthorized, check
from app.plume.budget import Budget, Purpose
from app.plume.credentials import Credentials
from app.plume.exchange import Broken, Heard, exchange, read_json
from app.plume.models import Read
from app.plume.oauth import Token, Tokens
from app.plume.patience import Patience
from app.plume.reading import UnexpectedShape
from app.plume.refusal import Refusal
from app.plume.watch import Watch

T = TypeVar("T")
_FIRST_DELAY, _LONGEST_DELAY = 0.3, 4.0  # seconds between attempts
_LARGE: Final = 500_000  # bytes; reading them takes 50 ms and more, in which all others would wait
_WAIT_SHARE: Final = 0.5  # of the time that is left may be spent waiting for one's turn


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """What is to be called: `url` is whole and encoded, `read` makes the value of the JSON.

    `subject` is whose it is, which tells the firewall's refusals from those of foreign things.
    `deadline` and `keep` are seconds. `writes` is True for what must happen only once.
    """

    name: str
    url: str
    read: Callable[[object], T]
    subject: str
    deadline: float
    keep: float = 0.0
    writes: bool = False


@dataclass(slots=True)
class _Course:
    """How one call went so far."""

    ends: float
    retries: int = 0
    renewed: bool = False
    status: int | None = None
    size: int = 0

    @property
    def left(self) -> float:
        return self.ends - asyncio.get_running_loop().time()


class Caller:
    """Spends the budget, shows tokens, retries what only reads, and reads the answers."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: Tokens,
        budget: Budget,
        watch: Watch,
        patience: Patience,
        *,
        timeout: httpx.Timeout,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rand: Callable[[], float],
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._budget = budget
        self._watch = watch
        self._patience = patience
        self._now = now
        self._sleep = sleep
        self._rand = rand
        self._extensions = {"timeout": timeout.as_dict()}

    async def call(
        self, credentials: Credentials, ask: Ask[T], purpose: Purpose
    ) -> tuple[Read[T], int] | Refusal:
        """Return the answer and the bytes it took, or why there is none."""
        began = time.monotonic()
        course = _Course(asyncio.get_running_loop().time() + ask.deadline)
        try:
            async with asyncio.timeout(ask.deadline) as whole:
                with tracing.span("plume", call=ask.name):
                    found: Read[T] | Refusal = await self._persist(
                        credentials, ask, purpose, course
                    )
        except PlumeError as error:
            found = Refusal.of(error)
        except TimeoutError:
            if not whole.expired():
                raise
            found = Refusal(PlumeTimeout, cause="total")
        self._tell(ask, found, course, time.monotonic() - began)
        return found if isinstance(found, Refusal) else (found, course.size)

    async def _persist(
        self, credentials: Credentials, ask: Ask[T], purpose: Purpose, course: _Course
    ) -> Read[T]:
        while True:
            token = await self._tokens.get(credentials)
            try:
                heard = await self._attempt(ask, token, purpose, course)
                return await self._read(ask, heard, course)
            except Unauthorized:
                # A token can be revoked before its end. A second 401 is about the customer.
                if course.renewed:
                    raise PlumeNotYours(cause="http_401") from None
                course.renewed = True
                self._tokens.drop(credentials, token)
            except FirewallRefused:
                wait = self._budget.shut_out()
                raise PlumeBusy(retry_after=math.ceil(wait), cause="firewall") from None
            except PlumeNotYours:
                self._budget.foreign(ask.subject)
                raise
            except Broken as broken:
                kind = PlumeBadReply if broken.began else PlumeUnreachable
                await self._before_next(ask, kind(cause=broken.cause), course)
            except PlumeUnreachable as error:
                await self._before_next(ask, error, course)

    async def _attempt(self, ask: Ask[T], token: Token, purpose: Purpose, course: _Course) -> Heard:
        await self._budget.spend(purpose, within=course.left * _WAIT_SHARE)
        heard = await exchange(self._http, self._request(ask, token))
        course.status = heard.status
        try:
            check(heard, seconds_asked(heard.headers.get("retry-after"), self._now()))
        except PlumeBusy as busy:
            self._budget.pause(busy.retry_after or 0.0)
            raise
        self._budget.succeeded()
        return heard

    def _request(self, ask: Ask[T], token: Token) -> httpx.Request:
        headers = self._http.headers.copy()
        headers["Accept"] = "application/json"
        headers["Authorization"] = f"Bearer {token.secret.get_secret_value()}"
        if ask.writes:
            headers["Content-Type"] = "application/json"
        return httpx.Request(
            "POST" if ask.writes else "GET",
            ask.url,
            headers=headers,
            content=b"{}" if ask.writes else None,
            extensions=self._extensions,
        )

    async def _before_next(self, ask: Ask[T], error: PlumeError, course: _Course) -> None:
        """Wait before the next attempt, or raise `error` where there is to be none."""
        if ask.writes or course.retries >= self._patience.retries:
            raise error
        asked = error.retry_after
        if asked is not None and asked >= course.left:
            raise PlumeBusy(retry_after=asked, cause=error.cause)
        most = min(_LONGEST_DELAY, math.ldexp(_FIRST_DELAY, course.retries))
        course.retries += 1
        await self._sleep(asked or self._rand() * most)

    async def _read(self, ask: Ask[T], heard: Heard, course: _Course) -> Read[T]:
        course.size = len(heard.body)
        at = datetime.fromtimestamp(self._now(), UTC)
        if course.size > _LARGE:
            return Read(await asyncio.to_thread(_value, ask, heard), at)
        return Read(_value(ask, heard), at)

    def _tell(self, ask: Ask[T], found: Read[T] | Refusal, course: _Course, seconds: float) -> None:
        facts = {
            "call": ask.name,
            "status": course.status,
            "retries": course.retries,
            "renewed": course.renewed,
            "ms": round(seconds * 1000),
        }
        if isinstance(found, Refusal):
            metrics.of(metrics.plume_calls, ask.name, found.kind.code).inc()
            self._watch.failed(found, self._now())
            level = "WARNING" if found.kind.retryable else "INFO"
            logger.log(level, "plume.refused", cause=found.cause, **facts)
        else:
            metrics.of(metrics.plume_calls, ask.name, "answered").inc()
            self._watch.answered(self._now())
            logger.debug("plume.answered", bytes=course.size, **facts)


def _value(ask: Ask[T], heard: Heard) -> T:
    try:
        body = read_json(heard)
    except PlumeBadReply:
        # What was to happen has happened, whatever the answer says.
        if not ask.writes:
            raise
        body = None
    try:
        return ask.read(body)
    except (UnexpectedShape, ValidationError):
        raise PlumeBadReply(cause="shape") from None
