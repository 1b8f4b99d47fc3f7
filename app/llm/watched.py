"""What the last contact with the provider showed, for `/health` and the operator's log."""

from dataclasses import dataclass, field

from loguru import logger

from app.errors import ModelError, ModelMisconfigured, ModelOutOfCredit
from app.llm.base import Ask, ChatModel, Completion, Say


@dataclass(slots=True)
class Watched:
    """A model that remembers its last trouble. `trouble` is a word; empty when all is well."""

    model: ChatModel | None
    trouble: str = ""
    _told: set[str] = field(default_factory=set)

    @property
    def configured(self) -> bool:
        return self.model is not None

    async def complete(self, ask: Ask, say: Say | None = None) -> Completion:
        """See `ChatModel`. Without a model behind it, every call is refused with a sentence."""
        if self.model is None:
            raise ModelMisconfigured(
                "AI answers are off: this service has no key for them yet. Commands work.",
                cause="no_key",
            )
        try:
            completion = await self.model.complete(ask, say)
        except ModelError as error:
            if error.retryable or isinstance(error, (ModelMisconfigured, ModelOutOfCredit)):
                self._note(error)
            raise
        self.trouble = ""
        self._told.clear()
        return completion

    def _note(self, error: ModelError) -> None:
        self.trouble = error.cause
        if not error.retryable and error.cause not in self._told:
            # Once per cause, until all is well again: everybody's message meets it.
            self._told.add(error.cause)
            logger.error("llm.operator_must_act", cause=error.cause)
