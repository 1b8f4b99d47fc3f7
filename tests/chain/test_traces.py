"""The searches that close every run find what they look for."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from simulator.openrouter.world import Recorded
from simulator.telegram import TelegramWorld
from tests.chain.stack import Chain
from tests.chain.traces import WORDS, leaks, strays

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def copy(chain: Chain, tmp_path: Path) -> Chain:
    """The chain as if it had ended, with nothing said yet."""
    (tmp_path / "run_service.log").write_text("service.started\n")
    (tmp_path / "soak.db").write_bytes(b"SQLite")
    (tmp_path / "encryption.key").write_text(chain.canaries[0])
    world = TelegramWorld(token=chain.telegram.token)
    world.people.say(1001, "hello")
    models = dataclasses.replace(chain.openrouter, requests=[])
    return dataclasses.replace(chain, folder=tmp_path, telegram=world, openrouter=models)


async def test_nothing_is_found_where_nothing_is(copy: Chain) -> None:
    assert (leaks(copy), strays(copy)) == ([], [])


@pytest.mark.parametrize("number", range(5))
async def test_a_secret_is_found_wherever_it_is(copy: Chain, number: int) -> None:
    secret = copy.canaries[number]
    (copy.folder / "run_service.log").write_text(f"url=https://x/bot{secret}/getMe")
    (copy.folder / "soak.db-wal").write_bytes(b"\0\1" + secret.encode() + b"\xff")
    copy.telegram.people.say(1001, f"your key is {secret}")
    body = {"messages": [{"content": secret}]}
    copy.openrouter.requests.append(Recorded("POST", "/", {}, body, 0.0))

    places = {it.split(":")[0] for it in leaks(copy)}
    assert places == {"run_service.log", "soak.db-wal", "a chat", "the model"}


async def test_what_people_said_is_found_in_files_alone(copy: Chain) -> None:
    copy.telegram.people.say(1001, WORDS)
    (copy.folder / "soak.db").write_bytes(WORDS.encode())

    assert leaks(copy) == ["soak.db: words"]


@pytest.mark.parametrize(
    "left",
    [
        {"text": "…"},
        {
            "text": "half an",
            "reply_markup": {"inline_keyboard": [[{"text": "Stop", "callback_data": "/stop"}]]},
        },
    ],
)
async def test_a_message_that_nobody_finishes_is_found(copy: Chain, left: dict[str, Any]) -> None:
    markup = left.pop("reply_markup", None)
    world = copy.telegram
    world.keep(world.chats[1001], world.bot_id, left, markup=markup)

    assert len(strays(copy)) == 1
