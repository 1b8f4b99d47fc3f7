"""What was said: a question and its answer in one row, so that they always alternate."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select

from app.storage.prepared import Prepared
from app.storage.sealed import Sealer
from app.storage.tables import exchanges, pictures

PICTURE_TURNS = 2  # the pictures of so many exchanges are kept; older ones become a word


@dataclass(frozen=True, slots=True)
class Image:
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """`pictures` is how many came with the question; `images` are those still kept."""

    number: int
    question: str
    answer: str
    pictures: int = 0
    images: tuple[Image, ...] = ()


_LATEST = Prepared(
    select(exchanges.c.number, exchanges.c.said, exchanges.c.pictures)
    .where(exchanges.c.session == bindparam("key"))
    .order_by(exchanges.c.number.desc())
    .limit(bindparam("most"))
)
_ADD = Prepared(insert(exchanges), exchanges.c.keys())
_DROP = Prepared(
    delete(exchanges)
    .where(exchanges.c.session == bindparam("key"), exchanges.c.number <= bindparam("last"))
    .returning(exchanges.c.pictures)
)
_PICTURES = (
    select(pictures.c.number, pictures.c.position, pictures.c.media_type, pictures.c.content)
    .where(pictures.c.session == bindparam("key"))
    .order_by(pictures.c.number, pictures.c.position)
)


def latest(db: Connection, sealer: Sealer, session: int, most: int) -> list[Exchange]:
    """Return up to `most` exchanges of a session, the oldest first."""
    rows = _LATEST(db, key=session, most=most).fetchall()
    images = _images(db, sealer, session) if any(row[2] for row in rows) else {}
    found = []
    for number, said, count in reversed(rows):
        question, answer = orjson.loads(sealer.open(said, _place(session, number)))
        found.append(Exchange(number, question, answer, count, tuple(images.get(number, ()))))
    return found


def add(db: Connection, sealer: Sealer, session: int, exchange: Exchange, keep: int) -> None:
    """Keep an exchange, and of the older ones only so many that `keep` are there in all."""
    place = _place(session, exchange.number)
    said = sealer.seal(orjson.dumps((exchange.question, exchange.answer)), place)
    _ADD(db, session=session, number=exchange.number, said=said, pictures=exchange.pictures)
    if exchange.number > keep:
        _drop(db, session, exchange.number - keep)
    if exchange.images:
        _add_images(db, sealer, session, exchange.number, exchange.images)


def clear(db: Connection, session: int) -> None:
    """Forget everything that was said in a session."""
    db.execute(delete(exchanges).where(exchanges.c.session == session))
    db.execute(delete(pictures).where(pictures.c.session == session))


def _drop(db: Connection, session: int, last: int) -> None:
    if any(count for (count,) in _DROP(db, key=session, last=last).fetchall()):
        old = (pictures.c.session == session, pictures.c.number <= last)
        db.execute(delete(pictures).where(*old))


def _images(db: Connection, sealer: Sealer, session: int) -> dict[int, list[Image]]:
    found: dict[int, list[Image]] = {}
    for number, position, media_type, content in db.execute(_PICTURES, {"key": session}):
        opened = sealer.open(content, f"{_place(session, number)}/{position}")
        found.setdefault(number, []).append(Image(media_type, opened))
    return found


def _add_images(
    db: Connection, sealer: Sealer, session: int, number: int, images: Sequence[Image]
) -> None:
    db.execute(
        insert(pictures),
        [
            {
                "session": session,
                "number": number,
                "position": position,
                "media_type": image.media_type,
                "content": sealer.seal(image.content, f"{_place(session, number)}/{position}"),
            }
            for position, image in enumerate(images)
        ],
    )
    kept = (
        select(pictures.c.number)
        .where(pictures.c.session == session)
        .distinct()
        .order_by(pictures.c.number.desc())
        .limit(PICTURE_TURNS)
    )
    old = pictures.c.number.not_in(kept.scalar_subquery())
    db.execute(delete(pictures).where(pictures.c.session == session, old))


def _place(session: int, number: int) -> str:
    return f"exchanges/{session}/{number}"
