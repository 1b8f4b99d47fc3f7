"""The chat page, as a newcomer uses it, with a bot that the test plays."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import FilePayload, Page, expect

from simulator.telegram import GROUP, TelegramWorld
from tests.browser.chromium import MARKS, PICTURES, opened
from tests.simulator.bot_api import USER, Bot, picture, talking

KEYS = {
    "inline_keyboard": [
        [{"text": "Again", "callback_data": "again", "style": "primary"}],
        [
            {"text": "Fine", "callback_data": "f", "style": "success"},
            {"text": "Stop", "url": "a.b"},
        ],
    ]
}
pytestmark = MARKS


@pytest.fixture
def world() -> TelegramWorld:
    world = TelegramWorld(pace=False)
    world.texts["description", ""] = "I answer questions and look at pictures."
    return world


@pytest.fixture
async def bot(world: TelegramWorld) -> AsyncIterator[Bot]:
    async with talking(world) as bot:
        await bot.do("getMe")  # whoever called a moment ago is there
        yield bot


@pytest.fixture
async def page(bot: Bot) -> AsyncIterator[Page]:
    """The page on a desk."""
    view = {"width": 1180, "height": 760}
    async with opened(bot.url, f"/#{USER}/{USER}", viewport=view) as page:
        await expect(page.locator("#conversation")).to_be_visible()  # drops what was begun before
        yield page


async def test_a_newcomer_presses_start_and_is_answered(
    page: Page, bot: Bot, world: TelegramWorld
) -> None:
    await expect(page.get_by_text("I answer questions and look at pictures.")).to_be_visible()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator(".message.out .text")).to_have_text("/start")

    sent = await bot.do("sendMessage", chat_id=USER, text="…")
    await expect(page.get_by_label("Thinking")).to_be_visible()
    await bot.do(
        "editMessageText", chat_id=USER, message_id=sent["message_id"], text="Hello, Mina.",
        entities=[{"type": "bold", "offset": 0, "length": 5}], reply_markup=KEYS,
    )  # fmt: skip

    await expect(page.locator(".message.in strong")).to_have_text("Hello")
    await expect(page.get_by_role("button", name="Again")).to_have_class("key primary")
    assert world.chats[USER].messages[1].content["text"] == "/start"


async def test_words_are_sent_by_enter_and_answered_by_two_clicks(
    page: Page, bot: Bot, world: TelegramWorld
) -> None:
    world.people.say(USER, "/start")
    await bot.do("sendMessage", chat_id=USER, text="What shall I look at?")
    await page.locator(".message").get_by_text("What shall I look at?").dblclick()
    await expect(page.get_by_text("Reply to Arash")).to_be_visible()

    await page.get_by_label("Message", exact=True).fill("The uplink")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message.out .quote")).to_contain_text("What shall I look at?")
    assert world.chats[USER].messages[3].reply_to == 2


async def test_the_menu_opens_at_a_slash(page: Page, bot: Bot, world: TelegramWorld) -> None:
    world.people.say(USER, "/start")
    commands = [{"command": it, "description": f"about {it}"} for it in ("help", "status", "start")]
    await bot.do("setMyCommands", commands=commands)

    await page.get_by_label("Message", exact=True).press_sequentially("/st")
    options = page.get_by_role("option")
    await expect(options).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message.out .text").last).to_have_text("/start")
    assert len(world.chats[USER].messages) == 2


async def test_a_picture_is_chosen_shown_and_sent(page: Page, world: TelegramWorld) -> None:
    world.people.say(USER, "/start")
    chosen: FilePayload = {
        "name": "red.png",
        "mimeType": "image/png",
        "buffer": picture(300, 200).content,
    }
    await page.locator("#photo-input").set_input_files(chosen)
    await expect(page.locator(".tile img")).to_be_visible()

    await page.get_by_label("Message", exact=True).fill("What is this?")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message.out .photo img")).to_have_js_property(
        "complete", value=True
    )
    assert world.chats[USER].messages[2].content["caption"] == "What is this?"


async def test_a_press_waits_until_it_is_answered(
    page: Page, bot: Bot, world: TelegramWorld
) -> None:
    world.people.say(USER, "/start")
    await bot.do("sendMessage", chat_id=USER, text="Choose", reply_markup=KEYS)
    await page.get_by_role("button", name="Again").click()
    await expect(page.locator(".key.waits")).to_be_visible()

    (press,) = world.presses.values()
    await bot.do("answerCallbackQuery", callback_query_id=press.id, text="Here it is")

    await expect(page.get_by_text("Here it is")).to_be_visible()
    await expect(page.locator(".key.waits")).to_have_count(0)


async def at_end(page: Page) -> bool:
    left = "(it) => it.scrollHeight - it.scrollTop - it.clientHeight"
    return bool(await page.locator("#scroll").evaluate(left) < 5)


async def test_the_end_is_followed_while_the_reader_is_there(
    page: Page, bot: Bot, world: TelegramWorld
) -> None:
    for number in range(30):
        world.people.say(USER, f"message {number}")
    sent = await bot.do("sendMessage", chat_id=USER, text="…")
    this = {"chat_id": USER, "message_id": sent["message_id"]}
    for length in (5, 20, 60):
        await bot.do("editMessageText", **this, text="word\n" * length + "end")
        await expect(page.locator(".message.in .text")).to_contain_text("end")
        await page.wait_for_timeout(60)  # the time of a few frames, which is what may go wrong
        assert await at_end(page)

    await page.locator("#scroll").hover()
    await page.mouse.wheel(0, -900)
    await expect(page.get_by_label("To the newest message")).to_be_visible()
    before = await page.locator("#scroll").evaluate("(it) => it.scrollTop")
    await bot.do("sendMessage", chat_id=USER, text="One more")
    await expect(page.locator("#down-count")).to_have_text("1")

    assert await page.locator("#scroll").evaluate("(it) => it.scrollTop") == before
    await page.get_by_label("To the newest message").click()
    assert await at_end(page)


async def test_what_others_write_is_never_more_than_text(
    page: Page, bot: Bot, world: TelegramWorld
) -> None:
    evil = "<img src=x onerror=alert(1)><b>bold</b>"
    world.people.say(USER, evil)
    entities = [
        {"type": "pre", "offset": 0, "length": 10, "language": evil},
        {"type": "text_mention", "offset": 11, "length": 5},
    ]
    await bot.do("sendMessage", chat_id=USER, text=evil, entities=entities, reply_markup={
        "inline_keyboard": [[{"text": evil, "callback_data": "x"}]]
    })  # fmt: skip

    await expect(page.locator(".key")).to_have_text(evil)
    assert await page.locator(".message img, .message b").count() == 0


async def test_a_group_is_another_chat_with_unread_marks(page: Page, bot: Bot) -> None:
    await bot.do("sendMessage", chat_id=GROUP, text="Good evening")
    await expect(page.get_by_label("1 unread")).to_be_visible()

    await page.get_by_role("button", name="Night shift").click()

    await expect(page.locator(".message.in .name")).to_have_text("Arash")
    await expect(page.get_by_label("1 unread")).to_have_count(0)


async def test_somebody_else_can_be_chosen(page: Page, world: TelegramWorld) -> None:
    world.people.say(USER + 1, "written by Jonas")

    await page.get_by_role("radio", name="Jonas").click()

    await expect(page.locator(".message.out .text")).to_have_text("written by Jonas")


async def test_an_absent_bot_is_told(page: Page, world: TelegramWorld) -> None:
    world.people.say(USER, "/start")
    world._called = 0.0

    await expect(page.locator("#notice")).to_have_text("The bot is away. Messages wait for it.")


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_a_phone_shows_one_screen_at_a_time(
    page: Page, bot: Bot, world: TelegramWorld, scheme: str
) -> None:
    text = "A long word: " + "x" * 200
    world.people.say(USER, text)
    await bot.do("sendMessage", chat_id=USER, text=text, reply_markup=KEYS)
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    await expect(page.get_by_role("button", name="Night shift")).to_be_hidden()
    wide = await page.locator("#scroll").evaluate("(it) => it.scrollWidth")
    await page.screenshot(path=PICTURES / f"telegram-phone-{scheme}.png")
    await page.get_by_label("Back to the chats").click()

    await expect(page.get_by_role("button", name="Night shift")).to_be_visible()
    assert wide == 360
