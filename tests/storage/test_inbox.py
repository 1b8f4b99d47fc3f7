"""What the inbox keeps: each update once, who may send, days, and what long buttons stand for."""

import pytest
from sqlalchemy import Connection, func, select

from app.storage import inbox
from app.storage.inbox import KEPT_SECONDS
from app.storage.sealed import Sealer
from app.storage.tables import buttons, daily, updates
from tests.storage.queue import NOW

DAY = 86_400.0
TELEGRAM = "telegram"


def rows(db: Connection, table: object) -> int:
    return db.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def note(db: Connection, number: int, outcome: str = "taken", bot: str = "1") -> bool:
    return inbox.first_time(db, bot, number, outcome, NOW)


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1, -5])
def test_an_update_is_new_once(db: Connection, number: int) -> None:
    assert [note(db, number) for _ in range(3)] == [True, False, False]
    assert note(db, number, "unreadable") is False


def test_each_bot_has_updates_of_its_own(db: Connection) -> None:
    assert [note(db, 5, bot=bot) for bot in ("1", "2", "")] == [True, True, True]


def test_what_nobody_could_read_is_counted(db: Connection) -> None:
    for number, outcome in enumerate(("taken", "unreadable", "ignored", "unreadable")):
        note(db, number, outcome)
    note(db, 3, "unreadable")

    assert inbox.unreadable(db) == 2


def test_updates_without_a_number_are_numbered_below_zero(db: Connection) -> None:
    found = [inbox.least_number(db)]
    note(db, 700)
    found.append(inbox.least_number(db))
    note(db, -1)
    note(db, -2)

    assert [*found, inbox.least_number(db)] == [0, 0, -2]


def test_the_turns_of_a_day_are_counted_by_utc_person_and_platform(db: Connection) -> None:
    midnight = DAY * 20_000
    spent = [
        inbox.spend_day(db, platform, person, now)
        for platform, person, now in (
            (TELEGRAM, "7", midnight - 1),
            (TELEGRAM, "7", midnight - 1),
            (TELEGRAM, "8", midnight - 1),
            ("internal", "7", midnight - 1),
            (TELEGRAM, "7", midnight),
            (TELEGRAM, "7", midnight + DAY - 1),
            (TELEGRAM, "7", midnight + DAY),
        )
    ]

    assert spent == [1, 2, 1, 1, 1, 2, 1]


def test_a_ban_is_of_one_person_on_one_platform(db: Connection) -> None:
    inbox.ban(db, TELEGRAM, "7", NOW)
    inbox.ban(db, TELEGRAM, "7", NOW + 1)

    assert inbox.is_banned(db, TELEGRAM, "7")
    assert not inbox.is_banned(db, TELEGRAM, "77")
    assert not inbox.is_banned(db, "internal", "7")
    assert [inbox.unban(db, TELEGRAM, "7", NOW) for _ in range(2)] == [True, False]
    assert not inbox.is_banned(db, TELEGRAM, "7")


def test_a_key_opens_for_its_owner_alone(db: Connection, sealer: Sealer) -> None:
    key = inbox.button_key(db, sealer, TELEGRAM, "7", "tell me more", NOW)

    assert inbox.button_send(db, sealer, TELEGRAM, "7", key) == "tell me more"
    for platform, person, pressed in (
        (TELEGRAM, "8", key),
        ("internal", "7", key),
        (TELEGRAM, "7", key[:-1]),
        (TELEGRAM, "7", key + "x"),
        (TELEGRAM, "7", ""),
    ):
        assert inbox.button_send(db, sealer, platform, person, pressed) is None


def test_keys_are_short_and_never_the_same(db: Connection, sealer: Sealer) -> None:
    keys = {inbox.button_key(db, sealer, TELEGRAM, "7", "x", NOW) for _ in range(200)}

    assert len(keys) == 200
    assert max(map(len, keys)) <= 32


def test_what_a_button_sends_is_sealed_and_bound_to_its_key(db: Connection, sealer: Sealer) -> None:
    mine, theirs = (
        inbox.button_key(db, sealer, TELEGRAM, person, f"secret {person}", NOW)
        for person in ("7", "8")
    )
    sealed = db.execute(select(buttons.c.send).where(buttons.c.key == theirs)).scalar_one()
    db.execute(buttons.update().where(buttons.c.key == mine).values(send=sealed))

    assert b"secret" not in sealed
    assert inbox.button_send(db, sealer, TELEGRAM, "7", mine) is None
    assert inbox.button_send(db, sealer, TELEGRAM, "8", theirs) == "secret 8"


def test_the_sweep_keeps_a_week_of_updates_and_five_of_buttons(
    db: Connection, sealer: Sealer
) -> None:
    note(db, 1)
    inbox.button_key(db, sealer, TELEGRAM, "7", "x", NOW)
    found = []
    for age in (KEPT_SECONDS - 1, KEPT_SECONDS, 5 * KEPT_SECONDS - 1, 5 * KEPT_SECONDS):
        inbox.sweep(db, NOW + age)
        found.append((rows(db, updates), rows(db, buttons)))

    assert found == [(1, 1), (0, 1), (0, 1), (0, 0)]


def test_the_sweep_forgets_days_that_are_over(db: Connection) -> None:
    midnight = DAY * 20_000
    for day in range(4):
        inbox.spend_day(db, TELEGRAM, "7", midnight + day * DAY)

    inbox.sweep(db, midnight + 3 * DAY)

    assert rows(db, daily) == 2
    assert inbox.spend_day(db, TELEGRAM, "7", midnight + 3 * DAY) == 2


def test_the_sweep_forgets_no_ban(db: Connection) -> None:
    inbox.ban(db, TELEGRAM, "7", NOW)

    inbox.sweep(db, NOW + 1000 * DAY)

    assert inbox.is_banned(db, TELEGRAM, "7")


def test_forgetting_a_person_forgets_their_buttons(db: Connection, sealer: Sealer) -> None:
    keys = {
        (platform, person): inbox.button_key(db, sealer, platform, person, "x", NOW)
        for platform, person in ((TELEGRAM, "7"), (TELEGRAM, "8"), ("internal", "7"))
    }

    inbox.forget_person(db, TELEGRAM, "7")

    left = [
        where
        for where, key in keys.items()
        if inbox.button_send(db, sealer, *where, key) is not None
    ]
    assert left == [(TELEGRAM, "8"), ("internal", "7")]
