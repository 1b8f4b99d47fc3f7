import math

from app import texts
from app.commands.base import Call, Command, Outcome, Services
from app.commands.networks.status import Network
from wire.reply import Action, Button, Reply

NOT_YET = frozenset({"not_connected", "nothing_selected"})  # what the person does first
SHORT_ID = 8  # characters of a session's id: enough to find it in a log
DAY, HOUR, MINUTE = 86_400, 3_600, 60


class Status(Command):
    """Two blocks: of the location that is chosen, and of the session. Without one it says how."""

    name = "status"
    summary = "how the chosen location and this session are"

    async def run(self, call: Call, services: Services) -> Outcome:
        session = session_block(call, services)
        refresh = _refresh(self.name)
        actions = _actions(call)
        network = Network()
        if services.panoptes is None or not network.allowed(call.platform, private=call.private):
            return Outcome(Reply(response=session, buttons=((refresh,),), actions=actions))
        found = (await network.run(call, services)).reply
        blocks = (session, found.response) if found.error in NOT_YET else (found.response, session)
        known = found.error in NOT_YET or found.success
        reply = Reply(
            response="\n\n".join(blocks),
            success=known,
            error=None if known else found.error,
            buttons=(*found.buttons, (refresh,)),
            actions=actions,
        )
        return Outcome(reply)


class SessionOnly(Command):
    name = "session"
    summary = "show the session alone"
    always = True

    async def run(self, call: Call, services: Services) -> Outcome:
        return Outcome(
            Reply(
                response=session_block(call, services),
                buttons=((_refresh(self.name),),),
                actions=_actions(call),
            )
        )


def _refresh(name: str) -> Button:
    return Button(label="Refresh", send=f"/{name} refresh")


def _actions(call: Call) -> tuple[Action, ...]:
    return ("replace",) if call.words else ()


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
