"""A newcomer on the chat page, before the real bot, the real service and a simulated model."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Locator, Page, expect

from tests.browser.chromium import MARKS, PICTURES, opened
from tests.chain.stack import Chain, Person
from tests.chain.test_chain_chat import picture
from tests.chain.traces import leaving_nothing

pytestmark = [*MARKS, pytest.mark.asyncio(loop_scope="module")]

DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
VIEWS: dict[str, dict[str, Any]] = {
    "desk-light": DESK | {"color_scheme": "light"},
    "desk-dark": DESK | {"color_scheme": "dark"},
    "phone-light": PHONE | {"color_scheme": "light"},
    "phone-dark": PHONE | {"color_scheme": "dark"},
}
WATCH = """() => {
  window.seen = [];
  const last = () => [...document.querySelectorAll(".message.in")].at(-1);
  new MutationObserver(() => {
    const it = last();
    window.seen.push(it.querySelector(".dots") ? 0 : it.querySelector(".text").textContent.length);
  }).observe(document.querySelector("#messages"), { childList: true, subtree: true });
}"""
expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    async with leaving_nothing(tmp_path_factory.mktemp("chain")) as chain:
        yield chain


@asynccontextmanager
async def seen_by(chain: Chain, view: str, chat: int | None = None) -> AsyncIterator["Eyes"]:
    """Open the page as somebody new; whatever breaks on it fails the test."""
    person = await chain.join("Nora", last_name="Lind", language_code="en")
    at = f"/#{person.id}/{person.id if chat is None else chat}"
    async with opened(chain.url, at, **VIEWS[view]) as page:
        yield Eyes(page, person, view)


class Eyes:
    def __init__(self, page: Page, person: Person, view: str) -> None:
        self.page = page
        self.person = person
        self._view = view
        self._shots = 0

    @property
    def field(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    @property
    def newest(self) -> Locator:
        """What the bot said last."""
        return self.page.locator(".message.in").last

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.page.get_by_label("Send", exact=True).click()

    async def shot(self, what: str) -> None:
        self._shots += 1
        name = f"chat-{self._view}-{self._shots}-{what}.png"
        await self.page.screenshot(path=PICTURES / name, animations="disabled")

    async def at_end(self) -> bool:
        left = "(it) => it.scrollHeight - it.scrollTop - it.clientHeight"
        return bool(await self.page.locator("#scroll").evaluate(left) < 5)

    async def width(self) -> tuple[int, int]:
        """Return how wide the messages are, and how wide the room for them is."""
        both = "(it) => [it.scrollWidth, it.clientWidth]"
        needed, room = await self.page.locator("#scroll").evaluate(both)
        return int(needed), int(room)


@contextmanager
def thoughtful(chain: Chain) -> Iterator[None]:
    """Let the model think first, and then write word by word."""
    chain.openrouter.first_token, chain.openrouter.between_tokens = 0.8, 0.02
    try:
        yield
    finally:
        chain.openrouter.first_token = chain.openrouter.between_tokens = 0.0


@pytest.mark.parametrize("view", VIEWS)
async def test_a_newcomer_finds_the_way(chain: Chain, view: str) -> None:
    async with seen_by(chain, view) as eyes:
        page = eyes.page
        await expect(page.get_by_text("Ask anything, or send a picture")).to_be_visible()
        await eyes.shot("welcome")

        await page.get_by_role("button", name="Start", exact=True).click()
        await expect(eyes.newest.locator(".text strong").first).to_have_text("Arash")
        await eyes.shot("start")

        await page.get_by_role("button", name="What can I do?").click()
        await expect(eyes.newest).to_contain_text("/translate [language] [text]")
        await expect(page.locator(".key.waits")).to_have_count(0)
        await eyes.shot("help")

        await _ask_what_streams(chain, eyes)
        await _ask_about_a_picture(eyes)

        await eyes.say("/translate german Good morning")
        await expect(eyes.newest).to_contain_text("Guten Morgen")
        await eyes.say("/model")
        await expect(eyes.newest).to_contain_text("cannot be changed")
        await eyes.shot("refusal")
        needed, room = await eyes.width()
        assert needed <= room


async def _ask_what_streams(chain: Chain, eyes: Eyes) -> None:
    await eyes.page.evaluate(WATCH)
    with thoughtful(chain):
        await eyes.say("Tell me a story")
        await expect(eyes.page.get_by_label("Thinking")).to_be_visible()
        await eyes.shot("thinking")
        await expect(eyes.page.get_by_role("button", name="Stop")).to_be_visible()
        await expect(eyes.newest.locator(".text")).to_contain_text("engineer")
        await eyes.shot("growing")
        await expect(eyes.page.get_by_role("button", name="Stop")).to_have_count(0)

    lengths = await eyes.page.evaluate("window.seen")
    shown = lengths[lengths.index(0) :]  # before it, what was said before
    assert shown == sorted(shown), "a text may only grow"
    assert len(set(shown)) >= 4
    assert await eyes.at_end()


async def _ask_about_a_picture(eyes: Eyes) -> None:
    page = eyes.page
    await page.get_by_label("Attach").click()
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Photo", exact=True).click()
    sent = picture("teal", (640, 400))
    chosen: FilePayload = {"name": sent.name, "mimeType": sent.media_type, "buffer": sent.content}
    await (await choosing.value).set_files(chosen)
    await expect(page.locator(".tile img")).to_be_visible()
    await eyes.shot("chosen")

    await eyes.say("What do you see?")
    await expect(eyes.newest).to_contain_text("640 x 400 pixels")
    await expect(page.locator(".message.out .photo img")).to_have_js_property(
        "complete", value=True
    )
    await eyes.shot("picture")


async def test_the_commands_can_be_chosen_with_the_keys_alone(chain: Chain) -> None:
    async with seen_by(chain, "desk-light") as eyes:
        await eyes.person.ask("hello")
        await eyes.field.focus()
        await eyes.page.keyboard.type("/")
        await expect(eyes.page.get_by_role("option")).to_have_count(
            len(await eyes.person.commands())
        )
        await eyes.shot("menu")
        await eyes.page.keyboard.type("st")
        await eyes.page.keyboard.press("ArrowDown")
        await eyes.page.keyboard.press("Enter")

        await expect(eyes.newest).to_contain_text("History: 2 of 10 messages")
        await expect(eyes.field).to_be_focused()


@pytest.mark.parametrize("view", ["desk-dark", "phone-light"])
async def test_every_kind_of_text_keeps_within_its_bubble(chain: Chain, view: str) -> None:
    wide = " | ".join(f"column {number}" for number in range(14))
    table = f"| {wide} |\n|{'---|' * 14}\n| {wide} |"
    async with seen_by(chain, view) as eyes:
        await eyes.person.ask(
            f"{'x' * 300}\n\n{table}\n\n> quoted\n\n```js\n{'y = 1; ' * 40}\n```\nend"
        )
        await expect(eyes.newest).to_contain_text("quoted")
        await eyes.shot("texts")

        needed, room = await eyes.width()
        assert needed <= room
        blocks = eyes.newest.locator("pre")
        assert await blocks.count() == 2
        moved = "(all) => all.map((it) => { it.scrollLeft = 40; return it.scrollLeft; })"
        assert await blocks.evaluate_all(moved) == [40, 40]


async def test_persian_runs_from_right_to_left(chain: Chain) -> None:
    async with seen_by(chain, "phone-light") as eyes:
        hello = await eyes.person.ask("سلام")
        await eyes.person.ask("شبکه من کند است. چرا؟", reply_to=hello["message_id"])
        await expect(eyes.newest).to_contain_text("شبکه من کند است")
        await eyes.shot("persian")

        text = eyes.page.locator(".message.out .text").last
        assert await text.evaluate("(it) => getComputedStyle(it).direction") == "rtl"
        stamp = eyes.page.locator(".message.out .stamp").last
        (words, time) = [await it.bounding_box() for it in (text, stamp)]
        assert words
        assert time
        assert time["x"] < words["x"] + words["width"] / 2


async def test_a_group_shows_who_says_what(chain: Chain) -> None:
    async with seen_by(chain, "desk-light") as eyes:
        jonas, aisha = await chain.join("Jonas"), await chain.join("Aisha")
        group = (await eyes.person.found("Night shift", jonas, aisha))["id"]
        await eyes.page.get_by_role("button", name="Night shift").click()
        first = await jonas.say("The uplink of building 4 flaps.", group)
        await aisha.say("Since when?", group, reply_to=first["message_id"])
        await eyes.page.get_by_label("Mention the bot").click()
        await eyes.page.keyboard.type("12 * 7")
        await eyes.page.keyboard.press("Enter")

        await expect(eyes.newest).to_contain_text("= 84")
        await expect(eyes.page.locator(".message.in .name")).to_have_text(
            ["Jonas", "Aisha", "Arash"]
        )
        await eyes.shot("group")
        await eyes.page.get_by_role("radio", name="Jonas").last.click()
        await expect(eyes.page.locator(".message.out .text")).to_contain_text("The uplink")


async def test_what_somebody_is_called_is_never_more_than_text(chain: Chain) -> None:
    evil = "<img src=x onerror=alert(1)> *b*"
    async with seen_by(chain, "desk-light") as eyes:
        other = await chain.join(evil)
        group = (await eyes.person.found(evil, other))["id"]
        await other.ask("/start", group)
        await eyes.page.get_by_role("button", name=evil).click()

        await expect(eyes.page.locator(".message.in .name").first).to_have_text(evil)
        assert await eyes.page.locator("img[src=x]").count() == 0


async def test_a_bot_that_is_away_is_told_and_answers_when_it_is_back(chain: Chain) -> None:
    async with seen_by(chain, "phone-dark") as eyes:
        await eyes.person.ask("hello")
        await chain.bot.kill()
        try:
            await expect(eyes.page.locator("#notice")).to_have_text(
                "The bot is away. Messages wait for it."
            )
            await eyes.say("12 * 12")
            await eyes.shot("away")
        finally:
            await chain.bot.start()

        await expect(eyes.newest).to_contain_text("= 144")
        await expect(eyes.page.locator("#notice")).to_be_hidden()


async def test_the_reader_is_not_pulled_away_while_an_answer_grows(chain: Chain) -> None:
    async with seen_by(chain, "desk-light") as eyes:
        for _ in range(2):
            await eyes.person.ask("Tell me a story")
        with thoughtful(chain):
            await eyes.say("Tell me a story")
            await expect(eyes.page.get_by_role("button", name="Stop")).to_be_visible()
            await expect(eyes.newest.locator(".text")).to_contain_text("engineer")
            await eyes.page.locator("#scroll").hover()
            await eyes.page.mouse.wheel(0, -700)
            await expect(eyes.page.get_by_label("To the newest message")).to_be_visible()
            before = await eyes.page.locator("#scroll").evaluate("(it) => it.scrollTop")
            await expect(eyes.page.get_by_role("button", name="Stop")).to_have_count(0)

        assert await eyes.page.locator("#scroll").evaluate("(it) => it.scrollTop") == before
        await eyes.page.get_by_label("To the newest message").click()
        assert await eyes.at_end()
