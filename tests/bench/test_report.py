"""The document that the benchmarks write together."""

from itertools import permutations
from pathlib import Path

import pytest

from bench.report import GROWTH, NETWORKS, TURNS, put

PARTS = {"": "# Performance\n", GROWTH: GROWTH, TURNS: TURNS, NETWORKS: NETWORKS}


@pytest.mark.parametrize("order", list(permutations(PARTS)))
def test_each_part_is_written_anew_and_the_others_stay(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    document = tmp_path / "performance.md"
    for part in order:
        put(document, part, f"{PARTS[part]}\nold\n")

    put(document, order[0], f"{PARTS[order[0]]}\nnew\n")

    states = {part: "new" if part == order[0] else "old" for part in PARTS}
    expected = [f"{head}\n{states[part]}\n" for part, head in PARTS.items()]
    assert document.read_text() == "\n".join(expected)
