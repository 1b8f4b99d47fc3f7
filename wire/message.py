"""The request of `POST /message`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

MAX_ATTACHMENTS = 4
MAX_METADATA_BYTES = 4096


# An id of somebody else's system: compared as it is, never interpreted. No letters that look
# like others, no separators that could join two ids into one.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~@+=/#-]{1,128}$")]

Short = Annotated[str, StringConstraints(max_length=256)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Kind = Literal["text", "image", "document", "voice", "video", "sticker", "location", "command"]


class Request(BaseModel):
    """What comes in: fields nobody knows are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Attachment(Request):
    type: Literal["image", "document", "voice", "video", "sticker"]
    mime_type: Short | None = None
    data: str | None = Field(default=None, description="The file itself, base64.")
    file_id: Short | None = None
    file_size: int | None = Field(
        default=None, strict=True, ge=0, le=2**53, description="Bytes, decoded."
    )


class Message(Request):
    platform: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    user_id: Id
    chat_id: Id
    message_id: Id
    text: str = ""
    type: Kind = "text"
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=MAX_ATTACHMENTS)
    reply_to_message_id: Id | None = None
    reply_to_text: str | None = None
    thread_id: Id | None = None
    chat_type: Literal["private", "group"] = "private"
    language: Language | None = Field(default=None, description="The person's, as in BCP 47.")
    user_name: Short | None = None
    pressed_message_id: Id | None = None
    timestamp: datetime | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
