"""The API pages, as a newcomer uses them."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Request, async_playwright, expect

from tests.api.conftest import place, service, world
from tests.api.service import INTERNAL, Service
from tests.browser.chromium import CHROMIUM, FLAGS, MARKS, PICTURES

__all__ = ["place", "service", "world"]


def _left(asked: list[Request], service: Service) -> list[str]:
    """Return what went to other hosts. The page's own policy refuses some before they go."""
    own = (service.url, "data:", "blob:")
    foreign = [request for request in asked if not request.url.startswith(own)]
    return [request.url for request in foreign if request.failure != "csp"]


pytestmark = MARKS


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 1600})
        yield page
        await browser.close()


async def test_the_example_of_the_docs_works_when_pressed(page: Page, service: Service) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - playwright marks it
    await page.goto(f"{service.url}/docs")

    await page.get_by_role("button", name="Authorize").first.click()
    await page.get_by_label("auth-bearer-value").fill(INTERNAL)
    await page.locator(".auth-btn-wrapper .authorize").click()
    await page.locator(".btn-done").click()
    operation = page.locator("#operations-messages-answer_message_post")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Execute").click()

    await expect(
        operation.locator(".live-responses-table tbody .response-col_status")
    ).to_contain_text("200")
    body = operation.locator(".live-responses-table tbody .highlight-code").first
    await expect(body).to_contain_text('"success": true')
    await page.screenshot(path=PICTURES / "docs.png")
    assert _left(asked, service) == []


async def test_redoc_loads_nothing_from_elsewhere(page: Page, service: Service) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - playwright marks it

    await page.goto(f"{service.url}/redoc")

    await expect(page.get_by_role("heading", name="Answer a message")).to_be_visible()
    await page.screenshot(path=PICTURES / "redoc.png")
    assert _left(asked, service) == []
