"""What a person gets: Markdown, and what belongs to it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Said(BaseModel):
    """What the service says: readers ignore the fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Button(Said):
    """Pressing it is typing `send`, or opening `url`."""

    label: str
    send: str | None = None
    url: str | None = None
    style: Literal["primary", "success", "danger"] | None = None


class Image(Said):
    media_type: str
    data: str  # base64
    alt: str


Action = Literal["forget", "replace", "silent"]


class Reply(Said):
    """What a command or the model returns inside the service."""

    response: str
    success: bool = True
    error: str | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    images: tuple[Image, ...] = ()
    actions: tuple[Action, ...] = ()
