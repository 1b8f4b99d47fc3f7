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
from functools import partial
from pathlib import Path

from bench import machine
from bench.load import Figures, Spec
from bench.processes import Failed, running
from bench.scenarios import Scenario
from bench.targets import ROOT, Proxied, Target
from simulator.ports import free_port

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
    """A target that answers. `cold`: seconds from the start of its process to an answer.

    `more` are the processes and ports of its further instances, on the same core.
    """

    target: Target
    pid: int
    port: int
    cold: float
    idle_mb: float
    more: tuple[tuple[int, int], ...] = ()

    @property
    def pids(self) -> tuple[int, ...]:
        return self.pid, *(pid for pid, _ in self.more)


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
        name = f"{target.name}-{secrets.token_hex(4)}"
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        found: list[tuple[int, int, float]] = []
        with contextlib.ExitStack() as stack:
            for number in range(getattr(target, "instances", 1)):
                port = free_port()
                start = target.start(folder, model, port, upstream)
                asked = _spec(target, Scenario("start", "", model, 1), port)
                log = self._folder / f"{name}-{number}.log"
                ready = partial(_answers, asked, f"cold{number}")
                began = time.perf_counter()
                pid = stack.enter_context(running(start, self._core, log, ready))
                found.append((pid, port, time.perf_counter() - began))
            time.sleep(SETTLE_SECONDS)
            (pid, port, cold), *others = found
            more = tuple((pid, port) for pid, port, _ in others)
            idle_mb = sum(machine.resident_mb(pid) for pid, _, _ in found)
            yield Running(target, pid, port, cold, idle_mb, more)

    def measure(self, what: Running, scenario: Scenario, *, may_refuse: bool = False) -> Measured:
        """Measure, and again while others are in the way; return the quietest.

        Raises:
            Failed: nothing was answered, or what may not be refused was, or its connection broke.
        """
        found: list[Measured] = []
        # The servers that it works with are others, too: it would never be quiet.
        attempts = 1 if getattr(what.target, "shared", None) else ATTEMPTS
        while len(found) < attempts and all(each.disturbed for each in found):
            found.append(self._measure_once(what, scenario))
            figures = found[-1].figures
            if (figures.refused or figures.broken) and not may_refuse:
                raise Failed(f"{what.target.name}, {scenario.name}: {figures}")
        return min(found, key=lambda each: each.foreign)

    def _measure_once(self, what: Running, scenario: Scenario) -> Measured:
        more_ports = tuple(port for _, port in what.more)
        spec = replace(_spec(what.target, scenario, what.port), more_ports=more_ports)
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
            before = self._mark(what.pids, ours)
            rss_mb = 0.0
            while time.perf_counter() < before.at + scenario.seconds - SAMPLE_SECONDS:
                time.sleep(SAMPLE_SECONDS)
                rss_mb = max(rss_mb, sum(map(machine.resident_mb, what.pids)))
            span = self._mark(what.pids, ours).since(before)
            figures = Figures(**json.loads(heard.readline()))
        if not figures.count:
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

    def _mark(self, pids: Sequence[int], ours: Sequence[int]) -> "_Mark":
        return _Mark(
            at=time.perf_counter(),
            own=sum(map(machine.cpu_seconds, pids)),
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
        turns=scenario.turns,
    )


def _answers(spec: Spec, name: str = "cold") -> bool:
    asked = replace(spec, body=spec.body.replace("{who}", name).replace("{what}", name))
    door = http.client.HTTPConnection("127.0.0.1", spec.port, timeout=30)
    try:
        headers = {"Content-Type": "application/json", **spec.headers}
        door.request(asked.method, asked.path, asked.body, headers)
        return door.getresponse().status == OK
    except OSError:
        return False
    finally:
        door.close()
