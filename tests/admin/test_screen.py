"""What the commands print."""

import json

import pytest

from app.admin import doctor, screen
from app.admin.findings import Finding, State


def test_doctor_prints_lines_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Finding("disk", State.BROKEN, "it is full", "make room")]

    doctor.show(found, as_json=False)
    doctor.show(found, as_json=True)

    lines, _, told = capsys.readouterr().out.partition("{")
    assert lines == "✗ disk: it is full\n    → make room\n"
    assert json.loads("{" + told)["healthy"] is False


def test_tables_are_lines_with_tabs_outside_of_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen.table(("id", "reason"), [(1, "two\nlines \x1b[31m"), (2, "x" * 300)])

    head, first, second = capsys.readouterr().out.splitlines()
    assert (head, first) == ("id\treason", "1\ttwo\ufffdlines \ufffd[31m")
    assert len(second) < 210


def test_a_terminal_gets_a_table_without_the_markup_of_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "fancy", lambda: True)

    screen.table(("reason",), [("[link=https://example.org]press[/link]",)])
    screen.say("[bold]plain", "red")

    said = capsys.readouterr().out
    assert "[link=https://example.org]press[/link]" in said
    assert "[bold]plain" in said
