"""What the README says that doctor says, doctor says."""

import re
from collections.abc import Iterator

import pytest

from tests.admin.troubles import HERE
from tests.admin.troubles_outside import OUTSIDE
from tests.docs.claims import read
from tests.docs.tables import ROOT

# Tested beside the troubles, in tests/admin/test_doctor.py.
TOLD = {
    ("service", "it runs, is ready, and takes the keys"),
    ("spend", "the money of today is used up"),
}
LINES = ("settings", "the same lines")  # of a start that was refused


def said() -> Iterator[tuple[str, str]]:
    """Yield the piece and what is said of it, a row each."""
    rows = read(ROOT / "README.md").rows("you see", "doctor says", "do")
    for _, doctor, _ in rows:
        piece, _, what = doctor.partition(": ")
        yield piece, what


def sources() -> str:
    """Return the code of doctor, with a text that it puts together in one piece."""
    files = sorted((ROOT / "app" / "admin").rglob("*.py"))
    return re.sub(r'"\s*f?"', "", "\n".join(file.read_text() for file in files))


def backed(piece: str, what: str) -> bool:
    """Tell whether doctor has these words, and a trouble that is tested leads to them.

    What the words leave out is `…`, such as a number.
    """
    parts = [part.strip(" ;") for part in what.split("…") if part.strip(" ;")]
    told = (it.what for it in (*HERE, *OUTSIDE) if it.piece == piece)
    tested = any(part in text or text in part for text in told for part in parts)
    return all(part in sources() for part in parts) and (tested or (piece, what) in TOLD)


def test_there_are_rows() -> None:
    assert len(list(said())) >= 15


@pytest.mark.parametrize(("piece", "what"), sorted({*said()} - {LINES}))
def test_doctor_says_so(piece: str, what: str) -> None:
    assert backed(piece, what)


@pytest.mark.parametrize(
    ("piece", "what"),
    [
        ("Redis", "it is tired"),
        ("weather", "it does not answer"),
        ("Telegram", "the key is refused"),
    ],
)
def test_what_doctor_does_not_say_is_found(piece: str, what: str) -> None:
    assert not backed(piece, what)
