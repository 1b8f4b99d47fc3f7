"""What becomes of a delivery by what is said of it, over real sockets."""

from typing import Any

import pytest

from app import texts
from tests.api.service import ADMIN, Clock, Place, Service, bearer
from tests.api.test_webhook import ack, final, send, update, waiting, watching


async def dead(service: Service, key: str = ADMIN) -> list[Any]:
    heard = await service.http.get("/admin/deliveries", headers=bearer(key))
    assert heard.status_code == 200, heard.text
    letters: list[Any] = heard.json()["refused"]
    return letters


async def redriven(service: Service, **query: Any) -> int:
    heard = await service.http.post("/admin/redrive", headers=bearer(ADMIN), params=query)
    assert heard.status_code == 200, heard.text
    count: int = heard.json()["redriven"]
    return count


async def test_placed_may_be_said_again_and_again(service: Service) -> None:
    async with watching(service) as events:
        await send(service, update(1, "/help"))
        number = (await final(events))["id"]
    for edits in (["50"], ["50"], ["50", "51"]):
        assert await ack(service, number, outcome="placed", message_ids=edits) == 200

    ((_, delivery),) = await waiting(service)

    assert delivery["edits"] == ["50", "51"]


@pytest.mark.parametrize("outcome", ["sent", "refused"])
async def test_what_has_ended_is_acknowledged_once(service: Service, outcome: str) -> None:
    async with watching(service) as events:
        await send(service, update(1, "/help"))
        number = (await final(events))["id"]

    assert await ack(service, number, outcome=outcome) == 200

    later = [await ack(service, number, outcome=each) for each in ("placed", "sent", "refused")]
    assert later == [409] * 3
    assert await waiting(service) == []


async def test_later_is_not_before_its_time(place: Place) -> None:
    clock = Clock()
    async with place.running(wires={"clock": clock}) as service, watching(service) as events:
        await send(service, update(1, "/help"))
        number = (await final(events))["id"]
        await ack(service, number, outcome="later", retry_after=300)
        # What comes meanwhile must not make the other one forgotten.
        await send(service, update(2, "/help"))
        other = (await final(events))["id"]
        await ack(service, other, outcome="sent")
        clock.now += 299
        assert await waiting(service) == []
        clock.now += 1
        again = await final(events)

    assert again["id"] == number


async def test_a_chat_with_a_new_id_takes_its_deliveries_along(service: Service) -> None:
    group = {"id": -5, "type": "group", "title": "Nights"}
    async with watching(service) as events:
        for number in (1, 2):
            await send(service, update(number, "/help", chat=group))
        one, two = await final(events), await final(events)
        for delivery in (one, two):
            await ack(service, delivery["id"], outcome="placed", message_ids=["50"])
        moved: dict[str, Any] = {"message_ids": ["7"], "new_chat_id": "-1005"}
        assert await ack(service, one["id"], outcome="placed", **moved) == 200
        told = [await final(events), await final(events)]

    assert {each["chat_id"] for each in told} == {"-1005"}
    assert {each["id"]: each["edits"] for each in told} == {one["id"]: ["7"], two["id"]: []}
    # The number of a message in the old chat is anybody's in the new one.
    assert [each["source_message_id"] for each in told] == [None, None]


async def test_dead_letters_are_listed_for_the_operator_and_driven_again(
    service: Service,
) -> None:
    async with watching(service) as events:
        numbers = []
        for number in range(1, 4):
            await send(
                service, update(number, "/help", **{"from": {"id": number, "first_name": "A"}})
            )
            numbers.append((await final(events))["id"])
        for number in numbers:
            await ack(service, number, outcome="refused", reason=f"reason {number}")
        listed = await dead(service)
        one = await redriven(service, delivery_id=numbers[1])
        first = await final(events)
        everything = await redriven(service)
        others = {(await final(events))["id"] for _ in range(2)}

    assert [(each["id"], each["reason"]) for each in listed] == [
        (number, f"reason {number}") for number in reversed(numbers)
    ]
    assert (one, first["id"]) == (1, numbers[1])
    assert (everything, others) == (2, {numbers[0], numbers[2]})
    assert await dead(service) == []


@pytest.mark.parametrize("number", [0, -1, 2**63, "x"])
async def test_a_number_that_none_can_have_is_refused(service: Service, number: Any) -> None:
    heard = await service.http.post(
        "/admin/redrive", headers=bearer(ADMIN), params={"delivery_id": number}
    )

    assert heard.status_code == 422
    assert await ack(service, number, outcome="sent") in {404, 422}


async def test_a_long_button_has_a_short_key_that_only_its_owner_may_press(
    service: Service,
) -> None:
    question = "hello [[fault:http-500]] " + "x" * 60
    async with watching(service) as events:
        await send(service, update(1, question))
        failed = await final(events)
        ((button,),) = failed["reply"]["buttons"]
        key = button["send"]

        def press(number: int, person: int) -> dict[str, Any]:
            shown = update(50)["message"] | {"message_id": 50}
            pressed = {"id": str(number), "from": {"id": person, "first_name": "P"}}
            return {
                "update_id": 5000 + number,
                "callback_query": pressed | {"message": shown, "data": key},
            }

        foreign = await send(service, press(1, 8))
        await send(service, press(2, 7))
        again = await final(events)

    assert len(key.encode()) <= 64
    assert foreign["notice"] == texts.STALE_BUTTON
    assert again["id"] != failed["id"]
    assert again["reply"]["buttons"][0][0]["label"] == texts.RETRY_BUTTON
    kept = await service.sql("SELECT count(*) FROM deliveries")
    assert kept == 2
