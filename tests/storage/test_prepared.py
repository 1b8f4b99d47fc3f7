import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from app.errors import EmptyMessage
from app.storage.prepared import Prepared
from app.storage.store import Store
from app.storage.tables import usage

ADD = Prepared(insert(usage), usage.c.keys())
OF = Prepared(
    select(usage.c.messages, usage.c.cost_usd)
    .where(usage.c.platform == bindparam("on"), usage.c.model == "fixed", usage.c.messages > 0)
    .order_by(usage.c.day)
    .limit(bindparam("most"))
)
RAISE = Prepared(
    update(usage)
    .where(usage.c.platform == bindparam("on"))
    .values(messages=usage.c.messages + bindparam("more"))
)


def row(day: int, messages: int = 1) -> dict[str, object]:
    return {
        "day": day, "platform": "p", "model": "fixed", "messages": messages,
        "prompt_tokens": 0, "completion_tokens": 0, "cost_usd": 0.5,
    }  # fmt: skip


async def test_rows_are_plain_tuples_in_the_order_asked_for(store: Store) -> None:
    await store.run(lambda db: [ADD(db, **row(day, day)).rowcount for day in (2, 1, 3)])

    found = await store.run(lambda db: OF(db, on="p", most=2).fetchall())

    assert found == [(1, 0.5), (2, 0.5)]


async def test_the_same_statement_takes_other_values_each_time(store: Store) -> None:
    await store.run(lambda db: ADD(db, **row(1)).rowcount)

    changed = await store.run(
        lambda db: [RAISE(db, on=on, more=5).rowcount for on in ("p", "other", "p")]
    )

    assert changed == [1, 0, 1]
    assert await store.run(lambda db: OF(db, on="p", most=9).fetchall()) == [(11, 0.5)]


async def test_a_missing_value_is_an_error_and_not_null(store: Store) -> None:
    with pytest.raises(KeyError):
        await store.run(lambda db: OF(db, on="p").fetchall())
    short = {name: value for name, value in row(1).items() if name != "model"}
    with pytest.raises(KeyError):
        await store.run(lambda db: ADD(db, **short).rowcount)


async def test_it_belongs_to_the_unit_and_is_undone_with_it(store: Store) -> None:
    def unit(db: Connection) -> None:
        ADD(db, **row(1))
        raise EmptyMessage

    with pytest.raises(EmptyMessage):
        await store.run(unit)

    assert await store.run(lambda db: OF(db, on="p", most=9).fetchall()) == []
