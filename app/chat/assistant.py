"""Getting an answer from a model: which one serves, what it sees, what is said about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app import texts
from app.commands.base import Call, Spoken
from app.errors import ContextTooLong, ModelBlind, ModelGone
from app.llm.base import Ask, ChatModel, Completion, Turn
from app.llm.catalogue import Catalogue, Served
from app.llm.prompts import system_prompt

MOST_TRIMS = 3  # each halves what is remembered
ALTERNATIVES = 3


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
            ModelError: see `app.errors`.
        """
        while True:
            served = self.catalogue.served(call.model)
            try:
                said, trimmed = await self._complete(call, self._ask(call, served, turns, task))
                break
            except ModelGone:
                # The provider's list was older than this answer, or cannot be had.
                self.catalogue.mark_gone(served.model)
        spoken = self._spoken(call, served, said, trimmed=trimmed)
        if call.say is not None and spoken.notes:
            call.say(spoken.notes)
        return spoken

    async def _complete(self, call: Call, ask: Ask) -> tuple[Completion, bool]:
        trimmed = False
        for _ in range(MOST_TRIMS):
            try:
                return await self.model.complete(ask, call.say), trimmed
            except ContextTooLong:
                # What was asked last stays; of the rest the younger half, from a question on.
                older, last = ask.turns[:-1], ask.turns[-1]
                if not older:
                    raise
                kept = older[len(older) // 4 * 2 + 2 :]
                ask, trimmed = replace(ask, turns=(*kept, last)), True
        return await self.model.complete(ask, call.say), trimmed

    def _ask(self, call: Call, served: Served, turns: Sequence[Turn], task: str) -> Ask:
        return Ask(
            model=served.model,
            system=system_prompt(
                language=call.profile.language, length=call.profile.length, task=task
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
        return tuple(
            replace(turn, text=f"{turn.text}\n{texts.PICTURE_WORD}", pictures=())
            if turn.pictures
            else turn
            for turn in turns
        )

    def _blindness(self, call: Call, model: str) -> str:
        seeing = [
            name
            for name in call.platform.models
            if self.catalogue.card(name).vision and not self.catalogue.is_gone(name)
        ]
        names = ", ".join(texts.code(name) for name in seeing[:ALTERNATIVES])
        others = texts.BLIND_OTHERS.format(names=names) if names else texts.BLIND_FIXED
        return texts.BLIND.format(model=self.catalogue.label(model), others=others)

    def _spoken(self, call: Call, served: Served, said: Completion, *, trimmed: bool) -> Spoken:
        text = said.text
        notes = []
        if said.finish == "declined" and not text:
            notes.append(texts.DECLINED)
        if said.finish == "cut":
            notes.append(texts.CUT_SHORT)
        if said.finish == "length":
            notes.append(texts.TOO_LONG)
        if trimmed:
            notes.append(texts.TRIMMED)
        if served.replaced and call.session.told != served.model:
            labels = (self.catalogue.label(name) for name in (call.model, served.model))
            notes.append(texts.REPLACED.format(**dict(zip(("old", "new"), labels, strict=True))))
        between = "\n\n" if text else ""
        return Spoken(
            text=text,
            notes=between + "\n\n".join(notes) if notes else "",
            model=said.model,
            tokens=said.tokens,
            truncated=said.finish in {"cut", "length"},
            trimmed=trimmed,
            declined=said.finish == "declined",
            told=served.model if served.replaced else call.session.told,
        )
