"""`python -m bench`: measure, print the tables, write docs/performance.md."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from bench.processes import Failed, cores
from bench.report import DOCUMENT, Found, put, report
from bench.runner import Runner
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import DIRECT, Target, targets
from tests import postgres, redises

REPETITIONS = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once, in short, nothing written")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--targets", default="", help="by comma: direct, bare, service, ...")
    parser.add_argument("--alone", action="store_true", help="without PostgreSQL and Redis")
    parser.add_argument("--scenarios", default="", help="by comma: ns1, ns64, ...")
    parser.add_argument("--core", type=int, help="of what is measured; default: the first")
    parser.add_argument("--write", type=Path, help=f"where to; default: {DOCUMENT.name}")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    try:
        core, load_core = cores(asked.core)
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    scenarios = [
        one.quick() if asked.quick else one
        for one in SCENARIOS
        if not asked.scenarios or one.name in asked.scenarios.split(",")
    ]
    repetitions = 1 if asked.quick else asked.repetitions
    found = Found()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, databases(asked.alone) as shared:
        every = targets(shared)
        named = asked.targets.split(",") if asked.targets else [one.name for one in every]
        chosen = [one for one in every if one.name in named]
        runner = Runner(Path(folder), core, load_core)
        try:
            with runner.upstream(DIRECT) as upstream:
                for _ in range(repetitions):
                    for target in chosen:
                        measure(runner, target, scenarios, upstream, found)
        except Failed as failed:
            print(failed, file=sys.stderr)
            return 1
    text = report(found, repetitions)
    print(text)
    whole = len(chosen) == len(every) and len(scenarios) == len(SCENARIOS)
    if asked.write or (whole and not asked.quick):
        put(asked.write or DOCUMENT, "", text)
    return 0


@contextlib.contextmanager
def databases(alone: bool) -> Iterator[tuple[str, str] | None]:  # noqa: FBT001 - from the caller's
    """Yield the URLs of an empty database and of Redis; None where one is not there."""
    reason = "not asked for" if alone else postgres.missing() or redises.missing()
    if reason:
        print(f"without the service on PostgreSQL and Redis: {reason}", file=sys.stderr)
        yield None
        return
    with postgres.database(durable=True) as url:
        yield url.render_as_string(hide_password=False), redises.SHARED_URL


def measure(
    runner: Runner, target: Target, scenarios: list[Scenario], upstream: str, found: Found
) -> None:
    """Measure one target once in all scenarios, started anew for each model if it has to be."""
    groups = groupby(scenarios, lambda one: one.model if target.per_model else "mock-d0")
    for model, group in groups:
        with runner.target(target, model, upstream) as what:
            found.starts.setdefault(target.name, []).append((what.cold, what.idle_mb))
            for scenario in group:
                if scenario.stream and not getattr(target, "streams", True):
                    continue
                try:
                    row = runner.measure(what, scenario, may_refuse=True)
                except Failed as failed:
                    print(failed, file=sys.stderr)
                    continue
                found.measured.setdefault((target.name, scenario.name), []).append(row)
                figures = row.figures
                print(
                    f"{target.name:8} {scenario.name:9} {figures.rps:9.1f}/s "
                    f"p50 {figures.p50:8.2f} p99 {figures.p99:8.2f} ms "
                    f"first {figures.first_p50:8.2f} ms cpu {row.cpu_ms:6.3f} ms "
                    f"core {row.cpu_share:4.0%} rss {row.rss_mb:4.0f} MB "
                    f"others {row.foreign:4.0%} {row.foreign_load:4.0%}",
                    file=sys.stderr,
                    flush=True,
                )


if __name__ == "__main__":
    sys.exit(main())
