"""The least that keeps the promise: a session in SQLite, and a turn that is on the disk.

FastAPI, aiohttp and SQLite with `synchronous=FULL`: the turn is committed before the model is
asked, and its answer before the caller hears it. Whoever waits at the same time is committed
together. No keys, limits, checks, order, encryption or log: what those cost is the difference.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from fastapi import FastAPI, Request, Response

HEADERS = {"Content-Type": "application/json"}
REMEMBERED = 30  # messages of a session
TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE turns (id INTEGER PRIMARY KEY, who TEXT, asked BLOB, reply BLOB);
CREATE TABLE said (id INTEGER PRIMARY KEY, who TEXT, body BLOB);
CREATE INDEX said_by ON said (who, id);
"""

Work = Callable[[sqlite3.Connection], Any]


class Store:
    """One thread owns the database: it commits whatever waits, together."""

    def __init__(self, file: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[Work, asyncio.Future[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._write, args=(file,), daemon=True).start()

    async def run(self, work: Work) -> Any:
        done = self._loop.create_future()
        self._waiting.put((work, done))
        return await done

    def _write(self, file: str) -> None:
        db = sqlite3.connect(file, isolation_level=None)
        db.executescript(TABLES)
        while True:
            units = [self._waiting.get()]
            while not self._waiting.empty():
                units.append(self._waiting.get())
            db.execute("BEGIN IMMEDIATE")
            results = [(done, work(db)) for work, done in units]
            db.execute("COMMIT")
            self._loop.call_soon_threadsafe(_tell, results)


def _tell(results: list[tuple["asyncio.Future[Any]", Any]]) -> None:
    for done, result in results:
        if not done.done():
            done.set_result(result)


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(os.environ["UPSTREAM"], connector=connector) as session:
        app.state.session, app.state.store = session, Store(os.environ["FILE"])
        yield


app = FastAPI(lifespan=opened)


@app.post("/message")
async def message(request: Request) -> Response:
    store: Store = request.app.state.store
    raw = await request.body()
    asked = orjson.loads(raw)
    who = asked["user_id"]
    question = {"role": "user", "content": asked["text"]}

    def begin(db: sqlite3.Connection) -> tuple[int, list[bytes]]:
        turn = db.execute("INSERT INTO turns (who, asked) VALUES (?, ?)", (who, raw)).lastrowid
        latest = "SELECT body FROM said WHERE who = ? ORDER BY id DESC LIMIT ?"
        return turn or 0, [body for (body,) in db.execute(latest, (who, REMEMBERED))]

    turn, history = await store.run(begin)
    messages = [*map(orjson.loads, reversed(history)), question]
    body = orjson.dumps({"model": asked["model"], "messages": messages})
    session: aiohttp.ClientSession = request.app.state.session
    async with session.post("/v1/chat/completions", data=body, headers=HEADERS) as answer:
        said = orjson.loads(await answer.read())["choices"][0]["message"]
    reply = orjson.dumps({"success": True, "response": said["content"]})

    def end(db: sqlite3.Connection) -> None:
        db.execute("UPDATE turns SET asked = NULL, reply = ? WHERE id = ?", (reply, turn))
        kept = [(who, orjson.dumps(each)) for each in (question, said)]
        db.executemany("INSERT INTO said (who, body) VALUES (?, ?)", kept)

    await store.run(end)
    return Response(reply, media_type="application/json")
