"""What Linux tells of processes and cores."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")
# Of the columns of a line of /proc/stat: user, nice, system, irq, softirq, steal.
BUSY = (0, 1, 2, 5, 6, 7)


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    for children in (PROC / str(pid) / "task").glob("*/children"):
        for child in _read(children).split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process tree since its start."""
    total = 0
    for each in tree(pid):
        fields = _read(PROC / str(each) / "stat").rpartition(")")[2].split()
        total += sum(map(int, fields[11:13]))
        if each == pid and fields:
            total += sum(map(int, fields[13:15]))  # its children that have ended
    return total / TICK


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process tree, in millions of bytes."""
    pages = 0
    for each in tree(pid):
        fields = _read(PROC / str(each) / "statm").split()
        pages += int(fields[1]) if fields else 0
    return pages * PAGE / 1e6


def busy_seconds(core: int) -> float:
    """Return how long a core was busy since the start of the machine, for anybody."""
    for line in _read(PROC / "stat").splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            return sum(int(values[column]) for column in BUSY) / TICK
    raise LookupError(f"there is no core {core}")


def described() -> str:
    """Return cores, the name of the processor and the kernel, in one line."""
    lines = _read(PROC / "cpuinfo").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE / 1e9
    name = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores, {name}, {memory:.0f} GB, Linux {platform.release()}"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""
