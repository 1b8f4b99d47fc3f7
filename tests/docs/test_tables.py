"""The tables that are made from the code are what the code says today."""

import re
from pathlib import Path

import pytest

from app import errors
from app.commands import COMMANDS
from app.llm import defaults
from app.settings import ELSEWHERE, names
from tests.docs import tables
from tests.docs.tables import NOT, PLACE, TABLES, documents, renewed


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_document_has_its_tables_as_the_code_makes_them(path: Path) -> None:
    text = path.read_text()

    assert renewed(text) == text, "run `make docs`"


def test_every_table_stands_somewhere_and_is_closed() -> None:
    text = "\n".join(path.read_text() for path in documents())

    assert {found[1] for found in PLACE.finditer(text)} == set(TABLES)
    assert text.count("<!-- table: ") == text.count("<!-- end -->") == len(PLACE.findall(text))


def test_a_table_that_drifted_is_written_anew() -> None:
    place = "before\n<!-- table: models -->\n| old |\n<!-- end -->\nafter\n"

    made = renewed(place)

    assert made == f"before\n<!-- table: models -->\n{tables.models()}\n<!-- end -->\nafter\n"
    assert renewed(made) == made


def test_a_table_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError, match="weather"):
        renewed("<!-- table: weather -->\n<!-- end -->")


def test_nothing_is_left_out() -> None:
    assert first_cells(tables.TABLES["settings"]()) == [*names(), *ELSEWHERE]
    assert {cell.split()[0] for cell in first_cells(tables.commands())} == {
        f"/{command.name}" for command in COMMANDS
    }
    assert first_cells(tables.models()) == list(defaults.MODELS)
    told = "".join(TABLES[f"{whose} errors"]() for whose in ("service", "model", "network"))
    codes = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.AppError)
    }
    assert codes - set(re.findall(r"`([a-z_]+)`", told)) == set()


def test_an_alias_and_a_replacement_stand_beside_their_model() -> None:
    rows = {row.split("`")[1]: row for row in tables.models().splitlines()[2:]}

    assert "`sonnet` | `anthropic/claude-sonnet-4.6` |" in rows["anthropic/claude-sonnet-4"]
    assert "with web search" in rows["openai/gpt-4o-search-preview"]


@pytest.mark.parametrize(
    ("command", "who"),
    [("/clear", [NOT, "✓"]), ("/setup", ["private chats"] * 2), ("/help", ["✓", "✓"])],
)
def test_a_command_says_who_has_it(command: str, who: list[str]) -> None:
    (row,) = [row for row in tables.commands().splitlines() if f"`{command}`" in row]

    assert [cell.strip() for cell in row.split("|")[-3:-1]] == who


def first_cells(table: str) -> list[str]:
    return [row.split("`")[1] for row in table.splitlines()[2:]]
