"""A thousand attempts to be somebody else: none succeeds. In CI some of them, seeded."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest

from app.api.auth import Caller
from app.storage import inbox
from tests.api.service import BOT, INTERNAL, Clock, Place, Service, said
from tests.security.doors import SETTINGS, delivery_of
from tests.security.spoofs import ANN, BEN, KINDS, MALLORY, ROOM, Loot, Spoof

SOAK = bool(os.environ.get("SOAK"))
ATTEMPTS = 1000 if SOAK else 480
SEED = 20_261_121
WORDS = {"internal": "CANARY-of-ann", "telegram": "CANARY-of-ben"}
# What may not change: of Ann and of Ben, and that nothing that Mallory pressed is worked on.
STATE = f"""SELECT
 (SELECT group_concat(public_id || platform || user_id || message_count || active_at, ';')
  FROM sessions WHERE id IN (1, 2)),
 (SELECT group_concat(id || state || coalesce(hex(reply), ''), ';') FROM turns
  WHERE conversation IN (1, 2)),
 (SELECT group_concat(id || state || edits || chat_id, ';') FROM deliveries WHERE id IN (1, 2)),
 (SELECT count(*) FROM turns WHERE platform = 'telegram' AND user_id = '{MALLORY}'),
 (SELECT count(*) FROM bans), (SELECT count(*) FROM buttons)"""


@pytest.fixture
async def service(place: Place) -> AsyncIterator[Service]:
    more: dict[str, Any] = {"internal_rate_limit": 100_000, "telegram_rate_limit": 100_000}
    async with place.running(wires={"clock": Clock()}, **SETTINGS, **more) as service:
        yield service


async def loot_of(service: Service) -> Loot:
    """Let Ann and Ben say something, and tell what others may know of it."""
    messages, sessions = {}, {}
    people = (("internal", INTERNAL, ANN, ROOM), ("telegram", BOT, BEN, BEN))
    for platform, key, user, chat in people:
        message = said(WORDS[platform], platform=platform, user_id=user, chat_id=chat)
        answer = (await service.post(message, key)).json()
        assert answer["success"], answer
        messages[platform], sessions[platform] = message, answer["data"]["session_id"]
    memory, now = service.parts.memory, service.parts.processor.clock()
    send = f"tell me about {WORDS['telegram']}"
    button = await memory.store.run(
        lambda db: inbox.button_key(db, memory.sealer, "telegram", BEN, send, now)
    )
    deliveries = {platform: await delivery_of(service, platform) for platform in messages}
    return Loot(sessions, deliveries, messages, button, now)


async def state(service: Service) -> tuple[Any, ...]:
    return await service.parts.memory.store.run(lambda db: tuple(db.exec_driver_sql(STATE).one()))


async def send(service: Service, spoof: Spoof) -> httpx.Response:
    return await service.http.request(
        spoof.method, spoof.url, headers=spoof.headers, content=spoof.body
    )


async def successes(service: Service, loot: Loot, attempts: int) -> list[str]:
    """Try; return what worked. Whatever happens, Ann and Ben must not feel or lose anything."""
    chance = Random(SEED)
    before = await state(service)
    secrets = [*WORDS.values(), loot.button]
    found: list[str] = []
    tried: Counter[str] = Counter()
    for number in range(attempts):
        kind = KINDS[number % len(KINDS)]
        tried[kind.__name__] += 1
        spoof = kind(chance, loot)
        heard = await send(service, spoof)
        told = heard.text
        ids = set(loot.sessions.values()) - {spoof.url.rpartition("/")[2]}
        why = [
            f"status {heard.status_code}" if heard.status_code not in spoof.fine else "",
            *(f"heard {secret[:9]}" for secret in secrets if secret in told),
            "heard of a session" if any(each in told for each in ids) and not _own(spoof) else "",
        ]
        if (now := await state(service)) != before:
            why.append("something changed")
            before = now
        found += [f"{number} {kind.__name__} {spoof.url}: {fault}" for fault in why if fault]
    print(f"\n{sum(tried.values())} attempts of {len(tried)} kinds, {len(found)} successes")  # noqa: T201 - the figure
    return found


def _own(spoof: Spoof) -> bool:
    # The key of a platform sees the ids of its sessions in the list.
    return spoof.url.startswith("/sessions") and bool(spoof.headers)


@pytest.mark.soak
async def test_nobody_can_be_somebody_else(service: Service) -> None:
    assert await successes(service, await loot_of(service), ATTEMPTS) == []


async def test_an_attempt_that_works_is_seen(service: Service) -> None:
    loot, keys = await loot_of(service), service.parts.keys
    keys._callers = dict.fromkeys(keys._callers, Caller("telegram", admin=True))

    found = await successes(service, loot, 8 * len(KINDS))

    assert {line.split()[1] for line in found} >= {"delivery", "session_guess"}
