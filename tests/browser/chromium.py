"""A headless Chromium that notes whatever a page breaks, and whatever it asks of others."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request, async_playwright

CHROMIUM = shutil.which("chromium")
PICTURES = Path(os.environ.get("PICTURES", "build/pictures"))
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def opened(host: str, at: str = "/", **view: Any) -> AsyncIterator[Page]:
    """Open a page; `view` is what Playwright knows of screens: viewport, color_scheme, ….

    Errors in its console, and requests to others than `host`, fail whoever leaves.
    """
    foreign: list[str] = []
    broken: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((host, "data:", "blob:")):
            foreign.append(request.url)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = await browser.new_page(**view)
            page.on("request", note)
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.on("console", lambda said: broken.append(said.text))
            await page.goto(f"{host}{at}")
            yield page
        finally:
            await browser.close()
    assert not foreign + broken, (foreign, broken)
