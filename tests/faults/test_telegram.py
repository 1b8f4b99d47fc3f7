"""Each fault of Telegram: what the bot calls, what stands in the chat, what REST and operators see.

T2, T8, T9 and parts of T11 have no fault to switch on: see `coverage.py`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from panoptes_bot.telegram_api import SecondPoller, TokenRefused
from simulator.openrouter.answer_faults import LONG
from tests.api.service import ADMIN, BOT, bearer, emptied, said
from tests.bot.stage import HURRY
from tests.faults.stage import LOOK_EVERY, SECONDS, Stage, running

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:.*getUpdates.*"),
]

EDIT, SEND = "editMessageText", "sendMessage"
WELCOME = "Hello! I am Arash."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with running(tmp_path_factory.mktemp("telegram")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def on_rest(stage: Stage) -> AsyncIterator[None]:
    """Whatever is wrong with Telegram, who asks by REST is answered, and nothing is degraded."""
    yield
    heard = await stage.service.post(said("And how are you?", user_id="rest", chat_id="rest"))
    assert (heard.status_code, heard.json()["success"]) == (200, True)
    assert (await stage.service.http.get("/health")).json()["status"] == "healthy"


# Row, method and fault; how often each method is called then, what is seen, the statuses that
# Telegram refused with.
HEALED = {
    "T1 entities": (EDIT, "entities", 1, 2, (WELCOME,), [400]),
    "T3 not modified": (EDIT, "not_modified", 1, 1, ("…",), [400]),
    "T4 the message to edit is gone": (EDIT, "edit_gone", 2, 2, ("…", WELCOME), [400]),
    "T4 the message to answer is gone": (SEND, "reply_gone", 2, 1, (WELCOME,), [400]),
    "T7 too many": (SEND, "too_many:3", 2, 1, (WELCOME,), [429]),
    "T10 an edit is done and not answered": (EDIT, "reset_after", 1, 2, (WELCOME,), [400]),
    "T10 an edit meets a 502": (EDIT, "error:502", 1, 2, (WELCOME,), [502]),
    "T10 a placeholder is placed and not answered": (
        SEND, "reset_after", 2, 1, ("…", WELCOME), [],
    ),
}  # fmt: skip


@pytest.mark.usefixtures("on_rest")
@pytest.mark.parametrize("name", HEALED)
async def test_a_fault_that_costs_nobody_the_answer(stage: Stage, name: str) -> None:
    method, fault, sends, edits, seen, statuses = HEALED[name]
    person = stage.somebody()
    stage.telegram.fail(method, fault, chat=person)

    said = stage.telegram.people.say(person, "/start")
    await stage.until(lambda: stage.telegram.of(EDIT, chat=person))
    await arrived(stage, person)

    shown = stage.shown(person, said.id)
    assert [text[: len(WELCOME)] for text in shown.texts] == list(seen)
    assert len(stage.telegram.of(SEND, chat=person)) == sends
    assert len(stage.telegram.of(EDIT, chat=person)) == edits
    assert [it for it in stage.refused(SEND, EDIT, chat=person) if it] == statuses
    assert await stage.dead(person) == []


async def arrived(stage: Stage, chat: int) -> None:
    """Wait until the service was told that what was for a chat is there."""
    await emptied(stage.service, f"deliveries WHERE chat_id = '{chat}' AND state = 'open'")


# Row and fault: whoever refuses for good, the record is kept and nothing is tried again.
REFUSED = {
    "T6 blocked": ("blocked", "bot was blocked by the user"),
    "T6 deactivated": ("forbidden:user is deactivated", "user is deactivated"),
    "T12 no rights": ("bad:not enough rights to send text messages", "ot enough rights"),
}


@pytest.mark.usefixtures("on_rest")
@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_for_good_is_kept_with_its_reason_and_not_tried_again(
    stage: Stage, name: str
) -> None:
    fault, reason = REFUSED[name]
    person = stage.somebody()
    stage.telegram.fail(SEND, fault, times=100, chat=person)

    stage.telegram.people.say(person, "/start")
    letter = await dead_letter(stage, person)

    assert reason in letter["reason"]
    assert len(stage.telegram.of(SEND, chat=person)) == 1
    assert stage.shown(person).texts == ()
    stage.telegram.faults.clear()
    # The bot has done with it once it answers somebody else.
    await stage.ask(stage.somebody(), "/help")
    again = {"delivery_id": letter["id"]}
    heard = await stage.service.http.post("/admin/redrive", headers=bearer(ADMIN), params=again)
    await stage.until(lambda: stage.is_answered(person, 0))
    assert heard.json()["redriven"] == 1
    assert stage.shown(person).text.startswith(WELCOME)


@pytest.mark.usefixtures("on_rest")
async def test_what_is_refused_in_every_form_ends_as_a_dead_letter(stage: Stage) -> None:
    person = stage.somebody()
    stage.telegram.fail(EDIT, "bad:SOMETHING_OF_TOMORROW", times=100, chat=person)

    stage.telegram.people.say(person, "/start")
    letter = await dead_letter(stage, person)
    stage.telegram.faults.clear()

    assert "omething_of_tomorrow" in letter["reason"]
    assert len(stage.telegram.of(EDIT, chat=person)) <= 3


async def dead_letter(stage: Stage, chat: int) -> Any:
    async with asyncio.timeout(SECONDS):
        while not (found := await stage.dead(chat)):  # noqa: ASYNC110 - as for any operator
            await asyncio.sleep(LOOK_EVERY)
    (letter,) = found
    return letter


@pytest.mark.usefixtures("on_rest")
async def test_a_group_that_becomes_a_supergroup_gets_its_answer_there(stage: Stage) -> None:
    person = stage.somebody()
    group = stage.telegram.people.found(person, "Team", []).id
    stage.telegram.fail(EDIT, "migrate", chat=group)

    stage.telegram.people.say(person, "/start@" + stage.telegram.username, group)
    await stage.until(lambda: stage.telegram.chats[group].moved_to)
    new = stage.telegram.chats[group].moved_to
    assert new is not None
    await stage.until(lambda: stage.is_answered(new, 0))

    assert stage.shown(new).text.startswith(WELCOME)
    assert len(stage.telegram.of(EDIT, chat=group)) == 1
    stage.telegram.people.say(person, "/help@" + stage.telegram.username, new)
    await stage.until(lambda: len(stage.bots(new)) == 2 and stage.is_answered(new, 0))
    # The new number was learnt: the old one is not tried again.
    assert len(stage.telegram.of(SEND, chat=group)) == 1


@pytest.mark.usefixtures("on_rest")
async def test_a_flood_wait_is_obeyed_and_holds_up_nobody_else(stage: Stage) -> None:
    held, other = stage.somebody(), stage.somebody()
    stage.telegram.fail(SEND, "too_many:60", chat=held)

    said = stage.telegram.people.say(held, "/start")
    await stage.until(lambda: stage.telegram.of(SEND, chat=held))
    assert (await stage.ask(other, "/start")).text.startswith(WELCOME)
    assert stage.shown(held).texts == ()
    await stage.until(lambda: stage.is_answered(held, said.id))

    first, second = stage.telegram.of(SEND, chat=held)
    assert (second.at - first.at) * HURRY >= 60
    assert stage.shown(held).text.startswith(WELCOME)


@pytest.mark.usefixtures("on_rest")
async def test_nothing_is_sent_that_telegram_finds_too_long(stage: Stage) -> None:
    person = stage.somebody()

    stage.telegram.people.say(person, "[[fault:long-text]] please")
    await stage.until(lambda: len(stage.bots(person)) == 2)
    await arrived(stage, person)

    # What would be too many messages is one, and a file with all of it.
    beginning, file = stage.bots(person)
    assert LONG.strip() in beginning.content["text"]
    assert "document" in file.content
    assert stage.refused(chat=person) == []


@pytest.mark.usefixtures("on_rest")
async def test_an_update_is_taken_once_and_an_unknown_one_is_counted(stage: Stage) -> None:
    person = stage.somebody()
    post, url = stage.service.http.post, "/webhook/telegram"
    stage.telegram.people.say(person, "/start")
    await stage.until(lambda: stage.is_answered(person, 0))
    message = {
        "message_id": 7_001,
        "date": int(time.time()),
        "chat": {"id": person, "type": "private"},
        "from": {"id": person, "is_bot": False, "first_name": "Somebody"},
        "text": "once, please",
    }
    bodies = [{"update_id": number, "message": message} for number in (900_001, 900_001, 900_000)]
    strange = {"update_id": 900_002, "a_kind_of_tomorrow": {"id": 1}}

    taken = [await post(url, json=it, headers=bearer(BOT)) for it in (*bodies, strange)]
    await stage.until(lambda: len(stage.bots(person)) == 2 and stage.is_answered(person, 0))

    assert [it.status_code for it in taken] == [200] * 4
    assert stage.tries("once, please") == 1


async def test_a_token_that_is_revoked_ends_the_bot_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as stage:
        stage.telegram.revoked = True
        stage.telegram.people.say(stage.somebody(), "hello")
        stage.telegram.updates.end_poll("getUpdates")
        polling = stage.work[0]
        with pytest.raises(TokenRefused):
            await asyncio.wait_for(polling, SECONDS)

        heard = await stage.service.post(said("How are you?"))

    assert (heard.status_code, heard.json()["success"]) == (200, True)


async def test_a_second_poller_ends_the_bot_and_nothing_else(tmp_path: Path) -> None:
    async with running(tmp_path) as stage:
        stage.telegram.fail("getUpdates", "conflict", times=100)
        stage.telegram.people.say(stage.somebody(), "hello")
        with pytest.raises(SecondPoller):
            await asyncio.wait_for(stage.work[0], SECONDS)

        heard = await stage.service.post(said("How are you?"))

    assert (heard.status_code, heard.json()["success"]) == (200, True)
