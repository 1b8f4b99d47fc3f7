"""The faults of an earlier program (API notes, 4.5) in its bot, 28 to 41.

Where another file proves a thing in full, the test here is a second, short look at it: 28 who
sees what (test_access), 29 a secret that the chat no longer shows (tests/chain/test_walk), 30
names of every kind (test_hostile_names), 36 and 37 how messages are drawn anew and presses are
answered on Telegram (tests/bot). The image that 40 is about has its own issue; the test here is
what any image rests on. For 41, all buttons come from answers; a test that knows them by heart
would not see that one leads nowhere.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import words
from app.commands.networks.locations import NEXT
from panoptes_bot.render import render
from panoptes_bot.split import units
from simulator.plume import PARTNER, PlumeWorld, hostile
from simulator.plume.faults import ALWAYS
from tests.api.service import Service
from tests.api.test_webhook import final, send, update, watching
from tests.networks.engineer import Engineer, Telegrammer, labels
from tests.stored import GOLDEN
from wire.reply import Reply

ROOT = Path(__file__).parents[2]
NOT_CONFIGURED = 78
PART = 4096  # UTF-16 units of a message
# As JSON there are no words, and hostile names hold marks themselves.
TOLD = [
    path
    for path in sorted((GOLDEN / "networks").glob("*/*.json"))
    if path.parent.name != "json" and "hostile" not in path.stem
]


def sends(answer: dict[str, Any]) -> list[str]:
    return [button["send"] for row in answer["buttons"] for button in row]


async def test_fault_28_who_was_not_let_in_sees_nothing_and_asks_plume_nothing(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    plume.calls.clear()
    stranger = Engineer(engineer.service, "6")

    for command in ("network", "check", "nodes", "speed test yes", "find Ada", "grants"):
        answer = await stranger.say(f"/{command}")
        assert answer["error"] in {"not_connected", "command_not_allowed"}, command
        assert "Ada" not in answer["response"]
    assert not plume.calls


async def test_fault_29_a_secret_is_to_be_deleted_and_kept_in_no_readable_form(
    service: Service, tmp_path: Path
) -> None:
    person = Engineer(service)
    await person.say("/setup")
    heard = await person.say(PARTNER.header)
    await person.say(PARTNER.id)

    assert heard["actions"] == ["forget"]
    with closing(sqlite3.connect(tmp_path / "data" / "service.db")) as kept:
        dump = "\n".join(kept.iterdump())
    assert 'INSERT INTO "connections"' in dump
    for secret in (PARTNER.header.removeprefix("Basic "), PARTNER.client_secret, PARTNER.id):
        assert secret not in dump
        assert secret.encode().hex().upper() not in dump


@pytest.mark.parametrize(
    ("scenario", "name"), [("hostile_markup", hostile.MARKUP), ("hostile_html", hostile.HTML)]
)
async def test_fault_30_a_name_with_marks_is_drawn_as_it_is(
    scenario: str, name: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    chosen = await engineer.choose(plume, scenario)

    text = render(chosen["response"])

    assert text.text.startswith(f"{name} of {name} is chosen.")
    assert [(it.type, it.offset, it.length) for it in text.entities] == [("bold", 0, units(name))]


def test_fault_31_no_mark_of_markdown_is_seen() -> None:
    drawn = {f"{path.parent.name}/{path.stem}": render(stored(path).response) for path in TOLD}

    marks = [
        (name, mark)
        for name, text in drawn.items()
        for mark in ("**", "`", "\\")
        if mark in text.text
    ]
    assert len(drawn) > 90
    assert marks == []
    assert all(it.entities for name, it in drawn.items() if name.startswith("network/"))


@pytest.mark.parametrize("command", ["network", "wan", "stats", "nodes", "wifi", "check"])
async def test_fault_32_change_location_is_no_dead_end(
    command: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    asked = await engineer.press(await engineer.say(f"/{command}"), words.CHANGE_LOCATION)

    chosen = await engineer.say("Ben Broken")

    assert asked["response"].startswith(words.FIND_ASK)
    assert "of Ben Broken is chosen" in chosen["response"]
    assert "Ben Broken" in (await engineer.say(f"/{command}"))["response"]


@pytest.mark.parametrize("old", ["/stats 7d refresh", "/stats 24h", "stats_7d"])
async def test_fault_33_an_old_button_pressed_meanwhile_chooses_nothing(
    old: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    known = labels(await engineer.say("/locations"))

    await engineer.say(old, pressed_message_id="3")

    assert labels(await engineer.say("/locations")) == known
    assert "Ada Example" in (await engineer.say("/network"))["response"]
    assert "is chosen" in (await find_after(engineer, "Ben Broken"))["response"]


async def find_after(engineer: Engineer, said: str) -> dict[str, Any]:
    """Answer the question that still waits."""
    await engineer.say("/locations")
    return await engineer.say(said)


async def test_fault_34_a_customer_id_never_becomes_a_header_nor_a_header_a_search(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place("two_locations")
    await engineer.say("/setup")
    await engineer.say("/locations")
    plume.calls.clear()

    as_search = await engineer.say(home.customer.id)
    await engineer.say("/locations")
    await engineer.say("/setup")
    plume.calls.clear()
    as_header = await engineer.say(PARTNER.header)

    assert labels(as_search)[:2] == ["🟢 Home", "🟡 Cabin"]
    assert as_header["response"] == words.SETUP_PARTNER
    assert not plume.calls


async def test_fault_35_customer_and_location_change_together_or_not_at_all(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    one, other, many = (plume.place(name) for name in ("all_fine", "pod_down", "two_locations"))
    await engineer.choose(plume, "all_fine")

    tried = [
        await engineer.say(f"/locations {said}")
        for said in (
            f"{other.customer.id} {one.id}",
            f"{one.customer.id} {other.id}",
            f"{'0' * 24} {one.id}",
            many.customer.id,  # and neither of the two is pressed
        )
    ]

    assert [each["success"] for each in tried] == [False, False, False, True]
    asked = len(plume.of("*/nodes"))
    assert "Ada Example" in (await engineer.say("/nodes refresh"))["response"]
    assert {call.path for call in list(plume.of("*/nodes"))[asked:]} <= {
        f"/api/Customers/{one.customer.id}/locations/{one.id}/nodes"
    }


async def test_fault_36_no_press_takes_a_message_away(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    heard = [await engineer.choose(plume, "all_fine")]
    heard += [await engineer.press(heard[0], words.BUTTONS[name]) for name in NEXT]
    drawn = [each for each in heard if words.BUTTONS["refresh"] in labels(each)]
    heard += [await engineer.press(each, words.BUTTONS["refresh"]) for each in drawn]
    heard.append(await engineer.press(heard[1], words.CHANGE_LOCATION))

    assert len(drawn) > 3
    assert {action for each in heard for action in each["actions"]} == {"replace"}


async def test_fault_37_a_press_is_taken_before_plume_answers_and_an_error_keeps_buttons(
    service: Service, plume: PlumeWorld
) -> None:
    person = Telegrammer(service, "7")
    await person.sign_in()
    await person.choose(plume, "all_fine")
    plume.fail("/reports/*", "error:503", ALWAYS)
    plume.latency = 0.2
    async with watching(service) as events:
        await send(service, pressed("/stats 24h"))
        answered = [call for call in plume.of("/reports/*") if call.status]
        told = await final(events)

    assert not answered
    assert told["edits"] == ["50"]
    assert told["reply"]["error"] == "plume_unreachable"
    buttons = [button["send"] for row in told["reply"]["buttons"] for button in row]
    assert buttons == ["/stats 24h", "/locations"]


def pressed(send: str) -> dict[str, Any]:
    shown = update(1)["message"] | {"message_id": 50}
    press = {"id": "9", "from": shown["from"], "message": shown, "data": send}
    return {"update_id": 2000, "callback_query": press}


@pytest.mark.parametrize(
    ("scenario", "command"),
    [
        ("many_pods", "nodes"), ("many_pods", "network"), ("many_devices", "devices"),
        ("many_devices", "devices away"), ("many_locations", "locations"),
    ],
)  # fmt: skip
async def test_fault_38_what_is_long_comes_in_pages_that_fit_and_no_boxes_are_drawn(
    scenario: str, command: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place(scenario)
    await engineer.choose(plume, scenario)
    whole = f"/locations {home.customer.id}" if command == "locations" else f"/{command}"
    answer, seen = await engineer.say(whole), []
    while True:
        text = render(answer["response"]).text
        assert units(text) <= PART
        assert not any("\u2500" <= letter <= "\u257f" for letter in text)
        seen.append(text)
        if not any(label.endswith(" →") for label in labels(answer)):
            break
        answer = await engineer.press(answer, " →")

    assert len(answer["buttons"]) <= 12
    assert len(seen) > 1 or command in {"network", "devices away"}


async def test_fault_39_a_name_is_enough_and_there_is_help_and_a_way_back(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    helped = await engineer.say("/help")
    found = await engineer.say("/find ada ex")
    several = await engineer.say(f"/find {plume.place('two_locations').customer.id}")
    back = await engineer.press(several, words.BACK)

    assert all(f"/{name}" in helped["response"] for name in ("find", "locations", "check"))
    assert "of Ada Example is chosen" in found["response"]
    assert back["response"].startswith(words.FIND_ASK)


def test_fault_40_the_service_needs_only_its_packages_and_reads_its_env_file(
    tmp_path: Path,
) -> None:
    for name in ("app", "wire", "run_service.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".env").write_text("API_PORT=nowhere\n")

    ended = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == NOT_CONFIGURED, ended.stderr
    assert "API_PORT" in ended.stderr
    assert "ImportError" not in ended.stderr


# What stands beside the service here is out of sight, as it is in an image.
STARTED = """
import sys
sys.path = [path for path in sys.path if path != {root!r}]
import run_service
assert not {others!r} & {{name.partition(".")[0] for name in sys.modules}}
sys.exit(run_service.main())
""".format(root=str(ROOT), others={"simulator", "tests", "bench", "panoptes_bot"})


async def test_fault_41_every_button_of_every_answer_leads_somewhere(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "two_locations")
    pressed: dict[str, dict[str, Any]] = {}
    left = ["/start", "/help", "/network"]
    while left:
        send = left.pop()
        pressed[send] = await engineer.say(send, pressed_message_id="1")
        left += [
            each for each in dict.fromkeys(sends(pressed[send]))
            if each not in pressed and each not in left and not OUT_OF_NETWORKS.match(each)
        ]  # fmt: skip

    bad = {send: each["error"] for send, each in pressed.items() if each["error"] not in GOOD}
    assert bad == {}
    assert len(pressed) > 20
    assert {f"/{name}" for name in NEXT} <= pressed.keys()


OUT_OF_NETWORKS = re.compile(r"/(model|models|settings|language|clear|forget|translate|summarize)")
GOOD = {None}


def stored(path: Path) -> Reply:
    told = json.loads(path.read_text(encoding="utf-8"))
    return Reply.model_validate(told | {"response": "\n".join(told["response"])})
