"""Fetching files from Telegram: what is to be had, what is not, and that the token stays here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from loguru import logger
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from app.errors import AppError, ImageTooLarge
from app.logs import QUIET
from app.platforms import files as module
from app.platforms.files import FileUnavailable, TelegramFiles
from app.platforms.telegram import Bot
from simulator.telegram import TelegramWorld, Upload, create_telegram
from tests.servers import serve

TOKEN = "4242:simulated-and-secret"  # pragma: allowlist secret
MINA = 1001
MOST = 20 * 1024 * 1024  # bytes that Telegram gives to bots
NO_PAUSES = (0.0, 0.0)


@asynccontextmanager
async def fetching(
    base_url: str, pauses: tuple[float, ...] = NO_PAUSES, token: str = TOKEN
) -> AsyncIterator[TelegramFiles]:
    files = TelegramFiles(base_url, token, pauses)
    try:
        yield files
    finally:
        await files.close()


@pytest.fixture
def world() -> TelegramWorld:
    return TelegramWorld(token=TOKEN, pace=False)


@pytest.fixture
async def files(world: TelegramWorld) -> AsyncIterator[TelegramFiles]:
    async with serve(create_telegram(world)) as url, fetching(url) as files:
        yield files


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Return whatever any library logs, at the level of each that the service leaves on."""
    caplog.set_level(logging.DEBUG)
    for name in QUIET:
        caplog.set_level(logging.WARNING, name)
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level="TRACE", diagnose=True)
    yield lambda: "".join(lines) + caplog.text
    logger.remove(number)


def sent(world: TelegramWorld, content: bytes, name: str = "a.png") -> str:
    """Return the id of a file that a person sent."""
    kept = world.people.document(MINA, Upload(name, "image/png", content))
    return str(kept.content["document"]["file_id"])


async def failure(files: TelegramFiles, file_id: str = "any") -> AppError:
    with pytest.raises(AppError) as failed:
        await files.fetch(file_id)
    return failed.value


async def test_a_file_comes_as_it_was_sent(world: TelegramWorld, files: TelegramFiles) -> None:
    content = bytes(range(256)) * 1000

    assert await files.fetch(sent(world, content)) == content


async def test_it_learns_who_the_bot_is(files: TelegramFiles) -> None:
    assert await files.me() == Bot("4242", "arash_sim_bot")


async def test_a_file_of_20_mb_comes_and_a_larger_one_is_refused_by_telegram(
    world: TelegramWorld, files: TelegramFiles
) -> None:
    largest, larger = (sent(world, bytes(MOST + more)) for more in (0, 1))

    assert len(await files.fetch(largest)) == MOST
    assert isinstance(error := await failure(files, larger), ImageTooLarge)
    assert "20 MB" in str(error)
    assert len(world.of("getFile")) == 2


async def test_a_file_that_nobody_has_is_asked_for_once(
    world: TelegramWorld, files: TelegramFiles
) -> None:
    error = await failure(files, "AgACnothing")

    assert isinstance(error, FileUnavailable)
    assert (error.cause, error.retryable, str(error)) == (
        "http_400", True, FileUnavailable.sentence,
    )  # fmt: skip
    assert len(world.calls) == 1


async def test_a_link_that_ran_out_gives_no_file(
    world: TelegramWorld, files: TelegramFiles
) -> None:
    file_id = sent(world, b"x")
    world.fail("file", "bad:gone")

    assert (await failure(files, file_id)).cause == "http_400"


@pytest.mark.parametrize("method", ["getFile", "file"])
@pytest.mark.parametrize(
    "fault", ["too_many:0", "error:500", "error:502", "error:503", "reset_before"]
)
async def test_what_fails_for_a_moment_is_asked_again(
    world: TelegramWorld, files: TelegramFiles, method: str, fault: str
) -> None:
    file_id = sent(world, b"content")
    world.fail(method, fault, times=2)

    assert await files.fetch(file_id) == b"content"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("too_many:0", "http_429"), ("error:502", "http_502"), ("unauthorized", "http_401")],
)
async def test_what_goes_on_failing_is_given_up(
    world: TelegramWorld, files: TelegramFiles, fault: str, cause: str
) -> None:
    file_id = sent(world, b"content")
    world.fail("getFile", fault, times=9)

    error = await failure(files, file_id)

    assert isinstance(error, FileUnavailable)
    assert error.cause == cause
    assert len(world.calls) == (1 if fault == "unauthorized" else 3)


async def test_as_long_as_telegram_asks_is_waited(world: TelegramWorld) -> None:
    file_id = sent(world, b"content")
    world.fail("getFile", "too_many:1")
    async with serve(create_telegram(world)) as url, fetching(url) as files:
        await files.fetch(file_id)

    first, second = world.of("getFile")
    assert second.at - first.at >= 1.0


async def test_nobody_waits_for_minutes(world: TelegramWorld, files: TelegramFiles) -> None:
    file_id = sent(world, b"content")
    world.fail("getFile", "too_many:60")

    assert (await failure(files, file_id)).cause == "http_429"
    assert len(world.calls) == 1


async def test_a_telegram_that_never_answers_is_given_up(
    world: TelegramWorld, files: TelegramFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = sent(world, b"content")
    world.fail("getFile", "silence")
    monkeypatch.setattr(module, "DEADLINE", 0.3)

    assert (await failure(files, file_id)).cause == "timeout"


async def test_a_telegram_that_is_not_there_is_given_up() -> None:
    async with fetching("http://127.0.0.1:9") as files:
        error = await failure(files)

    assert isinstance(error, FileUnavailable)


# -- answers that Telegram never gives ------------------------------------------------------


def telegram_that(
    answer: Callable[[], Response], file: Callable[[], Response] | None = None
) -> Starlette:
    async def call(_: Request) -> Response:
        return answer()

    async def give(_: Request) -> Response:
        return (file or (lambda: Response(b"content")))()

    return Starlette(
        routes=[
            Route("/bot{token:str}/{method:str}", call, methods=["POST"]),
            Route("/file/{path:path}", give),
            Route("/{path:path}", give),
        ]
    )


def link(path: object) -> Response:
    return JSONResponse({"ok": True, "result": {"file_id": "f", "file_path": path}})


STRANGE: dict[str, Callable[[], Response]] = {
    "no JSON": lambda: Response(b"<html>"),
    "a list": lambda: JSONResponse([]),
    "no result": lambda: JSONResponse({"ok": True}),
    "a result that is none": lambda: JSONResponse({"ok": True, "result": True}),
    "no path": lambda: JSONResponse({"ok": True, "result": {}}),
    "a path that is none": lambda: link(5),
    "a path upwards": lambda: link("photos/../../x"),
    "a path from the root": lambda: link("/etc/passwd"),
    "a path with a query": lambda: link("a?b=c"),
    "a path with an escape": lambda: link("%2e%2e/x"),
    "an address": lambda: link("//127.0.0.1:9/x"),
    "deep nesting": lambda: Response(b"[" * 100_000),
    "a redirect": lambda: RedirectResponse("http://127.0.0.1:9/", 302),
    "compression": lambda: Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "a negative wait": lambda: JSONResponse({"parameters": {"retry_after": -5}}, 429),
    "a wait that is none": lambda: JSONResponse({"parameters": {"retry_after": "soon"}}, 429),
    "waits in a list": lambda: JSONResponse({"parameters": [5]}, 429),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_an_answer_that_is_none_gives_no_file(name: str) -> None:
    async with serve(telegram_that(STRANGE[name])) as url, fetching(url) as files:
        assert isinstance(await failure(files), FileUnavailable)


@pytest.mark.parametrize(
    ("give", "cause"),
    [
        (lambda: RedirectResponse("/elsewhere", 302), "http_302"),
        (lambda: Response(b"", 404), "http_404"),
        (lambda: Response(b"x", headers={"Content-Encoding": "br"}), "encoded"),
    ],
)
async def test_what_is_no_file_is_not_taken_for_one(
    give: Callable[[], Response], cause: str
) -> None:
    async with serve(telegram_that(lambda: link("a/b.jpg"), give)) as url, fetching(url) as files:
        assert (await failure(files)).cause == cause


async def test_a_file_without_an_end_is_not_read_to_it() -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield bytes(1_000_000)
            await asyncio.sleep(0)

    app = telegram_that(lambda: link("a/b.jpg"), lambda: StreamingResponse(endless()))
    async with serve(app) as url, fetching(url) as files:
        async with asyncio.timeout(10):
            error = await failure(files)

    assert isinstance(error, ImageTooLarge)
    assert 20 < given < 60


async def test_the_token_is_told_to_nobody(
    world: TelegramWorld, written: Callable[[], str]
) -> None:
    errors: list[BaseException] = []
    async with serve(create_telegram(world)) as url:
        async with fetching(url) as files:
            for fault in ("error:502", "unauthorized", "reset_before", "bad:strange"):
                world.fail("*", fault, times=3)
                errors.append(await failure(files))
                world.faults.clear()
            await files.fetch(sent(world, b"x"))
        async with fetching("http://127.0.0.1:9") as files:
            errors.append(await failure(files))

    told = "".join(f"{error} {error!r} {vars(error)}" for error in errors) + written()
    assert "telegram.refused" in told
    assert TOKEN not in told
    assert TOKEN.partition(":")[2] not in told
