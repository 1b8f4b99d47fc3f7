"""Why a message gets no answer, in words, and whether its sender was told so already."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from app import metrics, texts
from app.chat import reading
from app.chat.limits import Verdict
from app.commands.base import Call, Outcome
from app.errors import AppError, EmptyMessage, TextTooLong
from app.platforms.platform import Platform
from app.storage import inbox
from wire.message import Message
from wire.reply import Button, Reply


@dataclass(slots=True)
class Refusals:
    """What was told is remembered in memory: to hear it twice does no harm."""

    clock: Callable[[], float]
    _told: dict[tuple[str, str], float] = field(default_factory=dict)

    def reason(
        self, db: Connection, message: Message, platform: Platform, verdict: Verdict
    ) -> str | None:
        """Return why a message gets no turn; an empty text where that was said already.

        One that gets a turn counts for its day.
        """
        if not verdict.allowed:
            return self._slow_down(platform.name, message.user_id, verdict)
        if not platform.admits(message.user_id):
            return texts.NOT_INVITED
        try:
            reading.check(message, fetched=True)
        except (EmptyMessage, TextTooLong) as error:
            return str(error)
        limit = platform.daily_turns
        if limit is None:
            return None
        spent = inbox.spend_day(db, platform.name, message.user_id, self.clock())
        if spent <= limit:
            return None
        metrics.limited("day")
        return texts.DAY_USED.format(limit=limit)

    def was_told(self, kind: str, whom: str, seconds: float) -> bool:
        """Tell whether this was asked before, within so many seconds; note that it is now."""
        now = self.clock()
        if self._told.get((kind, whom), 0.0) > now:
            return True
        self._told = {key: until for key, until in self._told.items() if until > now}
        self._told[kind, whom] = now + seconds
        return False

    def _slow_down(self, platform: str, user_id: str, verdict: Verdict) -> str:
        """Return the sentence once until there is room again, then nothing."""
        told = self.was_told(platform, user_id, verdict.reset)
        return "" if told else limit_reached(verdict)


def limit_reached(verdict: Verdict) -> str:
    seconds = math.ceil(verdict.reset)
    return texts.LIMIT_REACHED.format(limit=verdict.limit, seconds=seconds)


def failure(error: AppError, call: Call) -> Outcome:
    """Word a failure as a reply, with a button that tries again where that can help."""
    # A button sends words alone: what was asked about a picture needs it once more.
    again = error.retryable and call.message.text and not call.message.attachments
    button = Button(label=texts.RETRY_BUTTON, send=call.message.text)
    return Outcome(
        Reply(
            response=str(error),
            success=False,
            error=error.code,
            buttons=((button,),) if again else (),
        )
    )


async def apology() -> Outcome:
    return Outcome(Reply(response=texts.GAVE_UP, success=False, error="gave_up"))
