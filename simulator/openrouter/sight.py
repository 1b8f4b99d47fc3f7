"""What the demo model sees in a picture: its size and its colours."""

import base64
import io
from collections import Counter
from collections.abc import Sequence

from PIL import Image

_COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128),
    "red": (220, 30, 30), "orange": (250, 150, 30), "yellow": (250, 230, 40),
    "green": (40, 160, 60), "cyan": (60, 200, 210), "blue": (40, 80, 210),
    "purple": (130, 50, 170), "pink": (240, 150, 190), "brown": (120, 80, 40),
}  # fmt: skip
_SAMPLE = (16, 16)
_NAMED = 3
# A colour that fills less of the picture is not worth a word.
_SMALLEST_SHARE = 0.05


def describe(urls: Sequence[str]) -> str:
    """Describe pictures given as data URLs that can be opened."""
    told = [_describe(url) for url in urls]
    if len(told) == 1:
        return f"I see {told[0]}."
    return "\n".join(f"{number}. {text}" for number, text in enumerate(told, 1))


def _describe(url: str) -> str:
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        size = f"{picture.width} x {picture.height} pixels"
        kind = picture.format or "picture"
        raw = picture.convert("RGB").resize(_SAMPLE).tobytes()
    counts = Counter(_name((raw[at], raw[at + 1], raw[at + 2])) for at in range(0, len(raw), 3))
    total = sum(counts.values())
    colours = [name for name, n in counts.most_common(_NAMED) if n >= total * _SMALLEST_SHARE] or [
        counts.most_common(1)[0][0]
    ]
    return f"a {kind} of {size}, mostly {' and '.join(colours)}"


def _name(pixel: tuple[int, int, int]) -> str:
    return min(
        _COLOURS,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], pixel, strict=True)),
    )
