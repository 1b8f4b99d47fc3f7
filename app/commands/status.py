import math

from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Button, Reply

SHORT_ID = 8  # characters of a session's id: enough to find it in a log
DAY, HOUR, MINUTE = 86_400, 3_600, 60


class Status(Command):
    name = "status"
    summary = "show the session: model, history, limit"

    async def run(self, call: Call, services: Services) -> Outcome:
        refresh = Button(label="Refresh", send=f"/{self.name}")
        return Outcome(Reply(response=session_block(call, services), buttons=((refresh,),)))


class SessionOnly(Status):
    name = "session"
    summary = "show the session alone"
    always = True


def session_block(call: Call, services: Services) -> str:
    limit = call.allowance
    reset = texts.SESSION_RESET.format(seconds=math.ceil(limit.reset)) if limit.reset > 0 else ""
    return texts.SESSION.format(
        platform=call.platform.name,
        session=call.session.public_id[:SHORT_ID],
        model=_model(call, services),
        messages=call.session.message_count + 1,
        used=2 * len(call.history),
        most=call.platform.max_history,
        age=_age(call.now - call.session.started_at),
        limit=limit.limit,
        left=limit.left,
        reset=reset,
    )


def _model(call: Call, services: Services) -> str:
    catalogue = services.catalogue
    label = texts.plain(catalogue.label(call.model))
    if not catalogue.is_gone(call.model):
        return label
    replacement = catalogue.replacement_for(call.model)
    if replacement is None:
        return texts.SESSION_LOST.format(model=label)
    return texts.SESSION_GONE.format(
        model=label, replacement=texts.plain(catalogue.label(replacement.model))
    )


def _age(seconds: float) -> str:
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if (count := int(seconds // unit)) >= 1:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "less than a minute"
