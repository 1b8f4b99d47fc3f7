"""The process that draws: real processes, killed and frozen."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from app.drawing import Drawing
from app.network.pictures import WanPicture
from app.network.uptime import online_history
from app.network.wan import wan_use
from tests.bot.stage import until
from tests.network.worlds import NOW, day_of_rows, location, samples

ROOT = Path(__file__).resolve().parents[1]
LONG = 60.0  # seconds; nothing here waits so long but on a machine that is busy


def picture() -> WanPicture:
    rows = day_of_rows(rx=100.0, tx=10.0, rx_max=20.0, tx_max=2.0)
    return WanPicture(report=wan_use(location(), rows, NOW), rows=tuple(rows))


@pytest.fixture
async def drawing() -> AsyncIterator[Drawing]:
    async with Drawing(deadline=LONG) as drawing:
        yield drawing


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_no_process_is_there_before_a_chart_and_one_for_all_of_them(
    drawing: Drawing,
) -> None:
    assert drawing.pid is None

    pngs = await asyncio.gather(*(drawing.draw(picture()) for _ in range(3)))

    assert all(png and png.startswith(b"\x89PNG") for png in pngs)
    pid = drawing.pid
    assert await drawing.draw(picture()) == pngs[0]
    assert drawing.pid == pid


async def test_a_killed_process_costs_nobody_a_chart(drawing: Drawing) -> None:
    assert await drawing.draw(picture())
    killed = drawing.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    assert await drawing.draw(picture())

    assert drawing.pid not in {None, killed}


async def test_a_frozen_process_is_given_up_and_replaced(drawing: Drawing) -> None:
    assert await drawing.draw(picture())
    frozen = drawing.pid
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    drawing._deadline = 0.2

    assert await drawing.draw(picture()) is None

    await until(lambda: ended(frozen), LONG)
    drawing._deadline = LONG
    assert await drawing.draw(picture())


async def test_a_process_that_never_starts_is_no_error(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nowhere/python")

        assert await drawing.draw(picture()) is None

    assert drawing._drawer is not None  # it took the failure, and goes on
    assert await drawing.draw(picture())


async def test_a_picture_that_cannot_be_drawn_spoils_no_other(drawing: Drawing) -> None:
    # A report of another kind under the name of this one.
    odd = online_history(location(), samples(["online"]), NOW, "3h")
    spoilt = picture().model_copy(update={"report": odd})

    with pytest.warns(UserWarning, match="serializer"):
        assert await drawing.draw(spoilt) is None

    pid = drawing.pid
    assert await drawing.draw(picture())
    assert drawing.pid == pid


async def test_it_ends_when_nobody_draws_and_starts_again() -> None:
    async with Drawing(deadline=LONG, idle=0.05) as drawing:
        assert await drawing.draw(picture())
        first = cast("int", drawing.pid)
        await until(lambda: ended(first), LONG)
        assert drawing.pid is None

        assert await drawing.draw(picture())


async def test_closing_ends_it_and_whoever_waits_goes_without() -> None:
    drawing = Drawing(deadline=10 * LONG)
    assert await drawing.draw(picture())
    pid = cast("int", drawing.pid)
    os.kill(pid, signal.SIGSTOP)
    waiting = [asyncio.create_task(drawing.draw(picture())) for _ in range(3)]
    await until(lambda: drawing._jobs.qsize() == 2, LONG)

    await drawing.aclose()

    async with asyncio.timeout(LONG):  # at once, and not when their own time is up
        assert await asyncio.gather(*waiting) == [None, None, None]
    assert ended(pid)


async def test_the_wait_of_one_that_gave_up_is_not_drawn_for(drawing: Drawing) -> None:
    assert await drawing.draw(picture())
    pid = cast("int", drawing.pid)
    os.kill(pid, signal.SIGSTOP)
    first = asyncio.create_task(drawing.draw(picture()))
    second = asyncio.create_task(drawing.draw(picture()))
    await until(lambda: drawing._jobs.qsize() == 1, LONG)
    second.cancel()
    os.kill(pid, signal.SIGCONT)

    assert await first
    assert drawing.pid == pid
    assert await drawing.draw(picture())


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
async def test_it_gets_no_keys_of_the_service(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERNAL_API_KEY", "canary-in-the-environment")
    assert await drawing.draw(picture())

    environment = Path(f"/proc/{drawing.pid}/environ").read_bytes()  # noqa: ASYNC240 - no disk

    assert b"PATH=" in environment
    assert b"canary" not in environment


def test_it_does_not_outlive_its_input() -> None:
    painter = subprocess.Popen(
        [sys.executable, "-m", "app.network.painter"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    with painter:
        assert painter.stdout is not None
        assert painter.stdout.read(9) == b"\0\0\0\5ready"

        out, _ = painter.communicate(timeout=LONG)

    assert (out, painter.returncode) == (b"", 0)


def test_the_service_never_imports_matplotlib() -> None:
    code = (
        "import sys, app.main, app.drawing, app.network.check, app.network.captions\n"
        "print([name for name in ('matplotlib', 'numpy') if name in sys.modules])"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"
