"""Files that people and the bot sent: kept in memory, pictures in the sizes Telegram makes."""

import io
from dataclasses import dataclass, field

from PIL import Image

from simulator.telegram.bodies import Upload
from simulator.telegram.failure import Json, bad

LARGEST_PHOTO = 10_485_760  # bytes
LARGEST_DOWNLOAD = 20_971_520  # bytes
WIDEST = 10_000  # width and height together
LONGEST_SHAPE = 20  # the longer side by the shorter
SIDES = (320, 800, 1280)  # pixels of the longer side
LINK_LIFE = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class File:
    id: str
    content: bytes
    media_type: str
    path: str
    name: str = ""

    def json(self) -> Json:
        return {
            "file_id": self.id,
            "file_unique_id": f"u{self.id}",
            "file_size": len(self.content),
        }


@dataclass
class Files:
    """All files of a world by their id, and until when the link to each works."""

    by_id: dict[str, File] = field(default_factory=dict)
    links: dict[str, float] = field(default_factory=dict)
    photos: dict[str, list[Json]] = field(default_factory=dict)  # all sizes, by the id of each

    def keep(self, folder: str, suffix: str, upload: Upload) -> File:
        number = len(self.by_id)
        path = f"{folder}/file_{number}{suffix}"
        # Real ids are long and opaque; these only have to be unique and hard to take for a path.
        file = File(
            f"AgACAgQAAx{folder[:2]}{number:06d}",
            upload.content,
            upload.media_type,
            path,
            upload.name,
        )
        self.by_id[file.id] = file
        return file

    def photo(self, upload: Upload) -> list[Json]:
        """Keep a picture and return its sizes, the smallest first.

        Raises:
            Refused: it is none, or larger than Telegram takes as a photo.
        """
        if len(upload.content) > LARGEST_PHOTO:
            raise bad(
                f"file of size {len(upload.content)} bytes is too big for a photo; "
                f"the maximum size is {LARGEST_PHOTO} bytes"
            )
        try:
            with Image.open(io.BytesIO(upload.content)) as opened:
                if sum(opened.size) > WIDEST or max(opened.size) > LONGEST_SHAPE * min(opened.size):
                    raise bad("PHOTO_INVALID_DIMENSIONS")
                picture = opened.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise bad("IMAGE_PROCESS_FAILED") from None
        longest = max(picture.size)
        sides = [side for side in SIDES if side < longest] + [min(longest, SIDES[-1])]
        made = [self._size(picture, side) for side in sides]
        self.photos |= {size["file_id"]: made for size in made}
        return made

    def _size(self, picture: Image.Image, side: int) -> Json:
        small = picture.copy()
        small.thumbnail((side, side))
        made = io.BytesIO()
        small.save(made, "JPEG", quality=87)
        file = self.keep("photos", ".jpg", Upload("", "image/jpeg", made.getvalue()))
        return {**file.json(), "width": small.width, "height": small.height}

    def document(self, upload: Upload) -> Json:
        suffix = f".{upload.name.rpartition('.')[2]}" if "." in upload.name else ""
        suffix = suffix if suffix[1:].isalnum() else ""
        file = self.keep("documents", suffix, upload)
        return {**file.json(), "file_name": upload.name, "mime_type": upload.media_type}

    def voice(self, upload: Upload, seconds: int) -> Json:
        file = self.keep("voice", ".oga", upload)
        return {**file.json(), "duration": seconds, "mime_type": "audio/ogg"}

    def sticker(self, emoji: str) -> Json:
        file = self.keep("stickers", ".webp", Upload("", "image/webp", b""))
        shape = {"type": "regular", "width": 512, "height": 512}
        flags = {"is_animated": False, "is_video": False}
        return {**file.json(), **shape, **flags, "emoji": emoji, "set_name": "Simulated"}

    def find(self, file_id: str) -> File:
        """Return a file.

        Raises:
            Refused: nobody sent it.
        """
        file = self.by_id.get(file_id)
        if file is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        return file

    def link(self, file_id: str, now: float) -> Json:
        """Return the `File` of getFile. The link works for an hour.

        Raises:
            Refused: there is no such file, or it is larger than bots may fetch.
        """
        file = self.find(file_id)
        if len(file.content) > LARGEST_DOWNLOAD:
            raise bad("file is too big")
        self.links[file.path] = now + LINK_LIFE
        return {**file.json(), "file_path": file.path}

    def at(self, path: str, now: float) -> File | None:
        if self.links.get(path, 0.0) < now:
            return None
        return next((file for file in self.by_id.values() if file.path == path), None)
