"""Pictures that people send: checked, made small, and freed of what they tell about the sender.

Nothing of a picture is believed. Its kind is read from its first bytes, its dimensions from
its header, and both are judged before a pixel is decoded: a PNG of 230 KB can hold 300 MB.
"""

import asyncio
import binascii
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self

from app.errors import ImageRefused, ImageTooLarge, ImageUnsupported
from app.llm.base import Picture

MAX_PIXELS = 20_000_000
MAX_SIDE = 16_384  # pixels; WebP allows no more
# Models scale down to about this by themselves; some providers refuse more than 5 MB of base64.
LONG_SIDE = 1568  # pixels
AT_ONCE = 2  # decodings; one of MAX_PIXELS takes up to 310 MB meanwhile

_MBYTE = 2**20
_NAMES = ("first", "second", "third", "fourth")
_UNNAMED_TYPES = frozenset({"", "application/octet-stream"})
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
# The scans of a JPEG, and the pieces of its metadata. A scan costs 9 ms at MAX_PIXELS and fits
# into 40 bytes: a file of the permitted size could keep a thread busy for an hour. Cameras
# write ten.
_COSTLY = {"image/jpeg": (b"\xff\xda", b"Exif\0\0")}
MAX_REPEATS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture as it came: base64 as `str`, or the bytes themselves.

    `declared_type` and `declared_size` (bytes, decoded) are what its sender says, None where
    nothing is said.
    """

    data: str | bytes
    declared_type: str | None = None
    declared_size: int | None = None


class Images:
    """The threads that decode pictures: two pictures at once, the others wait."""

    def __init__(self) -> None:
        # Threads start with the first picture.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="images")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the running decodings end, and drop those that wait."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def prepare(
        self, uploads: Sequence[Upload], *, max_total_bytes: int
    ) -> tuple[Picture, ...]:
        """Return the pictures in their order, fit for a model.

        Each is a JPEG of at most 1568 pixels on its long side and well below 3.5 MB: upright,
        the first frame of an animation, transparent parts white, without any metadata.

        Raises:
            ImageRefused: not base64, damaged, too many pixels, or not as declared.
            ImageTooLarge: all together have more than `max_total_bytes`, decoded.
            ImageUnsupported: not JPEG, PNG, WebP or GIF.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _prepare, tuple(uploads), max_total_bytes)


def _prepare(uploads: Sequence[Upload], max_total_bytes: int) -> tuple[Picture, ...]:
    if sum(_size(upload.data) for upload in uploads) > max_total_bytes:
        raise _too_large(
            "The picture is" if len(uploads) == 1 else "The pictures together are", max_total_bytes
        )
    # All are read before one is decoded: a refusal is cheap, a decoding is not.
    files = [_read(upload, _called(place, len(uploads))) for place, upload in enumerate(uploads)]
    return tuple(shrink(data, _called(place, len(files))) for place, data in enumerate(files))


def _read(upload: Upload, called: str) -> bytes:
    return read_image(
        upload.data,
        declared_type=upload.declared_type,
        declared_size=upload.declared_size,
        called=called,
    )


def _called(place: int, count: int) -> str:
    if count == 1:
        return "The picture"
    return f"The {_NAMES[place]} picture" if place < len(_NAMES) else f"Picture {place + 1}"


def _size(data: str | bytes) -> int:
    """Return the bytes of a picture, from the length of its base64 where it is that."""
    if isinstance(data, bytes):
        return len(data)
    return len(data) * 3 // 4 - (len(data[-2:]) - len(data[-2:].rstrip("=")))


def _too_large(subject: str, limit: int) -> ImageTooLarge:
    return ImageTooLarge(f"{subject} larger than {limit / _MBYTE:.3g} MB. Send less.")


def read_image(
    data: str | bytes,
    *,
    declared_type: str | None = None,
    declared_size: int | None = None,
    max_bytes: int | None = None,
    called: str = "The picture",
) -> bytes:
    """Return the bytes of a picture whose kind and size are what was declared.

    Nothing is decoded but the base64. `called` begins the sentence of an error.

    Raises:
        ImageRefused, ImageTooLarge, ImageUnsupported
    """
    if max_bytes is not None and _size(data) > max_bytes:
        raise _too_large(f"{called} is", max_bytes)
    raw = data if isinstance(data, bytes) else _decode(data, called)
    if not raw:
        raise ImageRefused(f"{called} is empty. Send it again.")
    if (kind := media_type(raw)) is None:
        raise ImageUnsupported(
            f"{called} is of a kind that cannot be read. Send JPEG, PNG, WebP or GIF."
        )
    named = (declared_type or "").partition(";")[0].strip().lower()
    if named not in _UNNAMED_TYPES and _OTHER_NAMES.get(named, named) != kind:
        raise ImageRefused(f"{called} is not of the type that `mime_type` names: it is {kind}.")
    if declared_size is not None and declared_size != len(raw):
        raise ImageRefused(f"{called} has {len(raw)} bytes, and `file_size` says otherwise.")
    return raw


def _decode(data: str, called: str) -> bytes:
    if data[:16].lstrip()[:5].lower() == "data:":
        raise ImageRefused(
            f"{called} is a data: URL. Send its base64 alone, what follows the comma."
        )
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise ImageRefused(
            f"{called} is not base64. Send the standard alphabet, padded, without line breaks."
        ) from error


def media_type(data: bytes) -> str | None:
    """Tell the type by the first bytes, None where it is none of the four that are taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def shrink(data: bytes, called: str = "The picture") -> Picture:
    """Decode a picture and make the JPEG of it that `Images.prepare` describes.

    Takes up to a second of a thread, and up to 310 MB.

    Raises:
        ImageRefused: damaged, or too many pixels.
    """
    # Pillow costs 14 ms and 4 MB of every start, and many days see no picture.
    from app.decoding import jpeg  # noqa: PLC0415 - see above

    kind = media_type(data) or ""
    try:
        if kind == "image/webp":
            # Pillow makes a canvas as soon as it opens one, whatever its size.
            _check_size(_webp_size(data), called)
        _check_parts(data, kind, called)
        check = partial(_check_size, called=called)
        return Picture("image/jpeg", jpeg(data, kind, long_side=LONG_SIDE, check=check))
    except ImageRefused:
        raise
    # Decoders answer hostile bytes with any exception there is.
    except Exception as error:
        raise ImageRefused(f"{called} is damaged and cannot be read. Send it again.") from error


def _check_size(size: tuple[int, int], called: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS or max(size) > MAX_SIDE:
        raise ImageRefused(
            f"{called} has {width} by {height} pixels. Send at most "
            f"{MAX_PIXELS // 1_000_000} million, and {MAX_SIDE} on a side."
        )


def _check_parts(data: bytes, kind: str, called: str) -> None:
    if any(data.count(mark) > MAX_REPEATS for mark in _COSTLY.get(kind, ())):
        raise ImageRefused(f"{called} is made of too many parts. Save it anew and send that.")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Source: RFC 9649, sections 2.5 to 2.7."""
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack("<HBHB", body[4:10])
        return (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack("<I", body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", body[6:10])
    return width & 0x3FFF, height & 0x3FFF
