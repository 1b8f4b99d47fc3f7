from typing import ClassVar

from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Reply


class Cancel(Command):
    """Ends a question that waits.

    An answer that is being written is stopped at the door: what comes here found none.
    """

    name = "cancel"
    also: ClassVar[frozenset[str]] = frozenset({"stop"})
    summary = "stop an answer, or leave a question"
    always = True

    async def run(self, call: Call, services: Services) -> Outcome:
        if call.dialogue is not None:
            return Outcome(Reply(response=texts.CANCELLED), dialogue=None)
        return Outcome(Reply(response=texts.NOTHING_RUNS))
