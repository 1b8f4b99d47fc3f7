"""Every fault of the plan has tests, by both doors, and they are there."""

from functools import cache
from pathlib import Path

import pytest

from simulator.openrouter import FAULTS
from tests.faults.coverage import HERE, NUMBERS, cover
from tests.faults.table import ROWS

ROOT = Path(__file__).resolve().parents[2]


@cache
def names_in(file: str, session: pytest.Session) -> frozenset[str]:
    """Return the ids of a file's tests, as pytest collects them, and without their brackets."""
    module = pytest.Module.from_parent(session, path=ROOT / file)
    names = {item.name for item in module.collect()}
    return frozenset(names | {name.partition("[")[0] for name in names})


@pytest.mark.parametrize("door", ["telegram", "rest"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_fault_is_shown_by_tests_that_are_there(
    number: str, door: str, request: pytest.FixtureRequest
) -> None:
    ids = getattr(cover(number), door)

    assert [each for each in ids if each.startswith(HERE)]
    for each in ids:
        file, _, name = each.partition("::")
        assert name in names_in(file, request.session), each


def test_every_row_of_the_table_is_a_fault_that_the_simulator_knows() -> None:
    assert {row.fault for row in ROWS.values()} <= set(FAULTS)
    assert {row.number for row in ROWS.values()} <= set(NUMBERS)
