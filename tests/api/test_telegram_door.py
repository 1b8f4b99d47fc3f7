"""The door for updates: who is let in, what Telegram hears, and presses that stop turning."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app import texts
from app.api import webhook
from app.api.webhook import SECRET_HEADER
from simulator.telegram import GROUP
from tests.api.line import JONAS, MINA, SECRET, Line, line
from tests.api.service import BOT, INTERNAL, Place, bearer, settled, until

SHOWN = {SECRET_HEADER: SECRET}
LONG = "/translate german " + "Good morning " * 8


@pytest.fixture
async def hooked(place: Place) -> AsyncIterator[Line]:
    async with line(place, telegram_webhook_secret=SECRET) as hooked:
        yield hooked


async def status(hooked: Line, headers: dict[str, str]) -> int:
    heard = await hooked.service.http.post(
        "/webhook/telegram", json={"update_id": 1}, headers=headers
    )
    return heard.status_code


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (SHOWN, 200),
        (bearer(BOT), 200),
        (SHOWN | bearer("nonsense"), 200),
        ({}, 401),
        ({SECRET_HEADER: ""}, 401),
        ({SECRET_HEADER: SECRET[:-1]}, 401),
        ({SECRET_HEADER: SECRET + "x"}, 401),
        ({SECRET_HEADER: SECRET.upper()}, 401),
        ({SECRET_HEADER: "é" * 30}, 401),
        ({SECRET_HEADER: "wrong"} | bearer(BOT), 401),
        (bearer(SECRET), 401),
        (bearer(INTERNAL), 403),
    ],
    ids=str,
)
async def test_only_telegram_and_the_bot_are_let_in(
    hooked: Line, headers: dict[str, str], expected: int
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    assert await status(hooked, raw) == expected  # type: ignore[arg-type]


async def test_two_secrets_are_none(hooked: Line) -> None:
    heard = await hooked.service.http.post(
        "/webhook/telegram",
        json={"update_id": 1},
        headers=[(SECRET_HEADER, "wrong"), (SECRET_HEADER, SECRET)],
    )

    assert heard.status_code == 401


async def test_without_a_secret_of_ours_nobody_has_one(place: Place) -> None:
    async with line(place) as telephone:
        assert await status(telephone, {SECRET_HEADER: ""}) == 401
        assert await status(telephone, {SECRET_HEADER: "None"}) == 401
        assert await status(telephone, SHOWN | bearer(BOT)) == 200


@pytest.mark.parametrize("shown", ["wrong", SECRET + "x" * 5000, ""])
async def test_secrets_are_compared_in_the_same_time(
    hooked: Line, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(webhook, "compare_digest", compare)
    await status(hooked, {SECRET_HEADER: shown})

    assert compared == [(32, 32)]


@pytest.mark.parametrize("headers", [{}, {SECRET_HEADER: "wrong"}, bearer("wrong" * 8)])
async def test_a_stranger_is_refused_before_the_body_is_read(
    hooked: Line, headers: dict[str, str]
) -> None:
    host, port = hooked.service.url.removeprefix("http://").split(":")
    lines = ["POST /webhook/telegram HTTP/1.1", "Host: x", "Content-Type: application/json"]
    lines += ["Content-Length: 900000", *(f"{name}: {value}" for name, value in headers.items())]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "", ""]).encode())

    async with asyncio.timeout(10):
        first = await reader.readline()
    writer.close()

    assert first.split()[1] == b"401"


async def test_wrong_secrets_are_counted(place: Place) -> None:
    async with line(place, telegram_webhook_secret=SECRET, login_rate_limit="3/minute") as hooked:
        heard = [await status(hooked, {SECRET_HEADER: "wrong"}) for _ in range(5)]

        assert heard == [401, 401, 401, 429, 429]
        assert await status(hooked, SHOWN) == 200


# -- presses --------------------------------------------------------------------------------


def pressed(
    hooked: Line, data: str, person: int = MINA, chat: int | None = None
) -> Callable[[Any], Any]:
    place = hooked.telegram.chats[chat or MINA]
    shown = hooked.telegram.keep(place, hooked.telegram.bot_id, {"text": "Choose"})
    return lambda people: people.press(person, shown.id, data, chat, forged=True)


async def test_telegram_is_told_to_answer_a_press(hooked: Line) -> None:
    pressed(hooked, "/help")(hooked.telegram.people)
    (press,) = hooked.telegram.presses

    assert await hooked.bring(SHOWN) == [
        {"method": "answerCallbackQuery", "callback_query_id": press}
    ]


async def test_and_what_the_presser_is_told(hooked: Line) -> None:
    pressed(hooked, "k:nothing")(hooked.telegram.people)
    (press,) = hooked.telegram.presses

    assert await hooked.bring(SHOWN) == [
        {
            "method": "answerCallbackQuery",
            "callback_query_id": press,
            "text": texts.STALE_BUTTON,
        }
    ]


async def test_the_bot_answers_presses_by_itself(hooked: Line) -> None:
    heard = await hooked.do(pressed(hooked, "k:nothing"), pressed(hooked, "/help"))

    assert heard == [
        {"accepted": True, "notice": texts.STALE_BUTTON},
        {"accepted": True, "notice": None},
    ]


async def test_a_press_that_cannot_be_read_stops_turning_too(hooked: Line) -> None:
    press = {"id": "77", "from": {"id": "x"}, "data": 5}

    heard = await hooked.post({"update_id": 1, "callback_query": press}, SHOWN)

    assert heard == {"method": "answerCallbackQuery", "callback_query_id": "77"}


async def test_a_repeated_press_is_answered_again_and_done_once(hooked: Line) -> None:
    pressed(hooked, "/help")(hooked.telegram.people)
    (update,) = (each.json() for each in hooked._taken())

    heard = [await hooked.post(update, SHOWN) for _ in range(3)]

    assert heard[0] == heard[1] == heard[2]
    assert len(await hooked.answers()) == 1


async def test_a_message_is_answered_with_no_call(hooked: Line) -> None:
    hooked.telegram.people.say(MINA, "/help")

    assert await hooked.bring(SHOWN) == [{"accepted": True, "notice": None}]


async def test_both_answers_are_in_the_document(hooked: Line) -> None:
    document = (await hooked.service.http.get("/openapi.json")).json()

    told = document["paths"]["/webhook/telegram"]["post"]["responses"]
    schema = told["200"]["content"]["application/json"]["schema"]
    names = {each["$ref"].rpartition("/")[2] for each in schema["anyOf"]}
    call = document["components"]["schemas"]["AnswerCall"]

    assert names == {"Accepted", "AnswerCall"}
    assert set(call["required"]) == {"callback_query_id"}
    assert call["properties"]["method"]["const"] == "answerCallbackQuery"
    assert "422" not in told


async def test_telegram_itself_brings_updates_and_answers_presses(hooked: Line) -> None:
    world = hooked.telegram
    world.webhook.set(f"{hooked.service.url}/webhook/telegram", SECRET, 40)
    try:
        world.people.say(MINA, "/help")
        pressed(hooked, "k:nothing")(world.people)
        pressed(hooked, "/help", JONAS, GROUP)(world.people)
        await until(lambda: all(press.answer for press in world.presses.values()))
        await until(lambda: not world.updates.alive())
    finally:
        world.webhook.stop()

    told = [press.answer for press in world.presses.values()]
    assert [answer and answer.get("text", "") for answer in told] == [texts.STALE_BUTTON, ""]
    assert len(await hooked.answers()) == 2
    await settled(hooked.service)
