"""Getting an answer from a model: which one serves, what it sees, what is said about it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app import texts
from app.commands.base import Call, Spoken, may_choose
from app.commands.conversation import below
from app.commands.languages import language
from app.errors import ContextTooLong, ModelBlind, ModelBusy, ModelError, ModelGone
from app.llm.base import Ask, ChatModel, Completion, Turn
from app.llm.catalogue import Catalogue, Served
from app.llm.prompts import system_prompt

MOST_TRIMS = 3  # each halves what is remembered; the last one leaves the question alone
ALTERNATIVES = 3
BAD_PICTURE = "bad_picture"  # a cause of ModelBlind: the picture is at fault, not the model


@dataclass(frozen=True, slots=True)
class ModelAssistant:
    """Lets the model of a call speak. `pseudonym` hides who asks from the provider."""

    model: ChatModel
    catalogue: Catalogue
    max_tokens: int
    pseudonym: Callable[[str], str]

    async def speak(self, call: Call, turns: Sequence[Turn], task: str = "") -> Spoken:
        """Return the answer and our notes; every piece of both went out through `call.say`.

        A model that is gone is replaced, a conversation that is too long is cut at its
        beginning; the notes tell of both.

        Raises:
            ModelError: see `app.errors`. Its sentence names no way out that is closed here.
        """
        try:
            served, said, trimmed = await self._served(call, turns, task)
        except ModelError as error:
            sentence = _instead(call, error, task)
            if sentence is None:
                raise
            raise type(error)(sentence, retry_after=error.retry_after, cause=error.cause) from error
        spoken = self._spoken(call, served, said, trimmed=trimmed)
        if call.say is not None and spoken.notes:
            call.say(spoken.notes)
        return spoken

    async def _served(
        self, call: Call, turns: Sequence[Turn], task: str
    ) -> tuple[Served, Completion, bool]:
        while True:
            served = self.catalogue.served(call.model)
            try:
                return served, *await self._complete(
                    call, self._ask(call, served, turns, task), task
                )
            except ModelGone:
                # The provider's list was older than this answer, or cannot be had.
                self.catalogue.mark_gone(served.model)

    async def _complete(self, call: Call, ask: Ask, task: str) -> tuple[Completion, bool]:
        trims = 0
        while True:
            try:
                return await self.model.complete(ask, call.say), trims > 0
            except ContextTooLong:
                trims += 1
                kept = _younger(ask.turns[:-1], trims, alone=not task)
                if kept is None:
                    raise
                ask = replace(ask, turns=(*kept, ask.turns[-1]))
            except ModelBlind as error:
                # The provider knows better than a list that tells nothing of pictures.
                if ask.turns[-1].pictures:
                    if error.cause == BAD_PICTURE:
                        raise
                    sentence = self._blindness(call, ask.model)
                    raise ModelBlind(sentence, cause=error.cause) from error
                if not any(turn.pictures for turn in ask.turns):
                    raise
                ask = replace(ask, turns=_in_words(ask.turns))

    def _ask(self, call: Call, served: Served, turns: Sequence[Turn], task: str) -> Ask:
        return Ask(
            model=served.model,
            system=system_prompt(
                language=call.profile.language,
                length=call.profile.length,
                task=task,
                likely=language(call.message.language or ""),
            ),
            turns=self._seen(call, served.model, turns),
            max_tokens=self.max_tokens,
            user=self.pseudonym(f"{call.platform.name}/{call.message.user_id}"),
            conversation=call.session.public_id,
            web_search=served.web_search,
        )

    def _seen(self, call: Call, model: str, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        """Return what `model` can take: pictures become a word where it is blind."""
        if self.catalogue.card(model).vision is not False:
            return tuple(turns)
        if turns[-1].pictures:
            raise ModelBlind(self._blindness(call, model))
        return _in_words(turns)

    def _blindness(self, call: Call, model: str) -> str:
        seeing = [
            name
            for name in call.platform.models
            if self.catalogue.card(name).vision and not self.catalogue.is_gone(name)
        ]
        ways = [texts.code(f"/model {name}") for name in seeing[:ALTERNATIVES]]
        others = texts.BLIND_FIXED
        if ways and may_choose(call.platform):
            others = texts.BLIND_OTHERS.format(names=" or ".join(ways))
        return texts.BLIND.format(model=texts.plain(self.catalogue.label(model)), others=others)

    def _spoken(self, call: Call, served: Served, said: Completion, *, trimmed: bool) -> Spoken:
        notes = []
        if said.finish == "declined" and not said.text:
            other = texts.OTHER_MODEL if may_choose(call.platform) else ""
            notes.append(texts.DECLINED.format(other=other))
        if said.finish == "cut":
            notes.append(texts.CUT_SHORT)
        if said.finish == "length":
            notes.append(texts.TOO_LONG)
        if trimmed:
            notes.append(texts.TRIMMED)
        if served.replaced and call.session.told != served.model:
            old, new = (texts.plain(self.catalogue.label(m)) for m in (call.model, served.model))
            notes.append(texts.REPLACED.format(old=old, new=new))
        return Spoken(
            text=said.text,
            notes=below(said.text, "\n\n".join(notes)) if notes else "",
            model=said.model,
            tokens=said.tokens,
            truncated=said.finish in {"cut", "length"},
            trimmed=trimmed,
            declined=said.finish == "declined",
            told=served.model if served.replaced else call.session.told,
        )


def _younger(older: Sequence[Turn], trims: int, *, alone: bool) -> Sequence[Turn] | None:
    """Return the younger half of what came before a question, from a question on.

    None where nothing is left to leave out. Where the question does not stand `alone` it is
    about what came before, and the youngest exchange stays.
    """
    if not older or trims > MOST_TRIMS:
        return None
    pairs = len(older) // 4
    if alone:
        return older[len(older) - 2 * pairs :] if trims < MOST_TRIMS else ()
    return older[len(older) - 2 * pairs :] if pairs else None


def _in_words(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, text=f"{turn.text}\n{texts.PICTURE_UNSEEN}", pictures=())
        if turn.pictures
        else turn
        for turn in turns
    )


def _instead(call: Call, error: ModelError, task: str) -> str | None:
    """Return a sentence that fits better than the one of `error`, None where there is none."""
    if isinstance(error, ContextTooLong) and not task:
        return texts.TOO_MUCH
    if isinstance(error, ModelBusy) and error.retry_after is not None:
        other = texts.OTHER_MODEL if may_choose(call.platform) else ""
        return texts.BUSY.format(wait=texts.lasting(error.retry_after), other=other)
    closed = not may_choose(call.platform) and re.search(r"/models?\b|/clear\b", str(error))
    return texts.WITHOUT_CHOICE.get(error.code) if closed else None
