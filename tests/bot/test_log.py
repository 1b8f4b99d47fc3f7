import asyncio
import io
import logging
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger

from panoptes_bot import log
from tests.bot.stage import Stage, final, running

TOKEN = "123456789:AAF-planted_4711_token_of_a_bot_abc"  # pragma: allowlist secret


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure(level="DEBUG", file=None, secrets=[TOKEN], stream=stream)
    yield stream
    logger.remove()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_an_event_and_its_facts(said: io.StringIO) -> None:
    logger.info("menu.set", commands=3)

    assert said.getvalue().endswith("INFO     menu.set commands=3\n")


def fail() -> None:
    raise ValueError(f"GET https://api.telegram.org/bot{TOKEN}/getMe")


def traceback() -> None:
    try:
        fail()
    except ValueError:
        logger.exception("failed")


WAYS: list[Callable[[], None]] = [
    lambda: logger.info(f"url.{TOKEN}"),
    lambda: logger.info("url", value=f"https://x/bot{TOKEN}/y"),
    lambda: logger.info("url", value=f"bot{TOKEN.replace(':', '%3A')}"),
    lambda: logging.getLogger("somebody").error("GET /bot%s/getMe", TOKEN),
    lambda: warnings.warn(TOKEN, stacklevel=2),
    traceback,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_reaches_no_line(said: io.StringIO, way: Callable[[], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        way()

    assert log.MARKER in said.getvalue()
    assert "planted" not in said.getvalue()


def test_a_line_break_in_what_others_wrote_makes_no_line(said: io.StringIO) -> None:
    logger.info("event", value="x\n2026 CRITICAL forged\x1b[2J")
    logging.getLogger("somebody").error("a\nb {x}")

    assert said.getvalue().count("\n") == 2
    assert "\x1b" not in said.getvalue()


def test_a_traceback_shows_no_values(said: io.StringIO) -> None:
    traceback()

    assert "ValueError" in said.getvalue()
    assert len(said.getvalue().splitlines()) > 3


@pytest.mark.parametrize(
    ("name", "level"),
    [("httpx", logging.INFO), ("httpcore.http11", logging.DEBUG), ("telegram.request", 40)],
)
def test_libraries_that_tell_of_urls_and_bodies_are_quiet(
    said: io.StringIO, name: str, level: int
) -> None:
    logging.getLogger(name).log(level, "HTTP Request: POST")

    assert said.getvalue() == ""


def test_the_file_is_for_its_owner_and_holds_the_same(tmp_path: Path, said: io.StringIO) -> None:
    file = tmp_path / "logs" / "bot.log"
    log.configure(level="INFO", file=file, secrets=[TOKEN], stream=said)

    logger.info("event", url=f"bot{TOKEN}")

    assert file.read_text() == said.getvalue()
    assert log.MARKER in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_full_disk_or_a_closed_terminal_ends_nobody(
    said: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(level="INFO", file=Path("/dev/full"), secrets=[], stream=said)

    logger.info("one")
    said.close()
    logger.info("two")

    assert capsys.readouterr().err == ""


async def test_a_whole_delivery_leaves_no_word_of_a_person_in_the_log(
    on_stage: Stage, said: io.StringIO
) -> None:
    on_stage.world.fail("editMessageText", "entities")
    on_stage.world.people.say(1001, "my secret question")
    async with running(on_stage.deliverer()), running(on_stage.receiver()):
        on_stage.service.deliver(final("**the secret answer**"))
        await on_stage.service.until("sent")
        await on_stage.service.until_updates(2)
        await asyncio.sleep(0)

    assert "edit.rejected" in said.getvalue()
    assert "secret" not in said.getvalue()
    assert on_stage.world.token not in said.getvalue()
