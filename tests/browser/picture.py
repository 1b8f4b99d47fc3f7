"""`make picture`: docs/pictures/chat.png, from the real service and bot on the chat page."""

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Page, expect

from simulator.plume import PARTNER, PlumeWorld, addresses, create_plume
from tests.browser.chromium import opened
from tests.browser.test_chat_page import PHONE
from tests.chain.stack import Chain, running
from tests.servers import serve

PICTURE: Final = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "chat.png"
VIEW: Final = PHONE | {
    "device_scale_factor": 1.5,
    "viewport": {"width": 390, "height": 1000},
    "color_scheme": "light",
}
GAP: Final = 32  # pixels between the two screens
COLOURS: Final = 256  # the file is a third of its size then


async def main() -> None:
    async with serve(create_plume(PlumeWorld())) as cloud:
        where = addresses(cloud)
        plume = {
            "PLUME_SSO_URL": where.sso,
            "PLUME_API_BASE": where.api,
            "PLUME_REPORTS_BASE": where.reports,
        }
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder), **plume) as chain:
                first, second = await screens(chain)
    both = Image.new("RGB", (first.width + GAP + second.width, first.height), "white")
    both.paste(first, (0, 0))
    both.paste(second, (first.width + GAP, 0))
    PICTURE.parent.mkdir(exist_ok=True)
    # This method keeps the rare colours too: red and yellow are what a report is read by.
    few = both.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)


async def screens(chain: Chain) -> tuple[Image.Image, Image.Image]:
    """Sign somebody in and ask; return the page with two reports and with a chart."""
    nora = await chain.join("Nora", last_name="Lind", language_code="en")
    for said in ("/setup", PARTNER.header, PARTNER.id, "/locations ben broken", "hello"):
        await nora.ask(said)
    async with opened(chain.url, f"/#{nora.id}/{nora.id}", **VIEW) as page:
        await nora.ask("What is 24 * 42?")
        await nora.ask("/check")
        first = await _shot(page)
        await nora.answers(await nora.say("/stats"), 2)
        await expect(page.locator(".message.in img").last).to_be_visible()
        return first, await _shot(page)


async def _shot(page: Page) -> Image.Image:
    await page.locator("#scroll").evaluate("(it) => it.scrollTo(0, it.scrollHeight)")
    return Image.open(io.BytesIO(await page.screenshot(animations="disabled"))).convert("RGB")


if __name__ == "__main__":
    asyncio.run(main())
