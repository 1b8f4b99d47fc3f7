"""The figures as Markdown, beside what is aimed for."""

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import machine
from bench.runner import FOREIGN, FOREIGN_LOAD, Measured
from bench.scenarios import SCENARIOS
from bench.targets import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
PACKAGES = ("aiohttp", "fastapi", "httptools", "httpx", "orjson", "pydantic", "sqlalchemy")
MORE_PACKAGES = ("starlette", "uvicorn", "uvloop")

# The parts that others write, in their order behind this one.
GROWTH = "## Growth\n"
TURNS = "## Turns of Telegram\n"
NETWORKS = "## Networks\n"
PARTS = (GROWTH, TURNS, NETWORKS)

ABOUT = (
    "Written by `make bench`; do not edit. The service runs as it is: keys, limits, log to a file,",
    "SQLite with `synchronous=FULL`, a durable turn for each message. It has one core to itself;",
    "the upstream and the load generator share another. `direct` asks the upstream itself on that",
    "core; `bare` is a FastAPI route that passes the request on with aiohttp and keeps nothing;",
    "`durable` is the least that keeps a session in SQLite and a turn on the disk (two commits,",
    "`synchronous=FULL`, shared by all who wait). `shared` is the service on PostgreSQL and Redis,",
    "`two` are two such instances on one core, its CPU that of both; the servers themselves run",
    "wherever the system puts them, and are not counted. Other gateways are measured where their",
    "commands are found. The service always reads its answer as a stream, of 64 tokens unless the",
    "scenario says otherwise; without a stream, all others move one JSON body.",
)


def put(document: Path, part: str, text: str) -> None:
    """Write one part of the document anew, the first if it is "", and leave the others."""
    known = document.read_text() if document.exists() else ""
    parts = {"": re.split("|".join(map(re.escape, PARTS)), known)[0]}
    for each in PARTS:
        _, found, rest = known.partition(each)
        others = "|".join(re.escape(other) for other in PARTS if other != each)
        if found:
            parts[each] = each + re.split(others, rest)[0]
    parts[part] = text
    whole = (parts[each].rstrip("\n") for each in ("", *PARTS) if each in parts)
    document.write_text("\n\n".join(whole) + "\n")


Goal = Callable[[str], float | None]


@dataclass(slots=True)
class Found:
    """All repetitions, by target and scenario; and each start's seconds and idle memory."""

    measured: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    starts: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def mid(self, target: str, scenario: str, of: Callable[[Measured], float]) -> float | None:
        rows = self.measured.get((target, scenario))
        return median(map(of, rows)) if rows else None

    def names(self) -> list[str]:
        return list(self.starts)


def report(found: Found, repetitions: int) -> str:
    worst = max((row.foreign for rows in found.measured.values() for row in rows), default=0.0)
    noisy = sum(row.disturbed for rows in found.measured.values() for row in rows)
    total = sum(len(rows) for rows in found.measured.values())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES + MORE_PACKAGES)
    lines = [
        "# Performance",
        "",
        *ABOUT,
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {machine.described()}",
        f"- Python {platform.python_version()}, {packages}",
        f"- Medians of {repetitions} repetitions. In {noisy} of {total} measurements other",
        f"  programs took more than {FOREIGN:.0%} of the measured core or {FOREIGN_LOAD:.0%} of",
        f"  the other one, at worst {worst:.0%} of the measured one (`others`).",
        "",
        "## Goals",
        "",
        *_goals(found),
        "",
        "## All scenarios",
        "",
        *_scenarios(found),
        "",
        "`added` is the median less that of `direct`. With 64 at once and a model of 0 ms the core",
        "is full, and the latency only restates the throughput. CPU counts the whole process tree.",
        "`refused`: answers other than 200, and connections that broke; they count nowhere else.",
        "",
        "## Start",
        "",
        *_starts(found),
    ]
    return "\n".join(lines) + "\n"


def _goals(found: Found) -> list[str]:
    def less_direct(scenario: str, of: Callable[[Measured], float]) -> Goal:
        def added(target: str) -> float | None:
            mine, theirs = found.mid(target, scenario, of), found.mid("direct", scenario, of)
            return None if mine is None or theirs is None else mine - theirs

        return added

    def whole(scenario: str, of: Callable[[Measured], float]) -> Goal:
        return lambda target: found.mid(target, scenario, of)

    def kept_peak(target: str) -> float | None:
        most, many = (found.mid(target, name, _rps) for name in ("ns64", "ns1000"))
        return None if most is None or many is None else many / most

    def started(column: int) -> Goal:
        return lambda target: median(each[column] for each in found.starts[target])

    rows: list[tuple[str, str, Goal]] = [
        ("CPU ms of a message, 64 at once (ns64)", "<= 1.0", whole("ns64", _cpu)),
        ("messages/s on one core (ns64)", ">= 1,000", whole("ns64", _rps)),
        ("of them left at 1,000 connections (ns1000)", ">= 0.8", kept_peak),
        ("ms added, one at a time, median (ns1)", "<= 1.5", less_direct("ns1", _p50)),
        ("ms added, one at a time, p99 (ns1)", "<= 4", less_direct("ns1", _p99)),
        ("ms added to the first chunk, median (ttfc1)", "<= 1.5", less_direct("ttfc1", _first)),
        ("1,000 waiting on a second: p99 ms (hold1000)", "<= 1,300", whole("hold1000", _p99)),
        ("1,000 waiting on a second: MB (hold1000)", "<= 160", whole("hold1000", _rss)),
        ("MB at rest", "<= 90", started(1)),
        ("seconds from the start to the first answer", "<= 1.2", started(0)),
    ]
    names = [name for name in found.names() if name != "direct"]
    table = [["", "goal", *names]]
    table += [[what, goal, *(number(of(name)) for name in names)] for what, goal, of in rows]
    return markdown(table)


def _rps(row: Measured) -> float:
    return row.figures.rps


def _cpu(row: Measured) -> float:
    return row.cpu_ms


def _rss(row: Measured) -> float:
    return row.rss_mb


def _p50(row: Measured) -> float:
    return row.figures.p50


def _p99(row: Measured) -> float:
    return row.figures.p99


def _first(row: Measured) -> float:
    return row.figures.first_p50


def _scenarios(found: Found) -> list[str]:
    head = ["scenario", "target", "messages/s", "p50 ms", "added ms", "p99 ms", "first p50 ms"]
    head += ["first p99 ms", "CPU ms", "core", "MB", "refused", "others"]
    table = [head]
    for scenario in SCENARIOS:
        base = found.mid("direct", scenario.name, lambda row: row.figures.p50)
        for name in found.names():
            rows = found.measured.get((name, scenario.name))
            if not rows:
                continue
            p50 = median(row.figures.p50 for row in rows)
            first = [row.figures.first_p50 for row in rows] if scenario.stream else []
            first_p99 = [row.figures.first_p99 for row in rows] if scenario.stream else []
            table.append(
                [
                    f"{scenario.name}: {scenario.about}",
                    name,
                    number(median(row.figures.rps for row in rows)),
                    number(p50),
                    number(None if base is None else p50 - base),
                    number(median(row.figures.p99 for row in rows)),
                    number(median(first) if first else None),
                    number(median(first_p99) if first_p99 else None),
                    number(median(row.cpu_ms for row in rows)),
                    f"{median(row.cpu_share for row in rows):.0%}",
                    number(median(row.rss_mb for row in rows)),
                    _lost(rows),
                    f"{max(row.foreign for row in rows):.0%}",
                ]
            )
    return markdown(table)


def _lost(rows: list[Measured]) -> str:
    """Return what was refused or broke, in all repetitions; nothing where nothing was."""
    refused, broken = (sum(getattr(row.figures, w) for row in rows) for w in ("refused", "broken"))
    return "" if not refused + broken else f"{refused} + {broken}"


def _starts(found: Found) -> list[str]:
    table = [["target", "seconds to the first answer", "MB idle"]]
    for name, starts in found.starts.items():
        cold, idle = zip(*starts, strict=True)
        table.append([name, number(median(cold)), number(median(idle))])
    return markdown(table)


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def number(value: float | None) -> str:
    if value is None:
        return ""
    for least, digits in ((1000, 0), (100, 0), (10, 1), (1, 2)):
        if abs(value) >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.3f}"
