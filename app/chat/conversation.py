"""What is answered: a command by its handler, everything else by the model."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app import texts
from app.chat import reading
from app.commands.base import Asking, Call, Command, Outcome, Services
from app.commands.conversation import below, spoken, turns_of
from app.llm.base import Picture, Turn
from app.redaction import MARKER, withhold
from app.sessions.dialogues import Dialogue
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
        typed = call.message.text
        message, held_secret, withheld = _without_secrets(call.message)
        call = replace(call, message=message, words=message.text)
        named = reading.command(message.text)
        found = None if named is None else self._find(named.name)
        if named is not None and (found is not None or named.slash):
            words = reading.command(reading.cleaned(typed))
            call = _typed(replace(call, words=named.words), found, words.words if words else "")
            outcome = self._asked_again(await self._command(call, named.name, found), call, found)
        elif (asking := self._asking(call)) is not None and message.text:
            command, dialogue = asking
            call = _typed(call, command, reading.cleaned(typed))
            outcome = await command.hear(call, dialogue, self.services)
        elif (kind := reading.unreadable_kind(message)) is not None:
            text = texts.KIND_REFUSED.format(kind=texts.KINDS[kind])
            outcome = _refusal(text, "kind_not_supported")
        elif message.attachments and not pictures:
            outcome = _refusal(texts.PICTURES_OFF, "pictures_off")
        elif held_secret and not pictures and _ONLY_SECRETS.fullmatch(message.text):
            return Outcome(Reply(response=texts.WITHHELD_ALL, actions=("forget",)))
        else:
            outcome = await self._chat(call, pictures)
        if not withheld or call.typed:
            return outcome
        return _with_warning(outcome, call, held_secret=held_secret)

    def _find(self, name: str) -> Command | None:
        commands = self.services.commands
        return next((each for each in commands if name == each.name or name in each.also), None)

    def _asking(self, call: Call) -> tuple[Asking, Dialogue] | None:
        """Return the question that waits and whose it is, if this person may still answer it."""
        if call.dialogue is None:
            return None
        asker = self._find(call.dialogue.command)
        if not isinstance(asker, Asking) or not _allowed(asker, call):
            return None
        return asker, call.dialogue

    def _asked_again(self, outcome: Outcome, call: Call, answered: Command | None) -> Outcome:
        """Repeat the question that still waits below what was answered in between."""
        asking = self._asking(call)
        if asking is None or outcome.dialogue != "keep" or answered is asking[0]:
            return outcome
        command, dialogue = asking
        text = f"{outcome.reply.response}\n\n{command.question(dialogue)}"
        return replace(outcome, reply=outcome.reply.model_copy(update={"response": text}))

    async def _command(self, call: Call, name: str, command: Command | None) -> Outcome:
        if command is None:
            return self._unknown(call, name)
        if not _allowed(command, call):
            reason = f"{command.why_not(call.platform)} {texts.NOT_ALLOWED_HINT}".strip()
            text = texts.NOT_ALLOWED.format(name=command.name, reason=reason)
            return _refusal(text, "command_not_allowed")
        return await command.run(call, self.services)

    def _unknown(self, call: Call, name: str) -> Outcome:
        theirs = self.services.allowed(call.platform, call.message.user_id, private=call.private)
        known = [each.name for each in theirs]
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


def _allowed(command: Command, call: Call) -> bool:
    return command.allowed(call.platform, call.message.user_id, private=call.private)


def _typed(call: Call, command: Command | None, typed: str) -> Call:
    """Show the text as it came to a command that takes secrets, and to no other."""
    return replace(call, typed=typed) if command is not None and command.takes_secrets else call


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
