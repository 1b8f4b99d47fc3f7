"""What a run must not leave behind."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.chain.stack import Chain, is_final, running
from tests.soak.claims import all_ended

WORDS = "heliotrope-7731"  # what people say in the tests; the service encrypts it


@asynccontextmanager
async def leaving_nothing(folder: Path) -> AsyncIterator[Chain]:
    """Run the chain; at its end, whatever was done, nothing may stand where it must not."""
    async with running(folder) as chain:
        yield chain
        await chain.until(lambda: not chain.telegram.updates.alive())
        await all_ended(chain.service)
    left = leaks(chain) + strays(chain)
    assert not left, left


def leaks(chain: Chain) -> list[str]:
    """Return where secrets, or the words of people, can be read that must not be there."""
    found = [
        f"{path.relative_to(chain.folder)}: {_name(chain, mark)}"
        for path in _files(chain.folder)
        for mark in (*chain.canaries, WORDS)
        if mark.encode() in path.read_bytes()
    ]
    replies = {chat: [it.content for it in of.messages.values()] for chat, of in _chats(chain)}
    asked = [it.body for it in chain.openrouter.requests]
    for place, seen in ("a chat", replies), ("the model", asked):
        text = json.dumps(seen, default=str)
        found += [f"{place}: {_name(chain, mark)}" for mark in chain.canaries if mark in text]
    return found


def strays(chain: Chain) -> list[str]:
    """Return the messages that still say that somebody works on them."""
    return [
        f"{chat}/{it.id}: {shown}"
        for chat, of in _chats(chain)
        for it in of.messages.values()
        if it.sender == chain.telegram.bot_id
        and not is_final(shown := chain.telegram.json(it, whole=False))
    ]


def _chats(chain: Chain) -> list[tuple[int, Any]]:
    return list(chain.telegram.chats.items())


def _files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".key"]
    # Else nothing was looked at.
    assert {".log", ".db"} <= {path.suffix for path in found}, found
    return found


def _name(chain: Chain, mark: str) -> str:
    names = ("token", "provider key", "internal key", "admin key", "bot key")
    return dict(zip(chain.canaries, names, strict=True)).get(mark, "words")
