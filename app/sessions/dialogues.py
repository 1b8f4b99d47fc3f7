"""A question of a command that waits for an answer. It is part of the session and ends with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection

from app.sessions import sessions
from app.sessions.sessions import Session
from app.storage.sealed import Sealer


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`command` asked for `step`; `known` is what was answered so far."""

    command: str
    step: str
    known: Mapping[str, str] = field(default_factory=dict)


def of(sealer: Sealer, session: Session) -> Dialogue | None:
    """Return what a session waits for."""
    if session.dialogue is None:
        return None
    command, step, known = orjson.loads(sealer.open(session.dialogue, _place(session)))
    return Dialogue(command, step, known)


def keep(db: Connection, sealer: Sealer, session: Session, dialogue: Dialogue | None) -> None:
    if dialogue is None:
        sessions.keep_dialogue(db, session.id, None)
        return
    kept = orjson.dumps((dialogue.command, dialogue.step, dict(dialogue.known)))
    sessions.keep_dialogue(db, session.id, sealer.seal(kept, _place(session)))


def _place(session: Session) -> str:
    return f"dialogues/{session.public_id}"
