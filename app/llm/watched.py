"""What the last contact with the provider showed, for `/health` and the operator's log."""

from dataclasses import dataclass, field

from loguru import logger

from app import metrics, tracing
from app.bell import SILENT, Bell
from app.errors import (
    ModelError,
    ModelGone,
    ModelMisconfigured,
    ModelOutOfCredit,
    SpendLimitReached,
)
from app.llm.base import Ask, ChatModel, Completion, Say


@dataclass(slots=True)
class Watched:
    """A model that remembers its last trouble. `trouble` is a word; empty when all is well."""

    model: ChatModel | None
    trouble: str = ""
    bell: Bell = SILENT
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
            with tracing.span("model", model=metrics.model(ask.model)):
                completion = await self.model.complete(ask, say)
        except SpendLimitReached:
            raise  # which the provider has no part in
        except ModelError as error:
            metrics.of(metrics.upstream_errors, error.code, metrics.model(ask.model)).inc()
            if isinstance(error, ModelGone):
                self.bell.raise_("model_gone", ask.model)
            if error.retryable or isinstance(error, (ModelMisconfigured, ModelOutOfCredit)):
                self._note(error)
            raise
        self.trouble = ""
        self._told.clear()
        for cause in ("llm_key", "llm_config", "llm_credit"):
            self.bell.over(cause)
        return completion

    def _note(self, error: ModelError) -> None:
        self.trouble = error.cause
        if isinstance(error, ModelOutOfCredit):
            self.bell.raise_("llm_credit", error.cause)
        elif isinstance(error, ModelMisconfigured):
            is_key = error.cause == "auth"
            self.bell.raise_("llm_key" if is_key else "llm_config", "" if is_key else error.cause)
        if not error.retryable and error.cause not in self._told:
            # Once per cause, until all is well again: everybody's message meets it.
            self._told.add(error.cause)
            logger.error("llm.operator_must_act", cause=error.cause)
