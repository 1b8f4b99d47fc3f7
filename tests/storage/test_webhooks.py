"""Signed calls: each once, and answered as it was the first time."""

from sqlalchemy import Connection

from app.storage.webhooks import KEPT_SECONDS, first_status, sweep
from tests.storage.queue import NOW


def test_a_call_is_new_once_and_keeps_its_first_status(db: Connection) -> None:
    found = [first_status(db, "internal", "m1", status, NOW) for status in (422, 202, 422)]

    assert found == [None, 422, 422]


def test_ids_are_told_apart_by_every_character_and_by_platform(db: Connection) -> None:
    ids = [("internal", "m1"), ("internal", "M1"), ("internal", "m1 "), ("other", "m1")]

    assert [first_status(db, *each, 202, NOW) for each in ids] == [None] * 4


def test_a_call_is_remembered_for_a_day(db: Connection) -> None:
    first_status(db, "internal", "m1", 202, NOW)

    sweep(db, NOW + KEPT_SECONDS - 1)
    assert first_status(db, "internal", "m1", 202, NOW) == 202
    sweep(db, NOW + KEPT_SECONDS)
    assert first_status(db, "internal", "m1", 202, NOW) is None
