"""Statements of the hot path, compiled once.

SQLAlchemy spends about 40 microseconds on each execution of a Core statement, the driver about
five. A `Prepared` is the same statement in the same transaction, handed to the driver. Its rows
are plain tuples: what a column type would convert on the way, it leaves alone.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler


class Cursor(Protocol):
    rowcount: int

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Prepared:
    """Call it with a connection and the values of its parameters.

    `columns` names the columns of an INSERT: their parameters are called as they are.
    """

    def __init__(self, statement: Executable, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else list(columns)
        self._texts: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def __call__(self, db: Connection, **values: Any) -> Cursor:
        """Execute, and return the driver's cursor.

        Raises:
            KeyError: a value is missing.
        """
        found = self._texts.get(db.dialect.name)
        sql, fixed, order = found or self._compile(db)
        cursor: Any = db.connection.cursor()
        given = fixed | values
        cursor.execute(sql, given if order is None else [given[name] for name in order])
        return cursor  # type: ignore[no-any-return]

    def _compile(self, db: Connection) -> tuple[str, dict[str, Any], list[str] | None]:
        compiled = self._statement.compile(  # type: ignore[attr-defined]
            dialect=db.dialect, column_keys=self._columns
        )
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - for the type checker
        fixed = {
            name: bind.value
            for name, bind in compiled.binds.items()
            if bind.value is not None and not bind.required
        }
        order = list(compiled.positiontup or ()) if compiled.positional else None
        text = (compiled.string, fixed, order)
        self._texts[db.dialect.name] = text
        return text
