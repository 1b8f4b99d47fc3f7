"""What SQLite is asked, and how it goes about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, event

from app.storage.prepared import Cursor, Prepared

Asked = tuple[str, Any]  # a statement and its values, which are no part of it


@contextmanager
def noted(db: Connection) -> Iterator[list[Asked]]:
    """Collect what is asked, by SQLAlchemy and by a `Prepared`, which goes past it."""
    asked: list[Asked] = []
    call = Prepared.__call__

    def note(_db: object, _cursor: object, sql: str, values: Any, *_: object) -> None:
        asked.append((sql, values))

    def prepared(self: Prepared, db: Connection, **values: Any) -> Cursor:
        sql, fixed, order = self._compile(db)
        given = fixed | values
        asked.append((sql, given if order is None else tuple(given[name] for name in order)))
        return call(self, db, **values)

    event.listen(db, "before_cursor_execute", note)
    try:
        with patch.object(Prepared, "__call__", prepared):
            yield asked
    finally:
        event.remove(db, "before_cursor_execute", note)


def plan(db: Connection, asked: Asked) -> str:
    sql, values = asked
    return str(db.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all())
