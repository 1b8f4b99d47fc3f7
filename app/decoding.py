"""The part of `app.images` that needs Pillow, which is imported with the first picture."""

import io
from collections.abc import Callable
from contextlib import suppress

from PIL import GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.Image import Image, Resampling, Transpose, new
from PIL.ImageFile import ImageFile

QUALITY = 85

# One by one, because Image.open imports and tries every format it knows.
_OPENERS: dict[str, Callable[[io.BytesIO], ImageFile]] = {
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
_ORIENTATION = 0x0112
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_WHITE = (255, 255, 255)


def jpeg(
    data: bytes, media_type: str, *, long_side: int, check: Callable[[tuple[int, int]], None]
) -> bytes:
    """Decode the first frame and encode it anew, upright, on white, without metadata.

    `check` gets width and height before a pixel is decoded. Hostile bytes raise anything.
    """
    with _OPENERS[media_type](io.BytesIO(data)) as file:
        check(file.size)
        # A JPEG is then decoded at a half or a quarter, with a fraction of the memory.
        file.draft(None, (long_side, long_side))
        file.load()
        turn = None
        with suppress(Exception):  # broken metadata is no reason to refuse a good picture
            turn = _TURNS.get(file.getexif().get(_ORIENTATION, 1))
        picture = _flat(_small(file, long_side))
        if turn is not None:
            picture = picture.transpose(turn)
        # The encoder would copy a comment of the original.
        picture.info.clear()
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=QUALITY)
        return out.getvalue()


def _small(picture: Image, long_side: int) -> Image:
    # Palettes and bits cannot be averaged, and colour that is transparent must not bleed.
    if not picture.mode.startswith("I"):
        wanted = picture.mode
        if picture.has_transparency_data:
            wanted = "RGBA"
        elif picture.mode in {"1", "P"}:
            wanted = "RGB"
        if wanted != picture.mode:
            original, picture = picture, picture.convert(wanted)
            original.close()  # 80 MB, of a large one
    picture.thumbnail((long_side, long_side), Resampling.LANCZOS, reducing_gap=3.0)
    return picture


def _flat(picture: Image) -> Image:
    if picture.mode.startswith("I"):
        # convert("L") would clip 16 bits instead of scaling them.
        picture = picture.convert("I").point(lambda value: value * (1 / 257))
        return picture.convert("L").convert("RGB")
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    ground = new("RGB", picture.size, _WHITE)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground
