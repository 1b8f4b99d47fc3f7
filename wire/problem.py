"""Every error of every endpoint."""

from typing import Literal

from pydantic import Field

from wire.reply import Said


class Problem(Said):
    success: Literal[False] = False
    response: str = Field(description="One sentence: what happened and what to do.")
    data: None = None
    error: str = Field(description="A code for programs.")
    retry_after: int | None = Field(default=None, description="Seconds, where waiting helps.")
    request_id: str = ""
