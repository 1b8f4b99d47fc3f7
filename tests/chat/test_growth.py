"""The text of an answer is shown while it is written, now and then, and not after its end."""

import asyncio
import time
from itertools import pairwise

import pytest

from app.chat import growth
from app.chat.growth import Growth
from app.errors import StorageUnavailable
from tests.api.service import until


class Shown:
    """Remembers what was shown, and when; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.texts: list[str] = []
        self.at: list[float] = []
        self.failures = failures

    async def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.at.append(time.monotonic())
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look follow the one before in the next turn of the loop."""
    monkeypatch.setattr(growth, "EVERY", 0.0)


async def many_looks() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_it_is_at_most_once_a_second() -> None:
    assert growth.EVERY == 1.0


@pytest.mark.usefixtures("at_once")
async def test_what_was_said_so_far_is_shown_whole() -> None:
    shown = Shown()
    say = Growth(shown)
    say("Hel")
    await until(lambda: shown.texts)
    say("lo ")
    say("world")
    await until(lambda: len(shown.texts) == 2)
    say.end()

    assert shown.texts == ["Hel", "Hello world"]
    assert say.text == "Hello world"


async def test_pieces_come_as_they_like_and_are_shown_at_most_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growth, "EVERY", 0.05)
    shown = Shown()
    say = Growth(shown)
    while len(shown.texts) < 4:
        say("x")
        await asyncio.sleep(0)
    say.end()

    assert min(after - before for before, after in pairwise(shown.at)) >= growth.EVERY


@pytest.mark.usefixtures("at_once")
async def test_what_shows_already_is_not_shown_again() -> None:
    shown = Shown()
    say = Growth(shown)
    say("once")
    await until(lambda: shown.texts)
    await many_looks()
    say.end()

    assert shown.texts == ["once"]


@pytest.mark.usefixtures("at_once")
async def test_nothing_is_shown_before_there_is_something() -> None:
    shown = Shown()
    say = Growth(shown)
    await many_looks()
    say.end()

    assert (shown.texts, say.text) == ([], "")


@pytest.mark.usefixtures("at_once")
async def test_nothing_is_shown_after_the_end() -> None:
    shown = Shown()
    say = Growth(shown)
    say("one")
    await until(lambda: shown.texts)
    say("two")
    say.end()
    await many_looks()

    assert shown.texts == ["one"]
    assert say.text == "onetwo"


@pytest.mark.usefixtures("at_once")
async def test_a_storage_that_is_away_ends_the_show_and_not_the_answer() -> None:
    shown = Shown(failures=1)
    say = Growth(shown)
    say("one")
    await until(lambda: shown.texts)
    say("two")
    await many_looks()
    say.end()

    assert (shown.texts, say.text) == (["one"], "onetwo")


async def test_who_hears_nothing_for_long_is_told_so_once() -> None:
    shown = Shown()
    say = Growth(shown)
    say.begin("It takes long.", 0.0)
    await until(lambda: shown.texts)
    say("At last")
    await until(lambda: len(shown.texts) == 2)
    say.end()

    assert shown.texts == ["It takes long.", "At last"]


@pytest.mark.usefixtures("at_once")
async def test_who_hears_something_is_not_told_that_it_takes_long() -> None:
    shown = Shown()
    say = Growth(shown)
    say("Hello")
    say.begin("It takes long.", 0.0)
    await many_looks()
    say.end()

    assert shown.texts == ["Hello"]


@pytest.mark.parametrize("failures", [0, 1])
async def test_after_its_end_nobody_is_told_that_it_takes_long(failures: int) -> None:
    shown = Shown(failures)
    say = Growth(shown)
    say.begin("It takes long.", 0.0 if failures else 0.001)
    if failures:
        await until(lambda: shown.texts)
    say.end()
    await asyncio.sleep(0.005)

    assert len(shown.texts) == failures
