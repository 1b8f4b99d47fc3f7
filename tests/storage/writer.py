"""A process with a store: `python -m tests.storage.writer FILE`.

It says `open`, then writes in several tasks, and says each word once it was told that it is kept.
With `once` after the file it writes one word between `begin` and `told`.
"""

import asyncio
import os
import sys

from sqlalchemy.engine import make_url

from app.storage.sqlite import open_sqlite
from app.storage.store import Store
from tests.storage.words import write

TASKS = 4


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


async def keep_writing(store: Store, task: int) -> None:
    number = 0
    while True:
        say(await store.run(write(f"{os.getpid()}-{task}-{number}")))
        number += 1


async def write_once(store: Store) -> None:
    say("begin")
    await store.run(write("word"))
    say("told")


async def main(file: str, *, once: bool) -> None:
    with open_sqlite(make_url(f"sqlite:///{file}")) as store:
        say("open")
        if once:
            await write_once(store)
            return
        await asyncio.gather(*(keep_writing(store, task) for task in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], once="once" in sys.argv[2:]))
