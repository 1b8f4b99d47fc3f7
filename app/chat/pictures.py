"""The pictures of a message: those that came with it, and those that are to be fetched."""

from dataclasses import dataclass
from typing import Protocol

from app import texts
from app.chat import reading
from app.errors import ImageRefused
from app.images import Images, Upload
from app.llm.base import Picture
from wire.message import Attachment, Message


class Files(Protocol):
    async def fetch(self, file_id: str) -> bytes:
        """Return a file that a person sent.

        Raises:
            AppError: it is not to be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pictures:
    """`most_bytes` of one message, decoded; 0 where no pictures are taken.

    `files` fetches what came with an id instead of data; None where nothing can.
    """

    images: Images
    most_bytes: int
    files: Files | None = None

    async def sent(self, message: Message) -> tuple[Picture, ...]:
        """Return those that came with a message.

        Raises:
            ImageRefused: one cannot be read, or they are too large.
        """
        return await self._prepared(
            [
                Upload(part.data or "", part.mime_type, part.file_size)
                for part in self._wanted(message)
            ]
        )

    async def fetched(self, message: Message) -> tuple[Picture, ...]:
        """Return those that a message names; none where it is a command, which looks at none.

        Raises:
            ImageRefused: one cannot be had or read, or they are too large.
        """
        wanted = self._wanted(message)
        if not wanted:
            return ()
        named = reading.command(reading.cleaned(message.text))
        if named is not None and named.slash:
            return ()
        if self.files is None:
            raise ImageRefused(texts.NO_FILES)
        return await self._prepared(
            [Upload(await self.files.fetch(part.file_id or ""), part.mime_type) for part in wanted]
        )

    def _wanted(self, message: Message) -> list[Attachment]:
        if not self.most_bytes:
            return []
        return [part for part in message.attachments if reading.is_picture(part)]

    async def _prepared(self, uploads: list[Upload]) -> tuple[Picture, ...]:
        if not uploads:
            return ()
        return await self.images.prepare(uploads, max_total_bytes=self.most_bytes)
