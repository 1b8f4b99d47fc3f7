"""`python -m bench`: measure, print the tables, write docs/performance.md."""

import argparse
import os
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from bench.processes import Failed
from bench.report import Found, report
from bench.runner import Runner
from bench.scenarios import SCENARIOS, Scenario
from bench.targets import DIRECT, ROOT, Target, targets

DOCUMENT = ROOT / "docs" / "performance.md"
REPETITIONS = 3
CORES = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once, in short, nothing written")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--targets", default="", help="by comma: direct, bare, service")
    parser.add_argument("--scenarios", default="", help="by comma: ns1, ns64, ...")
    parser.add_argument("--core", type=int, help="of what is measured; default: the first")
    parser.add_argument("--write", type=Path, help=f"where to; default: {DOCUMENT.name}")
    return parser.parse_args()


def main() -> int:
    if not hasattr(os, "sched_setaffinity"):
        print("This needs Linux.", file=sys.stderr)
        return 1
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < CORES:
        print("This needs two cores.", file=sys.stderr)
        return 1
    asked = arguments()
    core = cores[0] if asked.core is None else asked.core
    load_core = next(each for each in reversed(cores) if each != core)
    chosen = [one for one in targets() if not asked.targets or one.name in asked.targets.split(",")]
    scenarios = [
        one.quick() if asked.quick else one
        for one in SCENARIOS
        if not asked.scenarios or one.name in asked.scenarios.split(",")
    ]
    repetitions = 1 if asked.quick else asked.repetitions
    found = Found()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
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
    whole = len(chosen) == len(targets()) and len(scenarios) == len(SCENARIOS)
    if asked.write or (whole and not asked.quick):
        (asked.write or DOCUMENT).write_text(text)
    return 0


def measure(
    runner: Runner, target: Target, scenarios: list[Scenario], upstream: str, found: Found
) -> None:
    """Measure one target once in all scenarios, started anew for each model if it has to be."""
    groups = groupby(scenarios, lambda one: one.model if target.per_model else "mock-d0")
    for model, group in groups:
        with runner.target(target, model, upstream) as what:
            found.starts.setdefault(target.name, []).append((what.cold, what.idle_mb))
            for scenario in group:
                row = runner.measure(what, scenario)
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
