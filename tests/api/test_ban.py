"""Who was sent away hears nothing more, and nothing of theirs is answered."""

from typing import Any

from tests.api.service import Place, Service, said
from tests.api.test_webhook import ack, final, send, update, waiting, watching

ADMIN, GUEST = 7, 8


def says(number: int, text: str, person: int) -> dict[str, Any]:
    who = {"id": person, "is_bot": False, "first_name": "P"}
    return update(number, text, **{"from": who, "chat": {"id": person, "type": "private"}})


async def answered(service: Service, raw: dict[str, Any]) -> str:
    async with watching(service) as events:
        await send(service, raw)
        delivery = await final(events)
    await ack(service, delivery["id"], outcome="sent")
    text: str = delivery["reply"]["response"]
    return text


async def test_a_ban_lasts_over_a_restart_until_it_is_lifted(place: Place) -> None:
    place.changes["telegram_admin_users"] = (ADMIN,)
    async with place.running() as service:
        await answered(service, says(1, f"/ban {GUEST}", ADMIN))
        await send(service, says(2, "/help", GUEST))
        first = await waiting(service)

    async with place.running() as service:
        await send(service, says(3, "/help", GUEST))
        second = await waiting(service)
        await answered(service, says(4, f"/unban {GUEST}", ADMIN))
        third = await answered(service, says(5, "/help", GUEST))

    assert (first, second) == ([], [])
    assert "/status" in third


async def test_on_the_internal_platform_administrators_share_but_ban_nobody(place: Place) -> None:
    place.changes["internal_admin_users"] = ("boss",)
    async with place.running() as service:
        helps = [await service.say("/help", user_id=who) for who in ("boss", "clerk")]
        banned = await service.post(said("/ban 8", user_id="boss"))

    assert ["/grant" in each for each in helps] == [True, False]
    assert "/ban" not in helps[0]
    assert banned.json()["error"] == "command_not_allowed"
