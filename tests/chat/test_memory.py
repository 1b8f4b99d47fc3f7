from dataclasses import replace

import pytest
from sqlalchemy import Connection

from app.chat.memory import Memory
from app.commands.base import Call, Outcome, Spoken
from app.errors import InProgress
from app.llm.base import Tokens
from app.sessions import usage
from app.sessions.history import Exchange
from app.sessions.profiles import Profile
from app.sessions.sessions import Place
from app.storage import turns
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.turns import Key, NewTurn
from tests.fakes import INTERNAL, NOW, TELEGRAM, call, catalogue, message
from wire.reply import Reply

LIFETIME = 1800.0
PLACE = Place("internal", "c1", "", "u1")
SAID = Spoken("Hello.", "", "openai/gpt-5.4", Tokens(3, 5, 8, 0.25), told="openai/gpt-5.4")
SPOKEN = Outcome(
    Reply(response="Hello."),
    spoken=SAID,
    exchange=Exchange(1, "Hi", "Hello."),
    profile=Profile(language="German"),
)


@pytest.fixture
def memory(store: Store, sealer: Sealer) -> Memory:
    return Memory(store, sealer, catalogue(), LIFETIME)


async def begun(memory: Memory, number: int = 1) -> tuple[int, Key, Call]:
    """Keep a turn, and return it with the call that it makes."""
    context = await memory.recall(PLACE, INTERNAL, NOW)
    key = Key("internal", "internal", "c1", f"m{number}")
    new = NewTurn(key, "u1", context.session.id, b"0" * 32, b"request")

    def unit(db: Connection) -> turns.Added:
        turns.known(db, memory.sealer, key, new.fingerprint)
        return turns.add(db, memory.sealer, new, "me", NOW)

    added = await memory.store.run(unit)
    made = call(message("Hi"), session=context.session, profile=context.profile)
    return added.id, key, replace(made, history=context.history)


async def total(memory: Memory) -> int:
    return sum(use.messages for use in await memory.store.run(usage.totals))


async def rows(memory: Memory, table: str) -> int:
    count = f"SELECT count(*) FROM {table}"
    found: int = await memory.store.run(lambda db: db.exec_driver_sql(count).scalar_one())
    return found


async def test_what_a_turn_leaves_is_what_the_next_one_finds(memory: Memory) -> None:
    turn, key, made = await begun(memory)

    answer = await memory.keep(turn, key, "me", made, SPOKEN, NOW + 5)

    found = await memory.recall(PLACE, INTERNAL, NOW + 6)
    assert found.history == [Exchange(1, "Hi", "Hello.")]
    assert found.profile == Profile(language="German")
    assert found.session.told == "openai/gpt-5.4"
    assert (found.session.message_count, found.session.active_at) == (1, NOW + 5)
    assert (found.session.prompt_tokens, found.session.completion_tokens) == (3, 5)
    assert found.session.cost_usd == 0.25
    assert answer.data.message_count == 1
    assert answer.data.usage is not None
    assert answer.data.usage.total_tokens == 8
    stored = await memory.store.run(lambda db: turns.known(db, memory.sealer, key, b"0" * 32))
    assert stored == answer.model_dump_json().encode()


async def test_who_lost_the_lease_leaves_nothing(memory: Memory) -> None:
    turn, key, made = await begun(memory)

    with pytest.raises(InProgress):
        await memory.keep(turn, key, "somebody else", made, SPOKEN, NOW)

    found = await memory.recall(PLACE, INTERNAL, NOW)
    assert (found.history, found.profile, found.session.message_count) == ([], Profile(), 0)
    assert await total(memory) == 0


async def test_a_turn_that_cannot_be_kept_whole_is_not_kept_at_all(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, key, made = await begun(memory)
    monkeypatch.setattr("app.chat.memory.history.add", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        await memory.keep(turn, key, "me", made, SPOKEN, NOW)

    found = await memory.recall(PLACE, INTERNAL, NOW)
    with pytest.raises(InProgress):
        await memory.store.run(lambda db: turns.known(db, memory.sealer, key, b"0" * 32))
    assert (found.profile, found.session.message_count, await total(memory)) == (Profile(), 0, 0)


async def test_a_reply_without_a_model_names_the_one_that_would_serve(memory: Memory) -> None:
    memory.catalogue.mark_gone("openai/gpt-5-chat")
    turn, key, made = await begun(memory)

    answer = await memory.keep(turn, key, "me", made, Outcome(Reply(response="Help.")), NOW)

    assert answer.data.requested_model == "openai/gpt-5-chat"
    assert answer.data.model == "openai/gpt-5.4"
    assert answer.data.usage is None
    assert await total(memory) == 1


async def test_forgetting_the_history_keeps_the_rest(memory: Memory) -> None:
    turn, key, made = await begun(memory)
    await memory.keep(turn, key, "me", made, SPOKEN, NOW)
    turn, key, made = await begun(memory, 2)

    cleared = Outcome(Reply(response="Forgotten."), forget="history")
    await memory.keep(turn, key, "me", made, cleared, NOW)

    found = await memory.recall(PLACE, INTERNAL, NOW)
    assert (found.history, found.profile.language) == ([], "German")
    assert (found.session.id, found.session.message_count) == (made.session.id, 2)


async def test_forgetting_the_person_leaves_no_row_of_them(memory: Memory) -> None:
    turn, key, made = await begun(memory)
    await memory.keep(turn, key, "me", made, SPOKEN, NOW)
    turn, key, made = await begun(memory, 2)

    forgotten = Outcome(Reply(response="Forgotten."), forget="person")
    await memory.keep(turn, key, "me", made, forgotten, NOW)

    for table in ("turns", "sessions", "profiles", "exchanges"):
        assert await rows(memory, table) == 0, table


@pytest.mark.parametrize(("most", "remembered"), [(0, 0), (1, 0), (2, 1), (3, 1), (30, 1)])
async def test_a_platform_without_room_for_an_exchange_remembers_none(
    memory: Memory, most: int, remembered: int
) -> None:
    platform = replace(INTERNAL, max_history=most)
    turn, key, made = await begun(memory)

    await memory.keep(turn, key, "me", replace(made, platform=platform), SPOKEN, NOW)

    assert len((await memory.recall(PLACE, INTERNAL, NOW)).history) == remembered


async def test_a_turn_that_is_given_up_may_come_again(memory: Memory) -> None:
    turn, key, _ = await begun(memory)

    await memory.give_up(turn, key, "me")

    again, _, _ = await begun(memory)
    assert again != turn


async def test_the_sweep_tells_what_it_took(memory: Memory) -> None:
    turn, key, made = await begun(memory)
    await memory.keep(turn, key, "me", made, SPOKEN, NOW)
    await memory.recall(PLACE._replace(user_id="u2"), TELEGRAM, NOW + LIFETIME)

    assert await memory.sweep(NOW + LIFETIME) == (1, 0)
    assert await memory.sweep(NOW + 8 * 86_400) == (1, 1)
    assert await memory.sweep(NOW + 8 * 86_400) == (0, 0)
