"""Many texts, good and broken ones, before TDLib: none is refused and nothing is lost."""

import os
import re
from collections import Counter
from urllib.parse import unquote

import pytest

from panoptes_bot.markdown import kept
from panoptes_bot.render import render
from panoptes_bot.split import MOST_ENTITIES, MOST_UNITS, Entity, Text, parts, units
from tests.bot import judge
from tests.bot.texts import CASES, WORD, case, mutated

MANY = 20_000 if os.environ.get("SOAK") else 500
# What a reader is not meant to see: names of characters, labels of links, boxes of tasks.
NOT_SAID = re.compile(r"&#?\w+;|\[(?:one|two|three)\]|\[[xX]\]")


def _said(pieces: list[Text]) -> str:
    """Return all that a person gets: the texts, and what is behind links and beside code."""
    entities = [entity for piece in pieces for entity in piece.entities]
    behind = [f"{entity.url or ''} {entity.language or ''}" for entity in entities]
    return "\n".join([*(piece.text for piece in pieces), *behind, *map(unquote, behind)])


def _lost(markdown: str, pieces: list[Text]) -> list[str]:
    """Return the words that are not there as often as in the source, and the letters."""
    said, source = _said(pieces), NOT_SAID.sub(" ", kept(markdown))
    words = Counter(WORD.findall(source)) - Counter(WORD.findall(said))
    letters = Counter(filter(str.isalpha, source)) - Counter(filter(str.isalpha, said))
    return [*words, *letters]


def _faults(markdown: str) -> list[str]:
    """Return what is wrong with what becomes of a text."""
    pieces = parts(render(markdown))
    found = [f"lost {lost!r}" for lost in _lost(markdown, pieces)]
    for piece in pieces:
        if units(piece.text) > MOST_UNITS or len(piece.entities) > MOST_ENTITIES:
            found.append("too large")
        if piece.text != piece.text.rstrip(" \n"):
            found.append("ends in blanks")
        try:
            verdict = judge.kept(piece)
        except judge.Refused as refused:
            found.append(f"refused: {refused}")
            continue
        # Marks that are left in a text are read by the judge, and make another text of it.
        if verdict.text == piece.text and judge.drawn(verdict) != judge.drawn(piece):
            found.append("drawn in another way")
    return found


@pytest.mark.parametrize("number", range(len(CASES)))
def test_telegram_takes_each_case_whole(number: int) -> None:
    assert _faults(case(number)) == []


@pytest.mark.soak
def test_telegram_takes_generated_texts_whole() -> None:
    broken = [(seed, found) for seed in range(MANY) if (found := _faults(mutated(seed)))]

    print(f"\n{MANY} texts: {len(broken)} refused, changed or with a loss")  # noqa: T201 - the count is the point
    assert broken == []


def test_the_judge_draws_most_texts_as_we_do() -> None:
    pieces = [piece for number in range(len(CASES)) for piece in parts(render(case(number)))]

    same = [piece for piece in pieces if judge.kept(piece).text == piece.text]

    assert len(same) > 0.6 * len(pieces)  # else the comparison above claims nothing


@pytest.mark.parametrize(
    "entity",
    [
        Entity("text_link", 0, 1, url="http://a.b:0"),
        Entity("text_link", 0, 1, url="http://a.b:70000"),
        Entity("text_link", 0, 1, url="/path"),
        Entity("text_link", 0, 1, url="http://localhost:9090"),
        Entity("bold", 0, 9),
        Entity("bold", 3, 1),
    ],
    ids=str,
)
def test_the_judge_refuses_what_telegram_does(entity: Entity) -> None:
    with pytest.raises(judge.Refused):
        judge.kept(Text("ab👍", (entity,)))


def test_a_lost_word_is_noticed() -> None:
    assert _lost("one q1z and ü", [Text("one and")]) == ["q1z", "q", "z", "ü"]
