"""`python -m bench.networks`: what reports on networks cost, beside a Plume Cloud of 0 ms.

The service as in the other scenarios, with one core to itself. Nothing here is a limit.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import machine
from bench.engineers import OWNER, Door, Networks, home
from bench.processes import Failed, cores
from bench.report import DOCUMENT, NETWORKS, markdown, number, put
from bench.runner import Measured, Runner, Running
from bench.scenarios import Scenario
from bench.targets import Proxied

REPORTS = ("status", "wan", "check")
CHARTS = {"line": "/wan", "week": "/stats 7d", "day": "/stats 24h", "speed": "/speed"}
PEOPLE = 10_000
TIMES = 10
DELAY = 0.2  # seconds
FIRST = 60  # attempts at a chart, at most
ABOUT = (
    "Written by `python -m bench.networks --write`; do not edit. Plume's answers are the simulated",
    "ones, each made once and then replayed on the other core. `kept`: one location, whose answers",
    "are 20 or 60 s old at most, as when many watch one incident. `anew`: each time a location",
    "that nobody asked for before, so that all calls go out. Every look writes an audit line.",
)


class Stage(NamedTuple):
    """`plume` is its port."""

    target: Networks
    running: Running
    door: Door
    plume: int


class Bench:
    """Services beside a replayed Plume; `runner` knows the cores."""

    def __init__(self, runner: Runner, *, quick: bool) -> None:
        self._runner = runner
        self._seconds = 1.0 if quick else 5.0
        self._people = PEOPLE // 100 if quick else PEOPLE

    @contextmanager
    def service(self, people: int = 1, delay: float = 0.0) -> Iterator[Stage]:
        """Yield a service that has read the one location, a door to it, and Plume's port."""
        command = (sys.executable, "-m", "bench.plume", "--port", "{port}", "--delay", str(delay))
        with self._runner.upstream(Proxied("plume", command, "/ready")) as plume:
            target = Networks(people=people)
            with self._runner.target(target, "mock-d0", plume) as what:
                door = Door(what.port, target.headers(stream=False))
                for report in REPORTS:
                    door.ask("GET", f"/network/{report}?user_id={OWNER}")
                yield Stage(target, what, door, int(plume.rpartition(":")[2]))

    def throughput(self) -> Iterator[tuple[str, Measured]]:
        with self.service() as stage:
            for report in REPORTS:
                for anew in (False, True):
                    asking = stage.target.asking(report, anew=anew)
                    name = f"{report}, {'anew' if anew else 'kept'}"
                    load = Scenario(name, "", "mock-d0", 16, seconds=self._seconds)
                    found = self._runner.measure(replace(stage.running, target=asking), load)
                    yield name, found

    def memory(self) -> Iterator[tuple[str, float, float]]:
        """Yield who there is, and the MB at rest and after as many looks as there are profiles."""
        for people in (1, self._people):
            with self.service(people) as (_, what, door, _):
                rest = machine.resident_mb(what.pid)
                place = home()
                for each in range(self._people):
                    # The same looks of one person or of all: what differs is who they are.
                    where = f"{int(place.id, 16) + each:024x}"
                    who = f"u{each % people}"
                    named = f"user_id={who}&customer={place.customer.id}&location={where}"
                    asked = f"user_id={who}" if people > 1 else named
                    door.ask("GET", f"/network/status?{asked}")
                yield f"{people:,}", rest, machine.resident_mb(what.pid)

    def charts(self) -> Iterator[tuple[str, float, float]]:
        """Yield a chart, and the ms of a message that is answered with it, median and worst."""
        with self.service() as (_, _, door, _):
            for name, command in CHARTS.items():
                for each in range(FIRST):  # until its process has started
                    if _drawn(door, command, f"{name}-first-{each}")[1]:
                        break
                found = [_drawn(door, command, f"{name}-{each}") for each in range(TIMES)]
                if not all(picture for _, picture in found):
                    raise Failed(f"{command} was answered without its picture")
                times = [took for took, _ in found]
                yield name, median(times), max(times)

    def latency(self) -> tuple[float, float]:
        """Return the ms of one call to a slow Plume and of a report that makes several."""
        with self.service(delay=DELAY) as (_, _, door, port):
            place = home()
            customer, first = place.customer.id, int(place.id, 16)
            call = f"/api/Customers/{customer}/locations/{place.id}/nodes"
            plume = Door(port, {})
            calls = [plume.ask("GET", call)[0] for _ in range(TIMES)]
            asked = f"/network/status?user_id={OWNER}&customer={customer}&location="
            times = [
                door.ask("GET", f"{asked}{first + each:024x}")[0] for each in range(1, TIMES + 1)
            ]
        return median(calls), median(times)


def _drawn(door: Door, command: str, message: str) -> tuple[float, bool]:
    took, said = door.ask("POST", "/message", Networks().said(command, message))
    return took, bool(json.loads(said)["images"])


def report(bench: Bench) -> str:
    rates = [["report", "reports/s", "p50 ms", "p99 ms", "CPU ms", "core", "MB", "others"]]
    for name, row in bench.throughput():
        figures = row.figures
        shares = [f"{row.cpu_share:.0%}", number(row.rss_mb), f"{row.foreign:.0%}"]
        times = map(number, (figures.rps, figures.p50, figures.p99, row.cpu_ms))
        rates.append([name, *times, *shares])
    memory = [["profiles", "MB at rest", "MB after a look at each location"]]
    memory += [[people, number(rest), number(after)] for people, rest, after in bench.memory()]
    charts = [["chart", "median ms", "worst ms"]]
    charts += [[name, number(middle), number(worst)] for name, middle, worst in bench.charts()]
    call, whole = bench.latency()
    lines = [
        *(NETWORKS, *ABOUT, ""),
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {machine.described()}",
        *("", "### Reports, 16 at once, a Plume of 0 ms", "", *markdown(rates)),
        *("", "### Memory", "", *markdown(memory)),
        *("", f"### Charts: a message answered with one, warm, {TIMES} times", ""),
        *markdown(charts),
        *("", f"### A Plume of {DELAY * 1000:.0f} ms", ""),
        f"One call takes {call:.0f} ms, `status` {whole:.0f} ms, {whole / call:.2f} times as long",
        f"(goal: under 1.3; medians of {TIMES}).",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.networks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="in short, nothing to go by")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        try:
            text = report(Bench(Runner(Path(folder), *cores()), quick=asked.quick))
        except Failed as failed:
            print(failed, file=sys.stderr)
            return 1
    print(text)
    if asked.write:
        put(DOCUMENT, NETWORKS, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
