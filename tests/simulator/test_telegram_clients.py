"""The simulated Telegram with a client that nobody here wrote: python-telegram-bot."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot as Library
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
)

from simulator.telegram import GROUP, TelegramWorld
from tests.simulator.bot_api import USER, Bot, bot, clock, picture, telegram

__all__ = ["bot", "clock", "telegram"]
BUTTONS = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])


@pytest.fixture
async def library(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # else a 429 comes with a deprecation
    base = f"{bot.url}/bot"
    async with Library(bot.token, base_url=base, base_file_url=f"{bot.url}/file/bot") as library:
        yield library


@pytest.fixture
def asked(telegram: TelegramWorld) -> int:
    return telegram.people.say(USER, "Hello").id


async def test_it_learns_who_it_is(library: Library, telegram: TelegramWorld) -> None:
    me = await library.get_me()

    assert (me.username, me.is_bot) == (telegram.username, True)


async def test_it_answers_a_message_it_fetched(library: Library, asked: int) -> None:
    (update,) = await library.get_updates(timeout=0)
    assert update.message is not None
    sent = await update.message.reply_text("Hi", do_quote=True, reply_markup=BUTTONS)

    assert update.message.text == "Hello"
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == asked
    assert sent.reply_markup == BUTTONS


async def test_it_edits_a_text_with_entities(
    library: Library, telegram: TelegramWorld, asked: int
) -> None:
    sent = await library.send_message(USER, "…", reply_parameters=ReplyParameters(asked))
    bold = MessageEntity("bold", 0, 5)

    edited = await library.edit_message_text("Hello there", USER, sent.message_id, entities=[bold])

    assert isinstance(edited, Message)
    assert (edited.text, edited.entities) == ("Hello there", (bold,))
    assert telegram.chats[USER].messages[sent.message_id].content["text"] == "Hello there"


@pytest.mark.usefixtures("asked")
async def test_it_sends_a_photo_and_fetches_it_again(library: Library) -> None:
    sent = await library.send_photo(USER, picture().content, caption="Red")
    file = await sent.photo[-1].get_file()

    content = await file.download_as_bytearray()

    assert sent.caption == "Red"
    assert (sent.photo[-1].width, sent.photo[-1].height) == (40, 30)
    assert content.startswith(b"\xff\xd8")


@pytest.mark.usefixtures("asked")
async def test_it_sends_a_document(library: Library) -> None:
    sent = await library.send_document(USER, b"all of it\r\n--\r\n", filename="answer.md")
    assert sent.document is not None
    content = await (await sent.document.get_file()).download_as_bytearray()

    assert sent.document.file_name == "answer.md"
    assert content == b"all of it\r\n--\r\n"


@pytest.mark.usefixtures("asked")
async def test_it_turns_a_text_into_a_photo(library: Library) -> None:
    sent = await library.send_message(USER, "…")

    media = InputMediaPhoto(picture().content, caption="A chart")
    edited = await library.edit_message_media(media, USER, sent.message_id)

    assert isinstance(edited, Message)
    assert (edited.text, edited.caption, len(edited.photo)) == (None, "A chart", 1)


@pytest.mark.usefixtures("asked")
async def test_it_hears_of_a_button(library: Library, telegram: TelegramWorld) -> None:
    sent = await library.send_message(USER, "Choose", reply_markup=BUTTONS)
    press = telegram.people.press(USER, sent.message_id, "Again")
    updates = await library.get_updates(offset=2, timeout=0)
    query = updates[0].callback_query
    assert query is not None

    await query.answer("Done", show_alert=True)

    assert query.data == "again"
    assert press.answer == {"text": "Done", "show_alert": True}


async def test_it_is_seen_typing_in_a_group(library: Library, telegram: TelegramWorld) -> None:
    await library.send_chat_action(GROUP, "typing")

    typing = telegram.chats[GROUP].typing
    assert typing is not None
    assert typing[0] == "typing"


async def test_it_sets_its_menu(library: Library) -> None:
    await library.set_my_commands([("start", "begin"), ("help", "what I can do")])

    told = await library.get_my_commands()

    assert [it.command for it in told] == ["start", "help"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("too_many:7", RetryAfter),
        ("entities", BadRequest),
        ("blocked", Forbidden),
        ("unauthorized", InvalidToken),
        ("conflict", Conflict),
        ("error:503", NetworkError),
        ("reset_before", NetworkError),
        ("reset_after", NetworkError),
    ],
)
@pytest.mark.usefixtures("asked")
async def test_a_fault_is_the_error_it_should_be(
    library: Library, telegram: TelegramWorld, fault: str, error: type[Exception]
) -> None:
    telegram.fail("sendMessage", fault)

    with pytest.raises(error):
        await library.send_message(USER, "Hi")
    await library.send_message(USER, "Hi")

    done = [it for it in telegram.chats[USER].messages.values() if it.sender == telegram.bot_id]
    assert len(done) == (2 if fault == "reset_after" else 1)


async def test_a_group_that_moved_says_where_to(library: Library, telegram: TelegramWorld) -> None:
    moved = telegram.people.migrate(GROUP)

    with pytest.raises(ChatMigrated) as caught:
        await library.send_message(GROUP, "Hi")

    assert caught.value.new_chat_id == moved.id
