"""First use, as a support engineer does it: through the page, the bot and the service."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.chain.stack import Chain, Json, running
from tests.servers import serve

pytestmark = pytest.mark.asyncio(loop_scope="package")

REPORTS = {
    "WAN report": "Internet use",
    "Online stats": "Online history",
    "Node details": "Pods",
    "WiFi networks": "WiFi networks",
    "Change location": "Which location?",
}

CHARTS = {"WAN report", "Online stats"}  # words, and a picture below


@pytest_asyncio.fixture(loop_scope="package")
async def plume() -> PlumeWorld:
    return PlumeWorld()


@pytest_asyncio.fixture(loop_scope="package")
async def chain(plume: PlumeWorld, tmp_path: Path) -> AsyncIterator[Chain]:
    """A chain of its own, as both of its processes are restarted again and again."""
    async with serve(create_plume(plume)) as cloud:
        where = addresses(cloud)
        settings = {
            "PLUME_SSO_URL": where.sso,
            "PLUME_API_BASE": where.api,
            "PLUME_REPORTS_BASE": where.reports,
        }
        async with running(tmp_path, **settings) as chain:
            yield chain


async def restart(chain: Chain) -> None:
    ended = await asyncio.gather(chain.bot.stop(), chain.service.stop())
    assert list(ended) == [0, 0]
    await asyncio.gather(chain.bot.start(), chain.service.start())
    await chain.service.ready()


def shown(message: Json) -> str:
    return str(message.get("text") or message.get("caption") or "")


async def test_first_use_with_a_restart_between_any_two_steps(
    chain: Chain,
) -> None:
    engineer = await chain.join("Uma")

    hello = await engineer.ask("/start")
    await restart(chain)
    since = (await engineer.messages())[-1]
    await engineer.press(hello, "Sign in to Plume")
    first = await engineer.answer(since)
    await restart(chain)
    secret = await engineer.say(PARTNER.header)
    second = await engineer.answer(secret)
    await restart(chain)
    done = await engineer.ask(PARTNER.id)
    await restart(chain)
    await engineer.press(done, "Choose a location")
    asked = await engineer.answer(done)
    await restart(chain)
    chosen = await engineer.ask("ben broken")
    await restart(chain)
    await engineer.press(chosen, "Status")
    status = await engineer.answer(chosen)
    await restart(chain)

    assert "step 1 of 2" in shown(first)
    assert "Step 2 of 2" in shown(second)
    assert "Signed in" in shown(done)
    assert "Which location?" in shown(asked)
    assert "Home of Ben Broken is chosen" in shown(chosen)
    assert shown(status).startswith("🟠 Online, but a part is down")
    for label, title in REPORTS.items():
        last = (await engineer.messages())[-1]
        await engineer.press(status, label)
        heard = await engineer.answers(last, count=2 if label in CHARTS else 1)
        assert title in shown(heard[0]), label
        assert all("photo" in message for message in heard[1:])
    standing = [shown(message) for message in await engineer.messages()]
    assert not any(PARTNER.header in text for text in standing)
    assert PARTNER.id not in chain.service.log
    assert chain.openrouter.chats() == []
