"""What `POST /message` returns."""

from pydantic import Field

from wire.reply import Reply, Said


class Usage(Said):
    """What the model calls of one answer took. None where the provider does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cost: float | None = Field(default=None, description="USD")


class AnswerData(Said):
    session_id: str
    platform: str
    model: str = Field(description="The model that served, or would.")
    requested_model: str = Field(description="The model that is chosen.")
    message_count: int
    usage: Usage | None = None
    truncated: bool = Field(default=False, description="The answer stops before its end.")
    trimmed: bool = Field(default=False, description="Older messages were left out.")
    declined: bool = Field(default=False, description="The provider refused to answer.")


class Answer(Reply):
    data: AnswerData
