"""The process that draws charts. It starts with the first one and ends after five idle minutes.

matplotlib keeps 100 MB and holds the interpreter while it draws, so the service never imports
it. What is asked goes to the process as JSON through a pipe, and a PNG comes back.
"""

import asyncio
import os
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from loguru import logger

from app.network.pictures import SpeedPicture, UptimePicture, WanPicture

DEADLINE = 5.0  # seconds, for the whole of a chart, the wait for others included
START = 60.0  # seconds; the first start after an installation reads all fonts
IDLE = 300.0  # seconds
ATTEMPTS = 2  # a process that dies is started once more
MOST_WAITING = 64  # charts; what comes on top goes without
LARGEST_PNG = 4 * 2**20  # bytes
HEAD = struct.Struct(">I")  # how many bytes follow
READY = b"ready"

_ROOT = Path(__file__).resolve().parents[1]
# What a process needs to start. The rest of the environment holds keys that it must not have.
_KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "MPLCONFIGDIR", "XDG_CACHE_HOME")
_SET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


class Died(Exception):
    """The process ended, or said what it should not."""


@dataclass(slots=True)
class _Job:
    picture: bytes
    kind: str
    done: asyncio.Future[bytes | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Drawing:
    """Charts on demand, one at a time. Whoever cannot have one goes without: None."""

    def __init__(self, *, deadline: float = DEADLINE, idle: float = IDLE) -> None:
        self._deadline = deadline
        self._idle = idle
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(MOST_WAITING)
        self._drawer: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def pid(self) -> int | None:
        """The process that draws, None while there is none."""
        return self._process.pid if self._process else None

    async def draw(self, picture: WanPicture | UptimePicture | SpeedPicture) -> bytes | None:
        """Return the PNG of a picture, None where that takes too long or fails."""
        job = _Job(picture.model_dump_json().encode(), picture.kind)
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            logger.warning("drawing.too_many", kind=picture.kind)
            return None
        if self._drawer is None:
            self._drawer = asyncio.create_task(self._work(), name="drawing")
        try:
            async with asyncio.timeout(self._deadline):
                return await job.done
        except TimeoutError:
            logger.warning("drawing.too_slow", kind=picture.kind, deadline_s=self._deadline)
            return None

    async def aclose(self) -> None:
        """End the process. Charts that wait are not drawn."""
        if self._drawer is not None:
            self._drawer.cancel()
            with suppress(asyncio.CancelledError):
                await self._drawer
        await self._end()

    async def _work(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(self._idle):
                        job = await self._jobs.get()
                except TimeoutError:
                    await self._end()
                    if self._jobs.empty():
                        return
                    continue
                if not job.done.done():  # nobody waits for it any more
                    await self._serve(job)
        finally:
            self._drawer = None
            while not self._jobs.empty():
                self._answer(self._jobs.get_nowait(), None)

    async def _serve(self, job: _Job) -> None:
        png = None
        try:
            png = await self._attempt(job)
        finally:
            self._answer(job, png)

    async def _attempt(self, job: _Job) -> bytes | None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                process = await self._running()
                begun = time.perf_counter()
                async with asyncio.timeout(self._deadline):
                    png = await _ask(process, job.picture)
            # `Died` where it ended; OSError where it cannot be started or written to.
            except (Died, OSError, TimeoutError) as error:
                await self._end()
                logger.warning(
                    "drawing.died", kind=job.kind, attempt=attempt, error=type(error).__name__
                )
                if isinstance(error, TimeoutError):
                    return None  # it would be as slow again
                continue
            took = round(1000 * (time.perf_counter() - begun))
            if not png:
                logger.warning("drawing.failed", kind=job.kind, took_ms=took)
                return None
            logger.debug("drawing.drawn", kind=job.kind, took_ms=took, bytes=len(png))
            return png
        return None

    @staticmethod
    def _answer(job: _Job, png: bytes | None) -> None:
        if not job.done.done():
            job.done.set_result(png)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            await self._end()
            self._process = await _start()
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _start() -> asyncio.subprocess.Process:
    """Start the process and wait until it has imported what it needs.

    Raises:
        Died: it does not start.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app.network.painter",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env=kept | _SET,
        limit=LARGEST_PNG,
    )
    try:
        async with asyncio.timeout(START):
            await _greeted(process)
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return process


async def _greeted(process: asyncio.subprocess.Process) -> None:
    if await _read(process) != READY:
        raise Died


async def _ask(process: asyncio.subprocess.Process, picture: bytes) -> bytes:
    """Return the PNG; empty where this picture cannot be drawn.

    Raises:
        Died, OSError: the process is gone.
    """
    if process.stdin is None:
        raise Died
    process.stdin.write(HEAD.pack(len(picture)) + picture)
    await process.stdin.drain()
    return await _read(process)


async def _read(process: asyncio.subprocess.Process) -> bytes:
    if process.stdout is None:
        raise Died
    try:
        (size,) = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
        if size > LARGEST_PNG:
            raise Died
        return await process.stdout.readexactly(size)
    except asyncio.IncompleteReadError as error:
        raise Died from error
