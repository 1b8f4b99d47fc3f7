import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from panoptes_bot.receive import ALLOWED_UPDATES, LANES, use_webhook
from panoptes_bot.telegram_api import SecondPoller, TokenRefused
from simulator.telegram import GROUP
from tests.bot.stage import MINA, Stage, running, until

ROOT = Path(__file__).resolve().parents[2]


def say(stage: Stage, *texts: str, chat: int | None = None, person: int = MINA) -> None:
    for text in texts:
        stage.world.people.say(person, text, chat)


def heard(stage: Stage) -> list[str]:
    return [update["message"]["text"] for update in stage.service.updates]


@pytest.fixture
def fresh(on_stage: Stage) -> Stage:
    """Without what people said before the test began."""
    on_stage.world.updates.allowed = list(ALLOWED_UPDATES)
    on_stage.world.updates.waiting.clear()
    return on_stage


async def test_updates_go_on_raw_and_in_order(fresh: Stage) -> None:
    say(fresh, *(f"{number}" for number in range(30)))
    waiting = [update.json() for update in fresh.world.updates.waiting]
    for update in waiting:
        update["message"]["from_a_newer_telegram"] = {"lines": "a\u2028b", "deep": [1.5, None]}
    for queued, changed in zip(fresh.world.updates.waiting, waiting, strict=True):
        queued.content.update(changed["message"])

    async with running(fresh.receiver()):
        await fresh.service.until_updates(30)

    assert fresh.service.updates == waiting


async def test_an_update_is_confirmed_only_after_the_service_kept_it(fresh: Stage) -> None:
    say(fresh, "keep me")
    fresh.service.refusals.extend(Response(status_code=503) for _ in range(3))

    async with running(fresh.receiver()):
        await until(lambda: len(fresh.service.refusals) < 3)
        offsets = {call.parameters["offset"] for call in fresh.world.of("getUpdates")}
        waiting = len(fresh.world.updates.waiting)
        await fresh.service.until_updates(1)
        await until(lambda: not fresh.world.updates.waiting)

    assert ({int(offset) for offset in offsets}, waiting) == ({0}, 1)
    assert heard(fresh) == ["keep me"]


async def test_what_was_handed_over_and_not_confirmed_comes_again(fresh: Stage) -> None:
    say(fresh, "one", "two", "three")
    fresh.service.refusals.append(Response(status_code=200, content=b'{"accepted": true}'))
    fresh.service.slowness = 0.05

    async with running(fresh.receiver()) as killed:
        await fresh.service.until_updates(1)
        killed.cancel()
    fresh.service.slowness = 0
    async with running(fresh.receiver()):
        await until(lambda: not fresh.world.updates.waiting)

    assert set(heard(fresh)) == {"one", "two", "three"}
    assert heard(fresh)[-3:] == ["one", "two", "three"]


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 404])
async def test_a_service_that_cannot_take_an_update_now_is_asked_again(
    fresh: Stage, status: int
) -> None:
    say(fresh, "one", "two")
    fresh.service.refusals.extend([Response(status_code=status), Response(status_code=status)])

    async with running(fresh.receiver()):
        await fresh.service.until_updates(2)

    assert heard(fresh) == ["one", "two"]
    assert fresh.clock.slept[:2] == [1.0, 2.0]


async def test_retry_after_is_obeyed(fresh: Stage) -> None:
    say(fresh, "one")
    fresh.service.refusals.append(Response(status_code=429, headers={"Retry-After": "9"}))

    async with running(fresh.receiver()):
        await fresh.service.until_updates(1)

    assert fresh.clock.slept == [9.0]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_steps_over_nothing(fresh: Stage, status: int) -> None:
    say(fresh, "one")
    fresh.service.refusals.extend(Response(status_code=status) for _ in range(4))

    async with running(fresh.receiver()):
        await fresh.service.until_updates(1)

    assert fresh.clock.slept == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_one_update_that_nobody_can_take_stops_nothing(fresh: Stage, status: int) -> None:
    say(fresh, "one", "poison", "three")
    fresh.service.refusals.extend(
        [
            Response(b'{"accepted": true}', media_type="application/json"),
            Response(status_code=status),
        ]
    )

    async with running(fresh.receiver()):
        await until(lambda: not fresh.world.updates.waiting)

    assert heard(fresh) == ["three"]
    assert fresh.clock.slept == []


async def test_chats_go_side_by_side_and_each_in_its_order(fresh: Stage) -> None:
    people = [fresh.world.people.join(f"P{number}").id for number in range(20)]
    for number in range(4):
        for person in people:
            say(fresh, f"{number}", person=person)
    fresh.service.slowness = 0.005

    async with running(fresh.receiver()):
        await fresh.service.until_updates(80)

    for person in people:
        mine = [u["message"] for u in fresh.service.updates if u["message"]["chat"]["id"] == person]
        assert [message["text"] for message in mine] == ["0", "1", "2", "3"]
    assert 1 < fresh.service.most_together <= LANES


async def test_a_press_and_a_message_of_one_chat_keep_their_order(fresh: Stage) -> None:
    fresh.service.slowness = 0.01
    press(fresh)
    say(fresh, "after")

    async with running(fresh.receiver()):
        await fresh.service.until_updates(2)

    assert ["callback_query" in update for update in fresh.service.updates] == [True, False]


def press(stage: Stage, chat: int = MINA) -> str:
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": "/go"}]]}
    message = stage.world.keep(
        stage.world.chats[chat], stage.world.bot_id, {"text": "buttons"}, markup=markup
    )
    return stage.world.people.press(MINA, message.id, "/go", chat).id


async def test_a_pressed_button_is_answered_with_the_notice_of_the_service(fresh: Stage) -> None:
    fresh.service.notice = "Stopped."
    pressed = press(fresh)

    async with running(fresh.receiver()):
        await until(lambda: fresh.world.presses[pressed].answer)

    assert (fresh.world.presses[pressed].answer or {})["text"] == "Stopped."


async def test_answering_a_press_holds_up_nothing_and_fails_in_silence(fresh: Stage) -> None:
    fresh.world.fail("answerCallbackQuery", "silence")
    press(fresh)
    say(fresh, "after")
    press(fresh)
    fresh.world.fail("answerCallbackQuery", "bad:QUERY_ID_INVALID")
    say(fresh, "and after")

    async with running(fresh.receiver()):
        await fresh.service.until_updates(4)
        await until(lambda: not fresh.world.updates.waiting)


async def test_no_press_is_answered_in_a_chat_that_is_held(fresh: Stage) -> None:
    fresh.pace.hold(str(GROUP), 50)
    press(fresh, GROUP)
    press(fresh)

    async with running(fresh.receiver()):
        await until(lambda: fresh.world.of("answerCallbackQuery"))
        await until(lambda: not fresh.world.updates.waiting)

    assert len(fresh.world.of("answerCallbackQuery")) == 1


async def test_every_poll_says_which_kinds_it_wants(fresh: Stage) -> None:
    async with running(fresh.receiver()):
        for number in range(3):
            say(fresh, f"{number}")
            await fresh.service.until_updates(number + 1)

    wanted = [call.parameters["allowed_updates"] for call in fresh.world.of("getUpdates")]
    assert len(wanted) >= 3
    assert all(each == list(ALLOWED_UPDATES) for each in wanted)


async def test_a_webhook_that_was_left_set_is_deleted(fresh: Stage) -> None:
    say(fresh, "one")
    fresh.world.webhook.set("https://bot.example.org/webhook/telegram", "", 40)

    async with running(fresh.receiver()):
        await fresh.service.until_updates(1)

    assert fresh.world.webhook.url == ""


@pytest.mark.parametrize("method", ["deleteWebhook", "getUpdates"])
async def test_a_refused_token_ends_the_polling(fresh: Stage, method: str) -> None:
    fresh.world.fail(method, "unauthorized")

    with pytest.raises(TokenRefused):
        await asyncio.wait_for(fresh.receiver().run(), 5)


@pytest.mark.parametrize("fault", ["error:502", "reset_before", "reset_after", "too_many:4"])
@pytest.mark.parametrize("method", ["deleteWebhook", "getUpdates"])
async def test_a_telegram_that_is_away_is_waited_for(fresh: Stage, method: str, fault: str) -> None:
    say(fresh, "one", "two")
    fresh.world.fail(method, fault, times=2)

    async with running(fresh.receiver()):
        await fresh.service.until_updates(2)

    assert heard(fresh) == ["one", "two"]
    assert len(fresh.clock.slept) == 2


async def test_two_conflicts_are_an_old_instance_that_ends(fresh: Stage) -> None:
    say(fresh, "one")
    fresh.world.fail("getUpdates", "conflict", times=2)

    async with running(fresh.receiver()):
        await fresh.service.until_updates(1)

    assert fresh.clock.slept == [5.0, 5.0]


async def test_a_second_poller_ends_the_polling(fresh: Stage) -> None:
    first, second = (asyncio.create_task(fresh.receiver().run()) for _ in range(2))

    done, pending = await asyncio.wait(
        {first, second}, timeout=10, return_when=asyncio.FIRST_COMPLETED
    )

    (ended, *_) = done
    assert isinstance(ended.exception(), SecondPoller)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def test_with_a_webhook_telegram_is_told_where_and_by_which_secret(fresh: Stage) -> None:
    fresh.world.fail("setWebhook", "error:502")

    await use_webhook(
        fresh.bot, "https://bot.example.org/webhook/telegram", "s3cret-_", fresh.clock
    )

    (_, call) = fresh.world.of("setWebhook")
    assert call.parameters["url"] == "https://bot.example.org/webhook/telegram"
    assert call.parameters["secret_token"] == "s3cret-_"
    assert call.parameters["allowed_updates"] == list(ALLOWED_UPDATES)


async def test_a_backlog_is_worked_off_quickly_and_in_order(fresh: Stage) -> None:
    people = [fresh.world.people.join(f"P{number}").id for number in range(50)]
    for number in range(1_000):
        say(fresh, f"{number}", person=people[number % 50])

    async with running(fresh.receiver()):
        await fresh.service.until_updates(1_000)

    for person in people[:5]:
        mine = [u["message"] for u in fresh.service.updates if u["message"]["chat"]["id"] == person]
        numbers = [int(message["text"]) for message in mine]
        assert numbers == sorted(numbers)
        assert len(numbers) == 20


async def test_a_process_killed_again_and_again_loses_nothing(fresh: Stage, tmp_path: Path) -> None:
    fresh.service.slowness = 0.004
    said = 0
    env = {
        "PATH": os.environ["PATH"],
        "TELEGRAM_BOT_TOKEN": fresh.world.token,
        "BOT_API_KEY": fresh.service.key,
        "SERVICE_URL": str(fresh.settings.service_url),
        "TELEGRAM_API_BASE": str(fresh.settings.telegram_api_base),
        "TELEGRAM_LOG_FILE": "",
        "LOG_LEVEL": "ERROR",
    }
    for _ in range(4):
        for _ in range(60):
            say(fresh, f"{said}")
            said += 1
        before = len(fresh.service.updates)
        bot = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "run_telegram_bot.py"), cwd=tmp_path, env=env
        )
        await fresh.service.until_updates(before + 25)
        bot.send_signal(signal.SIGKILL)
        await bot.wait()
    async with running(fresh.receiver()):
        await until(lambda: not fresh.world.updates.waiting)

    once: dict[int, Any] = {u["update_id"]: u["message"]["text"] for u in fresh.service.updates}
    assert [int(once[number]) for number in sorted(once)] == list(range(said))
