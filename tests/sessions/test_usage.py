from sqlalchemy import Connection, select

from app.sessions import usage
from app.sessions.usage import Use
from app.storage.tables import usage as table

DAY = 86_400.0


def test_nothing_was_used_yet(db: Connection) -> None:
    assert usage.totals(db) == []


def test_uses_add_up_per_day_platform_and_model(db: Connection) -> None:
    for now in (10 * DAY, 11 * DAY - 1, 11 * DAY):
        usage.add(db, Use("telegram", "a/b", 1, 10, 20, 0.25), now)

    rows = db.execute(select(table).order_by(table.c.day)).all()

    assert [tuple(row) for row in rows] == [
        (10, "telegram", "a/b", 2, 20, 40, 0.5),
        (11, "telegram", "a/b", 1, 10, 20, 0.25),
    ]


def test_totals_are_over_all_days_and_apart_for_platforms_and_models(db: Connection) -> None:
    for now in (0.0, 5 * DAY):
        for platform, model in (("telegram", "a/b"), ("telegram", ""), ("internal", "a/b")):
            usage.add(db, Use(platform, model, 1, 1, 2, 0.5), now)

    assert sorted(usage.totals(db)) == [
        Use("internal", "a/b", 2, 2, 4, 1.0),
        Use("telegram", "", 2, 2, 4, 1.0),
        Use("telegram", "a/b", 2, 2, 4, 1.0),
    ]
