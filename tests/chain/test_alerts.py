"""Two administrators, the real bot, and a provider that refuses the key for a while."""

import asyncio
from pathlib import Path

from simulator.openrouter.world import KEY
from simulator.telegram import TelegramWorld
from tests.chain.stack import Person, running

MINA, JONAS = 1001, 1002
OFF = "AI answers are off: the provider refuses our key."
OVER = "Over: the provider takes our key again"


async def told(person: Person) -> list[str]:
    """Return the alerts in the private chat of somebody."""
    shown = [str(it.get("text", "")) for it in await person.messages()]
    return [text for text in shown if text.startswith((OFF, OVER))]


async def test_every_administrator_is_told_once_and_when_it_is_over(tmp_path: Path) -> None:
    admins = f"{MINA},{JONAS}"
    async with running(tmp_path, TELEGRAM_ADMIN_USERS=admins) as chain:
        mina, jonas = (Person(chain.http, number) for number in (MINA, JONAS))
        # Before that nobody can be written to.
        await asyncio.gather(mina.ask("/start"), jonas.ask("/start"))
        keys = set(chain.openrouter.keys)

        chain.openrouter.keys = {KEY}
        for text in ("one", "two"):
            await mina.ask(text)
        await chain.until(lambda: _sent(chain.telegram, OFF) >= 2)
        during = [await told(mina), await told(jonas)]

        chain.openrouter.keys = keys
        await mina.ask("three")
        await chain.until(lambda: _sent(chain.telegram, OVER) >= 2)
        after = [await told(mina), await told(jonas)]

    assert [len(each) for each in during] == [1, 1]
    assert [[text.startswith(OVER) for text in each] for each in after] == [[False, True]] * 2


def _sent(world: TelegramWorld, words: str) -> int:
    texts = [
        str(it.content.get("text", ""))
        for chat in world.chats.values()
        for it in chat.messages.values()
    ]
    return sum(text.startswith(words) for text in texts)
