import asyncio
import base64
import io
import os
import random
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from app import images
from app.errors import ImageRefused, ImageTooLarge, ImageUnsupported
from app.images import AT_ONCE, LONG_SIDE, MAX_REPEATS, Images, Upload, read_image, shrink
from app.llm.base import Picture

MBYTE = 2**20
RED, BLUE, WHITE = (220, 30, 30), (30, 30, 220), (255, 255, 255)
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


@pytest.fixture
def threads() -> Iterator[Images]:
    with Images() as threads:
        yield threads


def encode(picture: Image.Image, name: str, **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, **how)
    return out.getvalue()


def halves(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Draw a picture that is red on its left and blue on its right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    return picture


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def seen(picture: Picture) -> Image.Image:
    assert picture.media_type == "image/jpeg"
    decoded = Image.open(io.BytesIO(picture.data))
    decoded.load()
    assert (decoded.format, decoded.mode) == ("JPEG", "RGB")
    return decoded


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, ...]) -> bool:
    found = picture.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 12 for a, b in zip(found, colour, strict=True))


@cache
def sample(name: str) -> bytes:
    return encode(halves(), name)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds next to nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 0) + b"IEND" + b"\xaeB`\x82"


# --- base64, type and size as declared


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "declared", [None, "", "application/octet-stream", "{}", "{}; q=1", " {} "]
)
def test_a_picture_of_its_declared_type_and_size_is_read(name: str, declared: str | None) -> None:
    data = sample(name)
    kind = declared and declared.format(FORMATS[name])

    assert read_image(b64(data), declared_type=kind, declared_size=len(data)) == data


@pytest.mark.parametrize("named", ["image/jpg", "IMAGE/JPEG", "image/pjpeg"])
def test_the_other_names_of_jpeg_are_known(named: str) -> None:
    assert read_image(b64(sample("JPEG")), declared_type=named) == sample("JPEG")


@pytest.mark.parametrize(
    "text",
    [
        "A===",
        "éééé",
        "١٢٣٤",
        "QQ",
        "QQ=",
        "QQ==QQ==",
        "=QQ=",
        "QUJD\nQUJD",
        " QUJD",
        "QU-_",
        "QUJ\x00",
        "\ud800",
        "https://pictures.example/a.png",
    ],
)
def test_what_is_not_strict_base64_is_refused(text: str) -> None:
    with pytest.raises(ImageRefused, match="is not base64") as refusal:
        read_image(text)

    assert refusal.value.status == 422


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:image/png;base64,", "\n data:,"])
def test_a_data_url_is_refused_with_the_reason(head: str) -> None:
    with pytest.raises(ImageRefused, match="data: URL"):
        read_image(head + b64(sample("PNG")))


@pytest.mark.parametrize("data", ["", b""])
def test_nothing_is_no_picture(data: str | bytes) -> None:
    with pytest.raises(ImageRefused, match="empty"):
        read_image(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7\n",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"\0\0\0\x1cftypavif\0\0\0\0",
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"PK\x03\x04",
        b"GIF88a" + bytes(20),
        b"x",
        encode(halves(), "BMP"),
        encode(halves(), "TIFF"),
    ],
)
def test_other_kinds_are_refused_by_their_bytes_whatever_is_declared(data: bytes) -> None:
    with pytest.raises(ImageUnsupported, match="JPEG, PNG, WebP or GIF") as refusal:
        read_image(b64(data), declared_type="image/png")

    assert (refusal.value.status, refusal.value.code) == (415, "image_unsupported")


@pytest.mark.parametrize("declared", ["image/jpeg", "image/svg+xml", "text/plain", "png"])
def test_a_type_that_the_bytes_contradict_is_refused(declared: str) -> None:
    with pytest.raises(ImageRefused, match="it is image/png") as refusal:
        read_image(b64(sample("PNG")), declared_type=declared)

    assert (refusal.value.status, refusal.value.code) == (422, "image_invalid")


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_size_that_the_bytes_contradict_is_refused(difference: int) -> None:
    with pytest.raises(ImageRefused, match="file_size"):
        read_image(sample("PNG"), declared_size=len(sample("PNG")) + difference)


@pytest.mark.parametrize("length", range(100, 104))
def test_the_cap_is_exact_and_needs_no_decoding(length: int) -> None:
    text = b64(b"\x89PNG\r\n\x1a\n" + bytes(length - 8))

    assert len(read_image(text, max_bytes=length)) == length
    with pytest.raises(ImageTooLarge):
        read_image("?" * len(text.rstrip("=")) + "=" * text.count("="), max_bytes=length - 1)


async def test_pictures_that_are_too_large_together_are_refused_with_the_limit(
    threads: Images,
) -> None:
    half = b"\x89PNG\r\n\x1a\n" + bytes(MBYTE)

    with pytest.raises(ImageTooLarge, match=r"^The pictures together are larger than 2 MB") as two:
        await threads.prepare([Upload(half), Upload(b64(half))], max_total_bytes=2 * MBYTE)
    with pytest.raises(ImageTooLarge, match=r"^The picture is larger than 1 MB"):
        await threads.prepare([Upload(half)], max_total_bytes=MBYTE)

    assert (two.value.status, two.value.code) == (413, "image_too_large")


async def test_the_sentence_says_which_picture_is_meant(threads: Images) -> None:
    good, bad = Upload(sample("PNG")), Upload(b"%PDF-1.7")

    with pytest.raises(ImageUnsupported, match=r"^The third picture is of a kind"):
        await threads.prepare([good, good, bad], max_total_bytes=MBYTE)
    with pytest.raises(ImageRefused, match=r"^The second picture is damaged"):
        await threads.prepare([good, Upload(sample("JPEG")[:99])], max_total_bytes=MBYTE)


# --- what comes out


@pytest.mark.parametrize("name", FORMATS)
async def test_a_picture_becomes_a_jpeg(threads: Images, name: str) -> None:
    uploads = [Upload(b64(sample(name)), FORMATS[name], len(sample(name))), Upload(sample(name))]

    first, second = await threads.prepare(uploads, max_total_bytes=MBYTE)

    assert first == second
    assert seen(first).size == (64, 32)
    assert near(seen(first), (8, 16), RED)
    assert near(seen(first), (56, 16), BLUE)


async def test_no_picture_is_no_picture(threads: Images) -> None:
    assert await threads.prepare([], max_total_bytes=0) == ()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((3200, 800), (1568, 392)),
        ((1000, 2000), (784, 1568)),
        ((1568, 9), (1568, 9)),
        ((9, 2), (9, 2)),
        ((1, 9000), (1, 1568)),
    ],
)
def test_the_long_side_is_brought_to_its_limit(
    name: str, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert seen(shrink(encode(Image.new("RGB", size, RED), name))).size == shown


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_transparent_parts_become_white_and_do_not_bleed(name: str) -> None:
    picture = Image.new("RGBA", (3200, 100), (0, 0, 0, 0))
    picture.paste((*RED, 255), (0, 0, 1600, 100))

    flat = seen(shrink(encode(picture, name)))

    assert near(flat, (8, 8), RED)
    assert near(flat, (1560, 8), WHITE)
    # Hidden black would leave a dark seam here.
    darkest, _ = flat.getchannel("R").getextrema()
    assert isinstance(darkest, int)
    assert darkest > 180


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    palette = halves().quantize(2)
    red = palette.getpixel((1, 1))

    for name in ("PNG", "GIF"):
        flat = seen(shrink(encode(palette, name, transparency=red)))
        assert near(flat, (8, 16), WHITE)
        assert near(flat, (56, 16), BLUE)


def test_a_transparent_colour_of_a_png_becomes_white() -> None:
    flat = seen(shrink(encode(halves(), "PNG", transparency=RED)))

    assert near(flat, (8, 16), WHITE)
    assert near(flat, (56, 16), BLUE)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P"])
def test_grey_and_palette_pictures_keep_their_shades(mode: str) -> None:
    ramp = Image.new("L", (64, 32), 255)
    ramp.paste(0, (0, 0, 32, 32))

    flat = seen(shrink(encode(ramp.convert(mode), "PNG")))

    assert near(flat, (8, 16), (0, 0, 0))
    assert near(flat, (56, 16), WHITE)


@pytest.mark.parametrize("size", [(4, 4), (2000, 4)])
def test_sixteen_bits_are_scaled_and_not_clipped(size: tuple[int, int]) -> None:
    for value, shown in ((0, 0), (65535, 255), (32896, 128)):
        for how in ({}, {"transparency": 7}):
            flat = seen(shrink(encode(Image.new("I;16", size, value), "PNG", **how)))
            assert near(flat, (1, 1), (shown, shown, shown))


@pytest.mark.parametrize("mode", ["1", "P"])
def test_fine_patterns_of_few_colours_are_averaged(mode: str) -> None:
    stripes = Image.new("L", (2 * LONG_SIDE, 2))
    for x in range(0, stripes.width, 2):
        stripes.paste(255, (x, 0, x + 1, 2))

    flat = seen(shrink(encode(stripes.convert(mode), "PNG")))

    assert near(flat, (LONG_SIDE // 2, 0), (128, 128, 128))


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    assert near(seen(shrink(encode(halves().convert("CMYK"), "JPEG"))), (8, 16), RED)


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_shown(name: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (BLUE, WHITE)]
    data = encode(frames[0], name, save_all=True, append_images=[Image.new("RGB", (32, 32), RED)])

    assert near(seen(shrink(data)), (16, 16), BLUE)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "red", "blue"),
    [
        (1, "left", "right"),
        (2, "right", "left"),
        (3, "right", "left"),
        (4, "left", "right"),
        (5, "top", "bottom"),
        (6, "top", "bottom"),
        (7, "bottom", "top"),
        (8, "bottom", "top"),
    ],
)
def test_a_picture_is_turned_upright(name: str, orientation: int, red: str, blue: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    size = (64, 32)

    upright = seen(shrink(encode(halves(size), name, exif=exif)))

    width, height = upright.size
    assert upright.size == (size if orientation < 5 else size[::-1])
    places = {
        "left": (4, height // 2),
        "right": (width - 4, height // 2),
        "top": (width // 2, 4),
        "bottom": (width // 2, height - 4),
    }
    assert near(upright, places[red], RED)
    assert near(upright, places[blue], BLUE)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"MM\0*\0\0\0\x08\xff\xff\1\x12\0\x03", b"not what it should be"])
def test_broken_metadata_does_not_cost_the_picture(name: str, exif: bytes) -> None:
    data = encode(halves(), name, exif=b"Exif\0\0" + exif)

    assert near(seen(shrink(data)), (8, 16), RED)


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_file_tells_about_its_sender_stays_behind(name: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "CANARY-maker"
    exif.get_ifd(0x8825)[0x001D] = "CANARY-gps"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    how: dict[str, object] = {
        "JPEG": {"exif": exif, "comment": b"CANARY", "xmp": b"CANARY", "icc_profile": profile},
        "PNG": {"exif": exif, "icc_profile": profile},
        "GIF": {"comment": b"CANARY"},
        "WEBP": {"exif": exif, "xmp": b"CANARY", "icc_profile": profile},
    }
    told = how[name]
    assert isinstance(told, dict)
    data = encode(halves(), name, **told)
    assert b"CANARY" in data

    shown = shrink(data)

    assert b"CANARY" not in shown.data
    assert b"Exif" not in shown.data
    assert not {"exif", "xmp", "comment", "icc_profile"} & set(seen(shown).info)


def test_the_worst_picture_fits_into_what_providers_take() -> None:
    noise = Image.frombytes(
        "RGB", (LONG_SIDE, LONG_SIDE), random.Random(1).randbytes(LONG_SIDE**2 * 3)
    )

    assert len(shrink(encode(noise, "PNG", compress_level=1)).data) < 3_500_000


# --- hostile files


@pytest.mark.parametrize(
    ("width", "height"),
    [(9000, 9000), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (16_385, 1), (1, 16_385)],
)
def test_too_many_pixels_are_refused_by_the_header(width: int, height: int) -> None:
    with pytest.raises(ImageRefused, match=f"{width} by {height} pixels. Send at most 20 million"):
        shrink(png_header(width, height))


def webp(chunk: bytes, body: bytes) -> bytes:
    inner = b"WEBP" + chunk + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


@pytest.mark.parametrize(
    "data",
    [
        webp(b"VP8X", bytes(4) + b"\x27\x23\0" * 2),
        webp(b"VP8L", b"\x2f" + struct.pack("<I", 8999 | 8999 << 14)),
        webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 9000, 9000)),
        # The two bits above a measure say how to scale it.
        webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 9000 | 3 << 14, 9001 | 1 << 14)),
        webp(
            b"VP8X", bytes(4) + (90_000 - 1).to_bytes(3, "little") + (91_111).to_bytes(3, "little")
        ),
    ],
    ids=["extended", "lossless", "lossy", "scaled", "wide"],
)
def test_a_webp_is_measured_before_it_is_opened(data: bytes) -> None:
    with pytest.raises(ImageRefused, match=r"has 9\d{3,4} by 9\d{3,4} pixels"):
        shrink(data)


@pytest.mark.parametrize("how", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_the_measure_of_a_webp_is_its_size(how: dict[str, object]) -> None:
    data = encode(halves((300, 17)), "WEBP", **how)

    assert images._webp_size(data) == (300, 17)


@pytest.mark.parametrize(("name", "how"), [("GIF", {}), ("JPEG", {"quality": 1})])
def test_the_other_kinds_are_measured_too(name: str, how: dict[str, object]) -> None:
    data = encode(Image.new("L", (5000, 4001)), name, **how)

    with pytest.raises(ImageRefused, match="5000 by 4001 pixels"):
        shrink(data)


# `ru_maxrss` would begin at the peak of the process that started this one.
MEMORY = """
import re, sys
from pathlib import Path
from app import decoding
from app.errors import ImageRefused
from app.images import shrink
status = Path("/proc/self/status")
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) // 1024
data = sys.stdin.buffer.read()
before = peak()
try:
    shrink(data)
except ImageRefused:
    pass
print(peak() - before)
"""


def memory_of(data: bytes) -> int:
    """Return how many megabytes a fresh process grows by."""
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        input=data,
        capture_output=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    return int(done.stdout)


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@on_linux
def test_a_bomb_of_81_million_pixels_costs_no_memory() -> None:
    bomb = encode(Image.new("L", (9000, 9000)), "PNG")
    assert len(bomb) < MBYTE // 4

    assert memory_of(bomb) < 5


@on_linux
@pytest.mark.parametrize(
    ("name", "mode", "how", "mbytes"),
    [
        ("PNG", "RGBA", {}, 200),
        ("PNG", "RGB", {"transparency": (0, 0, 0)}, 200),
        ("GIF", "P", {"transparency": 0}, 200),
        ("WEBP", "RGB", {}, 330),
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}, 160),
        # In full it would be 80 megabytes.
        ("JPEG", "RGB", {}, 60),
    ],
)
def test_the_memory_of_the_largest_picture_is_bounded(
    name: str, mode: str, how: dict[str, object], mbytes: int
) -> None:
    assert memory_of(encode(Image.new(mode, (5000, 4000)), name, **how)) < mbytes


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_picture_is_refused(name: str) -> None:
    data = encode(Image.effect_noise((64, 64), 50).convert("RGB"), name)

    for kept in (12, 30, 60, len(data) // 2, len(data) - 200):
        with pytest.raises(ImageRefused, match="damaged"):
            shrink(data[:kept])


def test_a_jpeg_of_endless_scans_is_refused_before_it_is_decoded() -> None:
    plain = encode(halves((4000, 4000)), "JPEG", progressive=True)
    scan = plain[plain.rindex(b"\xff\xda") : -2]
    data = plain[:-2] + scan * MAX_REPEATS * 10 + plain[-2:]
    began = time.process_time()

    with pytest.raises(ImageRefused, match="too many parts"):
        shrink(data)

    assert time.process_time() - began < 1


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.randoms(use_true_random=False), st.integers(1, 12))
def test_a_damaged_file_gives_a_picture_or_a_refusal(
    name: str, dice: random.Random, hits: int
) -> None:
    data = bytearray(sample(name))
    for _ in range(hits):
        at = dice.randrange(len(data))
        data[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(4))

    try:
        picture = shrink(read_image(bytes(data)))
    except ImageRefused:
        return
    assert max(seen(picture).size) <= LONG_SIDE


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 "]),
    st.binary(max_size=400),
)
def test_any_bytes_behind_a_good_beginning_give_a_picture_or_a_refusal(
    head: bytes, rest: bytes
) -> None:
    try:
        picture = shrink(head + rest)
    except ImageRefused:
        return
    assert max(seen(picture).size) <= LONG_SIDE


@settings(max_examples=200)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_data_is_read_or_refused(data: str | bytes) -> None:
    try:
        raw = read_image(data, max_bytes=50)
    except ImageRefused:
        return
    assert images.media_type(raw)


# --- threads


async def test_no_more_than_two_pictures_are_decoded_at_once(
    threads: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, lock, running, most = threading.Event(), threading.Lock(), 0, 0

    def slow(data: bytes, called: str) -> Picture:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if running == AT_ONCE:
            gate.set()
        gate.wait(5)
        time.sleep(0.01)
        with lock:
            running -= 1
        return Picture(called, data)

    monkeypatch.setattr(images, "shrink", slow)
    upload = Upload(sample("PNG"))

    await asyncio.gather(*(threads.prepare([upload], max_total_bytes=MBYTE) for _ in range(6)))

    assert most == AT_ONCE


async def test_the_loop_goes_on_while_a_picture_is_decoded(threads: Images) -> None:
    data = encode(Image.effect_noise((3000, 2000), 50), "PNG", compress_level=1)
    work = asyncio.create_task(threads.prepare([Upload(data)], max_total_bytes=20 * MBYTE))
    turns = 0

    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1

    assert turns > 5
    assert len(await work) == 1


def test_pillow_is_not_imported_before_the_first_picture() -> None:
    root = Path(__file__).parent.parent
    ask = "import sys, app.images; app.images.Images().close(); sys.exit('PIL' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", ask], check=False, cwd=root)

    assert done.returncode == 0
