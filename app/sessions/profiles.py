"""What a person chose. It does not expire; `/forget` deletes it."""

from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.storage.prepared import Prepared
from app.storage.tables import profiles

Length = Literal["short", "normal", "long"]


@dataclass(frozen=True, slots=True)
class Profile:
    """None is: not chosen, the default holds."""

    model: str | None = None
    language: str | None = None
    length: Length | None = None
    streaming: bool | None = None
    time_zone: str | None = None


_CHOICES = tuple(Profile.__slots__)
_OF = Prepared(
    select(*(profiles.c[name] for name in _CHOICES)).where(
        profiles.c.platform == bindparam("platform"), profiles.c.user_id == bindparam("user_id")
    )
)
_KEEP = insert(profiles)
_KEEP = _KEEP.on_conflict_do_update(
    index_elements=["platform", "user_id"], set_={name: _KEEP.excluded[name] for name in _CHOICES}
)


def of(db: Connection, platform: str, user_id: str) -> Profile:
    """Return what a person chose; nothing chosen where nobody knows them."""
    row = _OF(db, platform=platform, user_id=user_id).fetchone()
    if row is None:
        return Profile()
    model, language, length, streaming, time_zone = row
    return Profile(
        model, language, length, None if streaming is None else bool(streaming), time_zone
    )


def keep(db: Connection, platform: str, user_id: str, profile: Profile) -> None:
    db.execute(_KEEP, {"platform": platform, "user_id": user_id, **asdict(profile)})


def forget(db: Connection, platform: str, user_id: str) -> None:
    theirs = (profiles.c.platform == platform, profiles.c.user_id == user_id)
    db.execute(delete(profiles).where(*theirs))
