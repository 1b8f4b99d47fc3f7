"""Puts what is measured on one core, the rest on the other, and takes the figures."""

import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench import machine
from bench.load import Figures, Spec
from bench.processes import Failed, free_port, running
from bench.scenarios import Scenario
from bench.targets import ROOT, Proxied, Target

FOREIGN = 0.04  # of the measured core: more of it, and the measurement is repeated
FOREIGN_LOAD = 0.12  # of the other core, which has time to spare
ATTEMPTS = 4
SETTLE_SECONDS = 1.5
SAMPLE_SECONDS = 0.25
OK = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement. `foreign` are the shares of the two cores that others took."""

    figures: Figures
    cpu_ms: float  # of a message
    cpu_share: float  # of the core
    rss_mb: float
    foreign: float
    foreign_load: float

    @property
    def disturbed(self) -> bool:
        return self.foreign > FOREIGN or self.foreign_load > FOREIGN_LOAD


@dataclass(frozen=True, slots=True)
class Running:
    """A target that answers. `cold`: seconds from the start of its process to an answer."""

    target: Target
    pid: int
    port: int
    cold: float
    idle_mb: float


class Runner:
    """`core` is for what is measured, `load_core` for the upstream and those who ask."""

    def __init__(self, folder: Path, core: int, load_core: int) -> None:
        self._folder = folder
        self._core = core
        self._load_core = load_core
        self._upstream = 0
        os.sched_setaffinity(0, {load_core})

    @contextlib.contextmanager
    def upstream(self, target: Proxied) -> Iterator[str]:
        """Run the upstream for the others, and yield its base URL."""
        port = free_port()
        start = target.start(self._folder, "", port, "")
        log = self._folder / "upstream.log"
        asked = _spec(target, Scenario("start", "", "mock-d0", 1), port)
        with running(start, self._load_core, log, lambda: _answers(asked)) as pid:
            self._upstream = pid
            yield f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def target(self, target: Target, model: str, upstream: str) -> Iterator[Running]:
        """Start a target afresh in a folder of its own, and end it.

        Raises:
            Failed: it does not answer.
        """
        port = free_port()
        name = f"{target.name}-{secrets.token_hex(4)}"
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        start = target.start(folder, model, port, upstream)
        asked = _spec(target, Scenario("start", "", model, 1), port)
        log = self._folder / f"{name}.log"
        began = time.perf_counter()
        with running(start, self._core, log, lambda: _answers(asked)) as pid:
            cold = time.perf_counter() - began
            time.sleep(SETTLE_SECONDS)
            yield Running(target, pid, port, cold, machine.resident_mb(pid))

    def measure(self, what: Running, scenario: Scenario) -> Measured:
        """Measure, and again while others are in the way; return the quietest.

        Raises:
            Failed: answers other than 200, or broken connections.
        """
        found: list[Measured] = []
        while len(found) < ATTEMPTS and all(each.disturbed for each in found):
            found.append(self._measure_once(what, scenario))
        return min(found, key=lambda each: each.foreign)

    def _measure_once(self, what: Running, scenario: Scenario) -> Measured:
        spec = _spec(what.target, scenario, what.port)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-m", "bench.load"], stdin=pipe, stdout=pipe, text=True, cwd=ROOT
        ) as load:
            told, heard = load.stdin, load.stdout
            if told is None or heard is None:
                raise Failed("no pipes")  # for the type checker: both were asked for
            told.write(json.dumps(asdict(spec)))
            told.close()
            heard.readline()  # now the measured time begins
            ours = [self._upstream, load.pid]
            before = self._mark(what.pid, ours)
            rss_mb = 0.0
            while time.perf_counter() < before.at + scenario.seconds - SAMPLE_SECONDS:
                time.sleep(SAMPLE_SECONDS)
                rss_mb = max(rss_mb, machine.resident_mb(what.pid))
            span = self._mark(what.pid, ours).since(before)
            figures = Figures(**json.loads(heard.readline()))
        if figures.refused or figures.broken or not figures.count:
            raise Failed(f"{what.target.name}, {scenario.name}: {figures}")
        share = span.own / span.at
        return Measured(
            figures,
            cpu_ms=share / figures.rps * 1000,
            cpu_share=share,
            rss_mb=rss_mb,
            foreign=span.core / span.at - share,
            foreign_load=(span.load_core - span.ours) / span.at,
        )

    def _mark(self, pid: int, ours: Sequence[int]) -> "_Mark":
        return _Mark(
            at=time.perf_counter(),
            own=machine.cpu_seconds(pid),
            core=machine.busy_seconds(self._core),
            load_core=machine.busy_seconds(self._load_core),
            ours=sum(map(machine.cpu_seconds, ours)) + sum(os.times()[:2]),
        )


@dataclass(frozen=True, slots=True)
class _Mark:
    """Seconds: the clock's, and of processor the target's, both cores' and our own."""

    at: float
    own: float
    core: float
    load_core: float
    ours: float

    def since(self, before: "_Mark") -> "_Mark":
        pairs = zip(asdict(self).values(), asdict(before).values(), strict=True)
        return _Mark(*(now - then for now, then in pairs))


def _spec(target: Target, scenario: Scenario, port: int) -> Spec:
    return Spec(
        port,
        target.path,
        target.headers(stream=scenario.stream),
        target.body(scenario.model, stream=scenario.stream),
        scenario.connections,
        scenario.warm,
        scenario.seconds,
        target.method,
    )


def _answers(spec: Spec) -> bool:
    asked = replace(spec, body=spec.body.replace("{who}", "cold").replace("{what}", "cold"))
    door = http.client.HTTPConnection("127.0.0.1", spec.port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", **spec.headers}
        door.request(asked.method, asked.path, asked.body, headers)
        return door.getresponse().status == OK
    except OSError:
        return False
    finally:
        door.close()
