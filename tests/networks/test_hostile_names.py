"""Names that break careless programs: every report draws them as the text that they are."""

import re

import pytest

from app import texts, words
from app.commands.networks import wording
from app.panoptes.reports import REPORTS
from panoptes_bot.markdown import kept
from panoptes_bot.render import render
from panoptes_bot.split import Entity, Text
from simulator.plume import PlumeWorld, hostile
from simulator.plume.scenarios import SCENARIOS
from tests.networks.engineer import Engineer, labels

OURS = {"bold", "italic", "code"}
MANY = 300
# What else Markdown, or the reader of formulas beside it, would take for something.
MORE = [
    "a &lt; b &amp; c",
    "$x_1$ or $y_2$",
    r"\[a_b\] \(c_d\)",
    "[a]: b",
    "Cellar ![x](y)",
    "- 1. # a",
]
ALL = [*hostile.names(MANY), *MORE]
# What Telegram itself makes a link or a command of, wherever it stands outside of code.
SELF_LINKED = re.compile(r"https?://|(?<!\w)[@#/]\w")
HOSTILE = [name for name in SCENARIOS if name.startswith("hostile_")]


def drawn_name(name: str) -> str:
    """Return a name as it is to be seen: on one line, shortened, without what nobody sees."""
    return kept(texts.flat(name)).strip()


def places(text: str, name: str) -> list[tuple[int, int]]:
    """Return where a name stands, in UTF-16 units."""
    found, at = [], text.find(name)
    while at >= 0:
        start = len(text[:at].encode("utf-16-le")) // 2
        found.append((start, start + len(name.encode("utf-16-le")) // 2))
        at = text.find(name, at + 1)
    return found


def whole(entity: Entity, start: int, end: int) -> bool:
    """Tell whether an entity covers a stretch from one end to the other, or nothing of it."""
    first, last = entity.offset, entity.offset + entity.length
    return (first <= start and end <= last) or last <= start or end <= first


def claim_plain(text: Text, name: str) -> None:
    """Claim that a name is there, and that no entity begins or ends within it."""
    found = places(text.text, name)
    assert found, name
    # A short name may be a part of a longer one, which has entities of its own.
    assert any(
        all(whole(entity, start, end) for entity in text.entities) for start, end in found
    ), name


def claim_ours(text: Text) -> None:
    assert {entity.type for entity in text.entities} <= OURS
    raw = text.text.encode("utf-16-le")
    outside = bytearray(raw)
    for entity in text.entities:
        if entity.type == "code":
            size = 2 * entity.length
            outside[2 * entity.offset : 2 * entity.offset + size] = b"_\0" * entity.length
    left = outside.decode("utf-16-le")
    # Our own commands stand in code as well.
    assert not SELF_LINKED.search(left), SELF_LINKED.findall(left)


@pytest.mark.parametrize("bold", [False, True])
def test_each_of_300_names_is_text_in_a_line(*, bold: bool) -> None:
    for name in ALL:
        said = wording.name(name, bold=bold)
        line = render(f"🏠 {said or 'nobody'}: online, of {said or 'nobody'}")

        if drawn_name(name):
            claim_plain(line, drawn_name(name))
        claim_ours(line)


def test_each_of_300_ssids_can_be_copied_as_it_is() -> None:
    for name in filter(drawn_name, ALL):
        line = render(f"🟢 {wording.exact(name)}: on")

        covered = [
            line.text.encode("utf-16-le")[2 * e.offset : 2 * (e.offset + e.length)]
            for e in line.entities
        ]
        assert [each.decode("utf-16-le") for each in covered] == [drawn_name(name)]


async def pages(engineer: Engineer, command: str) -> list[Text]:
    """Return all pages of a report, drawn as Telegram gets them."""
    answer = await engineer.say(command)
    found = [render(answer["response"])]
    while any("→" in label for label in labels(answer)):
        answer = await engineer.press(answer, "→")
        assert answer["success"], answer
        found.append(render(answer["response"]))
    return found


async def test_300_networks_are_all_listed_as_text(engineer: Engineer, plume: PlumeWorld) -> None:
    plume.switches.hostile_ssids = MANY
    await engineer.choose(plume, "all_fine")

    found = await pages(engineer, "/wifi")

    lines = [line for text in found for line in text.text.split("\n") if line[0:1] in {"🟢", "⚪"}]
    assert len(lines) == MANY + 2
    for text in found:
        claim_ours(text)
    everything = "\n".join(text.text for text in found)
    for name in filter(None, map(drawn_name, hostile.names(MANY))):
        assert f" {name}: o" in everything, name
    unnamed = sum(not drawn_name(name) for name in hostile.names(MANY))
    assert everything.count(words.WIFI_UNNAMED) == unnamed


@pytest.mark.parametrize(
    ("scenario", "command", "many"),
    [("many_pods", "/nodes", 41), ("many_devices", "/devices", 200)],
)
async def test_hostile_pods_and_devices_are_text(
    scenario: str, command: str, many: int, engineer: Engineer, plume: PlumeWorld
) -> None:
    plume.switches.hostile_names = True
    await engineer.choose(plume, scenario)

    found = await pages(engineer, command)
    if command == "/devices":
        found += await pages(engineer, "/devices away")

    for text in found:
        claim_ours(text)
    for name in filter(None, map(drawn_name, hostile.names(many))):
        claim_plain(next((text for text in found if name in text.text), found[0]), name)


@pytest.mark.parametrize("scenario", HOSTILE)
async def test_every_report_on_a_hostile_location_is_text(
    scenario: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    plume.switches.hostile_ssids = 12
    await engineer.choose(plume, scenario)
    name = drawn_name(plume.place(scenario).plan.label)

    for report in REPORTS:
        command = "network" if report == "status" else report
        answer = await engineer.say(f"/{command}")
        text = render(answer["response"])

        assert answer["success"], answer
        claim_ours(text)
        if name:
            claim_plain(text, name)
