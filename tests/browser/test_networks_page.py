"""A support engineer on the chat page, from signing in to Plume to the charts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.browser.chromium import MARKS
from tests.browser.test_chat_page import Eyes, seen_by
from tests.chain.stack import Chain, running
from tests.servers import serve

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    async with serve(create_plume(PlumeWorld())) as cloud:
        where = addresses(cloud)
        settings = {
            "PLUME_SSO_URL": where.sso,
            "PLUME_API_BASE": where.api,
            "PLUME_REPORTS_BASE": where.reports,
            "TELEGRAM_RATE_LIMIT": "1000",
        }
        async with running(tmp_path_factory.mktemp("networks"), **settings) as chain:
            yield chain


async def press(eyes: Eyes, label: str) -> None:
    await eyes.page.get_by_role("button", name=label, exact=True).last.click()


@pytest.mark.parametrize("view", ["phone-dark", "desk-light"])
async def test_first_use_from_start_to_the_charts(chain: Chain, view: str) -> None:
    async with seen_by(chain, view) as eyes:
        page, newest = eyes.page, eyes.newest
        await page.get_by_role("button", name="Start", exact=True).click()
        await press(eyes, "Sign in to Plume")
        await expect(newest).to_contain_text("step 1 of 2")
        await eyes.say(PARTNER.header)
        await expect(newest).to_contain_text("Step 2 of 2")
        await expect(page.get_by_text(PARTNER.header)).to_have_count(0)
        await eyes.say(PARTNER.id)
        await expect(newest).to_contain_text("Signed in")
        await eyes.shot("signed-in")

        await press(eyes, "Choose a location")
        await expect(newest).to_contain_text("Which location?")
        await eyes.say("otto chain")
        await expect(newest).to_contain_text("120 locations")
        await eyes.shot("locations")
        await eyes.say("sam streamer")
        await expect(newest).to_contain_text("is chosen")
        await press(eyes, "Status")
        await expect(newest).to_contain_text("Speed test")
        await eyes.shot("status")

        await press(eyes, "WAN report")
        await expect(newest.locator("img")).to_be_visible()
        await eyes.shot("wan")
        await press(eyes, "Online stats")
        await expect(page.locator(".message.in img")).to_have_count(2)
        await eyes.shot("stats")
        await press(eyes, "24 hours")
        await expect(page.get_by_text("• 24 hours")).to_be_visible()
        await press(eyes, "Change location")
        await eyes.say("pia palace")
        await expect(newest).to_contain_text("is chosen")
        for report, title in (
            ("check", "Likely cause"),
            ("nodes", "Gateway and pods"),
            ("devices", "Devices"),
        ):
            await eyes.say(f"/{report}")
            await expect(newest).to_contain_text(title)
            await eyes.shot(report)
        needed, room = await eyes.width()
        assert needed <= room
