"""The figures as Markdown, beside what is aimed for."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench import machine
from bench.runner import FOREIGN, FOREIGN_LOAD, Measured
from bench.scenarios import SCENARIOS

PACKAGES = ("aiohttp", "fastapi", "httptools", "httpx", "orjson", "pydantic", "sqlalchemy")
MORE_PACKAGES = ("starlette", "uvicorn", "uvloop")

NETWORKS = "## Networks\n"  # the last part, which `bench.networks` writes

ABOUT = (
    "Written by `make bench`; do not edit. The service runs as it is: keys, limits, log to a file,",
    "SQLite with `synchronous=FULL`, a durable turn for each message. It has one core to itself;",
    "the upstream and the load generator share another. `direct` asks the upstream itself on that",
    "core; `bare` is a FastAPI route that passes the request on with aiohttp and keeps nothing.",
    "The service always reads its answer as a stream, of 64 tokens unless the scenario says",
    "otherwise; without a stream, `direct` and `bare` move one JSON body.",
)


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
        "",
        "## Start",
        "",
        *_starts(found),
    ]
    return "\n".join(lines) + "\n"


def _goals(found: Found) -> list[str]:
    def added(target: str) -> float | None:
        mine = found.mid(target, "ttfc1", lambda row: row.figures.first_p50)
        theirs = found.mid("direct", "ttfc1", lambda row: row.figures.first_p50)
        return None if mine is None or theirs is None else mine - theirs

    rows: list[tuple[str, str, Callable[[str], float | None]]] = [
        (
            "messages/s on one core (ns64)",
            ">= 800",
            lambda name: found.mid(name, "ns64", lambda row: row.figures.rps),
        ),
        (
            "CPU ms of a message (ns64)",
            "<= 1.2",
            lambda name: found.mid(name, "ns64", lambda row: row.cpu_ms),
        ),
        ("ms added to the first streamed chunk (ttfc1)", "<= 2", added),
        (
            "MB with 1,000 conversations waiting (hold1000)",
            "< 200",
            lambda name: found.mid(name, "hold1000", lambda row: row.rss_mb),
        ),
    ]
    names = [name for name in ("service", "bare") if name in found.names()]
    table = [["", "goal", *names]]
    table += [[what, goal, *(number(of(name)) for name in names)] for what, goal, of in rows]
    return markdown(table)


def _scenarios(found: Found) -> list[str]:
    head = ["scenario", "target", "messages/s", "p50 ms", "added ms", "p99 ms", "first p50 ms"]
    head += ["first p99 ms", "CPU ms", "core", "MB", "others"]
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
                    f"{max(row.foreign for row in rows):.0%}",
                ]
            )
    return markdown(table)


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
