"""`python -m bench.growth`: what a message costs when much is stored, and when much was said."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import orjson
from sqlalchemy import insert
from sqlalchemy.engine import make_url

from app.sessions import history
from app.storage import turns
from app.storage.sealed import Sealer, read_keys
from app.storage.sqlite import open_sqlite
from app.storage.tables import exchanges, sessions
from app.storage.tables import turns as turns_table
from bench import machine
from bench.processes import Failed, Start, cores
from bench.report import DOCUMENT, GROWTH, markdown, number, put
from bench.runner import Runner
from bench.scenarios import Scenario
from bench.targets import DIRECT, Service

STORED = (100, 1_000, 10_000, 100_000)
SAID = (1, 5, 10, 20, 30)
REPETITIONS = 3
SCENARIO = Scenario("growth", "64 at once", "mock-d0", 64, warm=1.5, seconds=4)
ANSWER = "tok000 " * 64
ABOUT = (
    "Written by `python -m bench.growth --write`; do not edit. 64 messages at once, a model of",
    "0 ms, SQLite. `stored`: so many conversations are there, each with one turn and one exchange.",
    "`said`: so many turns are said in a conversation before another one begins; the model gets",
    "what was said, at most 30 messages of it, and both are opened, sent and read each time.",
)


@dataclass(frozen=True, slots=True)
class Filled(Service):
    """The service on a database that holds `stored` conversations already."""

    stored: int = 0

    def start(self, folder: Path, model: str, port: int, upstream: str) -> Start:
        start = Service.start(self, folder, model, port, upstream)
        fill(folder / "data" / "bench.db", read_keys(folder.parent / "encryption.key"), self.stored)
        return start


def fill(file: Path, keys: Sequence[bytes], count: int) -> None:
    sealer = Sealer(keys)
    with open_sqlite(make_url(f"sqlite:///{file}")) as store, store._engine.begin() as db:  # noqa: SLF001
        for begin in range(0, count, 1_000):
            numbers = range(begin + 1, min(begin + 1_000, count) + 1)
            db.execute(insert(sessions), [_session(number) for number in numbers])
            db.execute(insert(exchanges), [_exchange(sealer, number) for number in numbers])
            db.execute(insert(turns_table), [_turn(sealer, number) for number in numbers])


def _session(number: int) -> dict[str, object]:
    now = datetime.now(UTC).timestamp()
    zero = dict.fromkeys(("prompt_tokens", "completion_tokens", "cost_usd"), 0)
    who = {"user_id": f"s{number}", "chat_id": f"s{number}", "thread_id": "", "told": ""}
    times = {"started_at": now, "active_at": now, "message_count": 1}
    public = {"id": number, "public_id": f"{number:032x}", "platform": "internal"}
    return public | who | times | zero


def _exchange(sealer: Sealer, number: int) -> dict[str, object]:
    said = sealer.seal(orjson.dumps(("What?", ANSWER)), history._place(number, 1))  # noqa: SLF001
    return {"session": number, "number": 1, "said": said, "pictures": 0}


def _turn(sealer: Sealer, number: int) -> dict[str, object]:
    key = turns.Key("internal", "internal", f"s{number}", "m1")
    return {
        **key._asdict(),
        "user_id": f"s{number}",
        "conversation": number,
        "state": turns.State.DONE.value,
        "owner": "",
        "lease_until": 0.0,
        "attempts": 1,
        "fingerprint": bytes(32),
        "reply": sealer.seal(ANSWER.encode(), turns._place(key)),  # noqa: SLF001
        "accepted_at": datetime.now(UTC).timestamp(),
        "request_id": "",
    }


def measured(runner: Runner, upstream: str, repetitions: int) -> Iterator[tuple[str, float]]:
    """Yield what was measured and its CPU ms per message."""
    for stored in STORED:
        found = [_once(runner, upstream, Filled(stored=stored)) for _ in range(repetitions)]
        yield f"{stored:,} stored", median(found)
    for said in SAID:
        scenario = replace(SCENARIO, turns=said)
        found = [_once(runner, upstream, Service(), scenario) for _ in range(repetitions)]
        yield f"{said} said", median(found)


def _once(runner: Runner, upstream: str, service: Service, scenario: Scenario = SCENARIO) -> float:
    with runner.target(service, scenario.model, upstream) as what:
        row = runner.measure(what, scenario)
    print(f"{scenario.turns} turns: {row.cpu_ms:.3f} ms", file=sys.stderr, flush=True)
    return row.cpu_ms


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    asked = parser.parse_args()
    table = [["", "CPU ms of a message"]]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runner = Runner(Path(folder), *cores())
        try:
            with runner.upstream(DIRECT) as upstream:
                for what, cpu_ms in measured(runner, upstream, asked.repetitions):
                    table.append([what, number(cpu_ms)])
        except Failed as failed:
            print(failed, file=sys.stderr)
            return 1
    about = [f"- Date: {datetime.now(UTC):%Y-%m-%d}", f"- Machine: {machine.described()}"]
    text = "\n".join([GROWTH, *ABOUT, "", *about, "", *markdown(table)]) + "\n"
    print(text)
    if asked.write:
        put(DOCUMENT, GROWTH, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
