"""What instances tell each other about alerts: whoever is first has it, the others do nothing."""

from sqlalchemy import Connection

from app.storage import alerts

NOW = 1_800_000_000.0


def test_who_read_the_same_sends_it_once(db: Connection) -> None:
    seen = alerts.raise_(db, "llm_key", NOW)

    assert [alerts.tell(db, seen, NOW + 1) for _ in range(2)] == [True, False]
    assert alerts.open_(db) == [seen._replace(told_at=NOW + 1)]


def test_what_is_over_is_not_sent(db: Connection) -> None:
    seen = alerts.raise_(db, "llm_key", NOW)
    alerts.over(db, "llm_key", NOW + 1)

    assert alerts.tell(db, seen, NOW + 2) is False


def test_it_ends_once(db: Connection) -> None:
    seen = alerts.raise_(db, "llm_key", NOW)

    assert [alerts.over(db, "llm_key", NOW + 1) for _ in range(2)] == [seen, None]
    assert alerts.open_(db) == []


def test_what_goes_on_keeps_its_beginning_and_what_comes_back_has_a_new_one(
    db: Connection,
) -> None:
    alerts.raise_(db, "llm_key", NOW)
    on = alerts.raise_(db, "llm_key", NOW + 60)
    alerts.over(db, "llm_key", NOW + 120)
    back = alerts.raise_(db, "llm_key", NOW + 180)

    assert (on.began_at, on.seen_at) == (NOW, NOW + 60)
    assert (back.began_at, back.seen_at) == (NOW + 180, NOW + 180)
