"""The floor check of `make check`: nothing is locked below the version that mended a known hole."""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-container.txt", "requirements-dev.txt")
FLOORS = Path(__file__).with_name("floors.toml")
PINNED = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,_-]+\])?==([^ ;\\]+)")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


class Pin(NamedTuple):
    name: str
    version: str
    hashes: int


def pins(lock: str) -> Iterator[Pin]:
    """Yield what a lock names, also the same package for several Pythons.

    Raises:
        ValueError: a line is neither a pinned package nor the hash of one.
    """
    found: list[Pin] = []
    for line in lock.splitlines():
        if HASH.fullmatch(line) and found:
            found[-1] = found[-1]._replace(hashes=found[-1].hashes + 1)
        elif match := PINNED.match(line):
            found.append(Pin(match[1], match[2], 0))
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ValueError(f"cannot be read: {line[:60]}")
    yield from found


def faults(locks: Mapping[str, str], floors: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return a line per fault of the locks, which are texts by name."""
    found, met = [], set()
    for name, text in locks.items():
        locked = list(pins(text))
        if not locked:
            found.append(f"{name}: holds no package")
        for pin in locked:
            met.add(pin.name)
            if not pin.hashes:
                found.append(f"{name}: {pin.name} has no hash")
            floor, hole = floors.get(pin.name, ("0", ""))
            if Version(pin.version) < Version(floor):
                found.append(f"{name}: {pin.name} {pin.version} is below {floor}: {hole}")
    # A name that is misspelt would keep watch over nothing.
    found += [f"floors.toml: {name} is in no lock" for name in sorted(floors.keys() - met)]
    return found


def read_floors() -> dict[str, tuple[str, str]]:
    return {
        name: (at, why) for name, (at, why) in tomllib.loads(FLOORS.read_text())["floors"].items()
    }


def main() -> int:
    locks = {name: (ROOT / name).read_text() for name in LOCKS}
    floors = read_floors()
    looked_at = {pin.name for text in locks.values() for pin in pins(text)}
    found = faults(locks, floors)
    if not floors or not looked_at:
        found.append("nothing was looked at")
    print("\n".join([*found, f"floor check: {len(looked_at)} packages, {len(floors)} floors"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
