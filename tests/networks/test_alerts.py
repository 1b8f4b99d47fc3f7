"""A sign-in that Plume no longer accepts is told to the administrators, by its number."""

import asyncio

from app.storage import deliveries
from app.storage.deliveries import START
from simulator.plume import PARTNER, PlumeWorld
from simulator.plume.faults import ALWAYS
from tests.api.service import Clock, Place, Service
from tests.networks.engineer import Engineer
from wire.reply import Reply

REFUSED = "**Plume no longer accepts a sign-in that is stored here:** connection `1`."
OVER = "**Over:** Plume accepts the sign-in of connection `1` again."


async def sent(service: Service, count: int) -> list[str]:
    store, sealer = service.parts.memory.store, service.parts.memory.sealer
    async with asyncio.timeout(5):
        while True:
            due, _ = await store.run(lambda db: deliveries.due(db, sealer, "telegram", START, 100))
            if len(due) >= count:
                return [Reply.model_validate_json(it.reply or b"").response for it in due]
            await asyncio.sleep(0.01)


async def test_a_stored_sign_in_that_is_refused_is_told_and_its_end(
    place: Place, plume: PlumeWorld, clock: Clock
) -> None:
    async with place.running(wires={"clock": clock}, telegram_admin_users="501") as service:
        engineer = Engineer(service)
        await engineer.sign_in()
        await engineer.choose(plume, "all_fine")
        clock.now += plume.lifetime
        plume.tokens.revoke()
        plume.fail("/oauth2/*", "oauth:invalid_client", ALWAYS)

        for _ in range(2):
            await engineer.say("/wan")
        during = await sent(service, 1)
        plume.faults.clear()
        assert (await engineer.say("/wan"))["success"]
        after = await sent(service, 2)

    assert [text[: len(REFUSED)] for text in during] == [REFUSED]
    assert after[1:] == [OVER]


async def test_what_somebody_types_wrong_at_sign_in_is_not_told(
    place: Place, plume: PlumeWorld, clock: Clock
) -> None:
    async with place.running(wires={"clock": clock}, telegram_admin_users="501") as service:
        plume.fail("/oauth2/*", "oauth:invalid_client", ALWAYS)
        engineer = Engineer(service)
        await engineer.say("/setup")
        await engineer.say(PARTNER.header)
        refused = await engineer.say(PARTNER.id)
        await asyncio.sleep(0.05)

        assert not refused["success"]
        assert plume.sign_ins
        assert await sent(service, 0) == []
