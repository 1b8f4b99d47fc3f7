"""What is answered: a command by its handler, everything else by the model."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app import texts
from app.chat import reading
from app.commands.base import Call, Command, Outcome, Services
from app.commands.conversation import below, spoken, turns_of
from app.llm.base import Picture, Turn
from app.redaction import MARKER, withhold
from app.sessions.history import Exchange, Image
from wire.message import Message
from wire.reply import Button, Reply

LONGEST_NAME = 32
_ONLY_SECRETS = re.compile(
    rf"(?:{re.escape(MARKER)}|authorization|basic|bearer|[\W_])*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Conversation:
    services: Services

    async def answer(self, call: Call, pictures: Sequence[Picture]) -> Outcome:
        """Return the reply to the message of `call` and what is to be kept of it.

        Raises:
            ModelError: the model did not answer.
        """
        message, held_secret, withheld = _without_secrets(call.message)
        call = replace(call, message=message, words=message.text)
        named = reading.command(message.text)
        found = None if named is None else self._find(named.name)
        if named is not None and (found is not None or named.slash):
            outcome = await self._command(replace(call, words=named.words), named.name, found)
        elif (kind := reading.unreadable_kind(message)) is not None:
            text = texts.KIND_REFUSED.format(kind=texts.KINDS[kind])
            outcome = _refusal(text, "kind_not_supported")
        elif message.attachments and not pictures:
            outcome = _refusal(texts.PICTURES_OFF, "pictures_off")
        elif held_secret and not pictures and _ONLY_SECRETS.fullmatch(message.text):
            return Outcome(Reply(response=texts.WITHHELD_ALL, actions=("forget",)))
        else:
            outcome = await self._chat(call, pictures)
        return _with_warning(outcome, call, held_secret=held_secret) if withheld else outcome

    def _find(self, name: str) -> Command | None:
        commands = self.services.commands
        return next((each for each in commands if name == each.name or name in each.also), None)

    async def _command(self, call: Call, name: str, command: Command | None) -> Outcome:
        if command is None:
            return self._unknown(call, name)
        if not command.allowed(call.platform, call.message.user_id):
            reason = f"{command.refusal} {texts.NOT_ALLOWED_HINT}".strip()
            text = texts.NOT_ALLOWED.format(name=command.name, reason=reason)
            return _refusal(text, "command_not_allowed")
        return await command.run(call, self.services)

    def _unknown(self, call: Call, name: str) -> Outcome:
        known = [each.name for each in self.services.allowed(call.platform, call.message.user_id)]
        # Long words cost long comparisons, and no command's name is long.
        near = difflib.get_close_matches(name[:LONGEST_NAME], known, n=1)
        text = texts.UNKNOWN_COMMAND.format(
            name=texts.code(f"/{name}"),
            near=texts.UNKNOWN_NEAR.format(name=near[0]) if near else "",
        )
        outcome = _refusal(text if name else texts.EMPTY_COMMAND, "command_unknown")
        buttons = ((Button(label=f"/{each}", send=f"/{each}"),) for each in near)
        return replace(outcome, reply=outcome.reply.model_copy(update={"buttons": tuple(buttons)}))

    async def _chat(self, call: Call, pictures: Sequence[Picture]) -> Outcome:
        question = call.message.text or texts.PICTURE_ONLY
        if quoted := call.message.reply_to_text:
            lines = "\n".join(f"> {line}" for line in quoted.splitlines())
            question = f"{lines}\n\n{question}"
        turns = [*turns_of(call.history), Turn("user", question, tuple(pictures))]
        said = await self.services.assistant.speak(call, turns)
        if said.declined and not said.text:
            return spoken(said)
        exchange = Exchange(
            number=call.history[-1].number + 1 if call.history else 1,
            question=question,
            answer=said.text + (texts.CUT_MARK if said.truncated else ""),
            pictures=len(pictures),
            images=tuple(Image(each.media_type, each.data) for each in pictures),
        )
        return spoken(said, exchange)


def _without_secrets(message: Message) -> tuple[Message, bool, bool]:
    """Return the message as everything behind here sees it.

    And whether the text itself held a secret, and whether that or what it quotes did.
    """
    text, in_text = withhold(reading.cleaned(message.text))
    quoted, in_quoted = withhold(reading.cleaned(message.reply_to_text or ""))
    if text == message.text and quoted == (message.reply_to_text or ""):
        return message, False, False
    changed = {"text": text, "reply_to_text": quoted or None}
    return message.model_copy(update=changed), in_text, in_text or in_quoted


def _with_warning(outcome: Outcome, call: Call, *, held_secret: bool) -> Outcome:
    reply = outcome.reply
    warning = below(reply.response, texts.WITHHELD)
    if call.say is not None and outcome.spoken is not None:
        call.say(warning)
    changed = {
        "response": reply.response + warning,
        "actions": (*reply.actions, "forget") if held_secret else reply.actions,
    }
    return replace(outcome, reply=reply.model_copy(update=changed))


def _refusal(text: str, error: str) -> Outcome:
    return Outcome(Reply(response=text, success=False, error=error))
