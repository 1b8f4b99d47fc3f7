"""The floors, the hashes and the list of what the product is made of."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checks.floors_check import LOCKS, ROOT, faults, pins, read_floors

HASHED = "    --hash=sha256:" + "a" * 64
LOCK = (
    f"h11==0.16.0 \\\n{HASHED} \\\n{HASHED}\nnumpy==2.4.6 ; python_version < '3.12' \\\n{HASHED}\n"
)
FLOORS = {"h11": ("0.16.0", "smuggling")}


def test_our_locks_have_no_fault() -> None:
    assert faults({name: (ROOT / name).read_text() for name in LOCKS}, read_floors()) == []


def test_a_lock_is_read_whole() -> None:
    assert [tuple(pin) for pin in pins(LOCK)] == [("h11", "0.16.0", 2), ("numpy", "2.4.6", 1)]
    assert faults({"a.txt": LOCK}, FLOORS) == []


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        (LOCK.replace("0.16.0", "0.14.0"), "a.txt: h11 0.14.0 is below 0.16.0: smuggling"),
        (LOCK.replace("0.16.0", "0.16.0rc1"), "a.txt: h11 0.16.0rc1 is below 0.16.0: smuggling"),
        (f"{LOCK}six==1.17.0\n", "a.txt: six has no hash"),
        ("# nothing\n", "a.txt: holds no package"),
        (LOCK.replace("h11", "h12"), "floors.toml: h11 is in no lock"),
    ],
)
def test_a_fault_of_a_lock_is_found(lock: str, fault: str) -> None:
    assert fault in faults({"a.txt": lock}, FLOORS)


@pytest.mark.parametrize("line", ["six>=1.17", "six @ https://example.org/six.whl", "-e .", "six"])
def test_what_is_not_pinned_cannot_be_read(line: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        list(pins(f"{LOCK}{line}\n"))


def test_the_list_of_parts_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    made = (tmp_path / "1.json", tmp_path / "2.json")
    recipe = next(
        line.strip() for line in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx" in line
    )
    for file in made:
        words = recipe.replace("$(BIN)", str(Path(sys.executable).parent)).split()
        words[words.index("build/sbom.json")] = str(file)
        # Whether it keeps to the form is looked at where it is made: that takes five seconds.
        words.append("--no-validate")
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)

    parts = json.loads(made[0].read_text())

    listed = {(part["name"], part["version"]) for part in parts["components"]}
    locked = {(pin.name, pin.version) for pin in pins((ROOT / "requirements.txt").read_text())}
    assert made[0].read_bytes() == made[1].read_bytes()
    assert locked <= listed
    assert len(listed) == len(locked) > 80
    assert parts["metadata"]["component"]["name"] == "arash-panoptes"
    hashed = [part for part in parts["components"] if part["externalReferences"][0]["hashes"]]
    assert len(hashed) == len(parts["components"])
