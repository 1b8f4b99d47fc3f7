"""What reports do besides their words: new tests, pages, pictures, and what they cost Plume."""

import base64
import io
import time
from typing import Any, cast

import pytest
from PIL import Image as Pictures

from app import words
from app.panoptes import measuring
from app.panoptes.access import Sight
from app.panoptes.measuring import Hindrance
from app.plume.models import Capability, Location, Node, Read
from app.sessions.connections import EVERYTHING, Person
from app.sessions.places import Chosen
from panoptes_bot.render import drawn
from simulator.plume import PlumeWorld
from simulator.plume.equipment import nodes_at
from tests.api.service import INTERNAL, Clock, Place, Service, bearer
from tests.network.worlds import NOW, gateway, location, pod
from tests.networks.engineer import Engineer, labels

STARTS = "*/speedTest"
DEVICE_MARKS = ("🟢", "🟡", "🔴", "⚪", "🔌")
FIRST_START = 120.0  # seconds: an installation's first picture reads all fonts


async def test_a_speed_test_is_started_after_a_question_and_once(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")

    asked = await engineer.press(await engineer.say("/speed"), words.TEST_BUTTON)
    before = list(plume.writes)
    started = await engineer.press(asked, words.TEST_START)

    assert before == []
    assert [each.path.rsplit("/", 2)[1:] for each in plume.writes] == [["GW100000000", "speedTest"]]
    assert started["success"]
    shown = await engineer.press(started, words.TEST_RESULT)
    assert "A test is running" in shown["response"]


async def test_a_button_starts_no_test_at_a_location_that_was_chosen_since(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    asked = await engineer.say("/speed test")
    await engineer.choose(plume, "pod_down")

    answer = await engineer.press(asked, words.TEST_START)

    assert (answer["success"], answer["error"]) == (False, "location_changed")
    assert plume.writes == []


async def test_whoever_looks_through_a_colleagues_sign_in_starts_nothing(
    engineer: Engineer, service: Service, plume: PlumeWorld
) -> None:
    colleague = Engineer(service, "6")
    panoptes = service.parts.panoptes
    assert panoptes is not None
    owner, mate = (Person("internal", each.user_id) for each in (engineer, colleague))
    await panoptes.access.grant(owner, mate, EVERYTHING)
    await colleague.choose(plume, "all_fine")

    shown = await colleague.say("/speed")
    answers = [await colleague.say(f"/speed test{yes}") for yes in ("", " yes")]

    assert shown["success"]
    assert words.TEST_BUTTON not in labels(shown)
    assert {each["error"] for each in answers} == {"speed_test_granted"}
    assert plume.writes == []


async def test_of_a_test_that_may_run_nobody_is_told_to_start_another(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    plume.fail(f"POST {STARTS}", "reset_after")

    answer = await engineer.say("/speed test yes")

    assert not answer["success"]
    assert "may run nevertheless" in answer["response"]
    assert labels(answer) == [words.TEST_RESULT]
    assert len(plume.of(STARTS, "POST")) == 1


class Asked:
    """An account that has three answers."""

    def __init__(
        self, where: Location, nodes: list[Node], capabilities: dict[str, Capability]
    ) -> None:
        self._answers = (where, tuple(nodes), capabilities)

    async def location(self, *_: str) -> Read[Any]:
        return Read(self._answers[0], NOW)

    async def nodes(self, *_: str) -> Read[Any]:
        return Read(self._answers[1], NOW)

    async def capabilities(self, *_: str) -> Read[Any]:
        return Read(self._answers[2], NOW)


OFF, ON = Capability(disabled=True), Capability(disabled=False)
DOWN = {"connectionState": "disconnected"}


@pytest.mark.parametrize(
    ("where", "nodes", "capabilities", "hindrance"),
    [
        ({}, [gateway(), pod()], {"ispSpeedTest": ON}, None),
        ({}, [gateway(), pod()], {}, None),
        ({}, [gateway(), pod()], {"ispSpeedTest": Capability()}, None),
        ({}, [gateway(), pod()], {"ispSpeedTest": OFF}, "not_offered"),
        ({}, [gateway(**DOWN), pod()], {}, "gateway_down"),
        ({}, [], {}, "no_gateway"),
        ({"serviceLevel": "noService"}, [gateway()], {"ispSpeedTest": OFF}, "service_off"),
        ({"serviceLevel": "basicService"}, [gateway()], {}, None),
    ],
)
async def test_a_test_is_offered_where_nothing_speaks_against_it(
    where: dict[str, Any],
    nodes: list[Node],
    capabilities: dict[str, Capability],
    hindrance: Hindrance | None,
) -> None:
    account = cast("Any", Asked(location(**where), nodes, capabilities))
    sight = Sight(Person("internal", "5"), 1, account, "theirs")

    found = await measuring.readiness(sight, Chosen("c" * 24, "a" * 24))

    assert found == ("GW1" if nodes else "", hindrance)


async def test_a_check_asks_each_thing_once_and_all_at_the_same_time(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    plume.calls.clear()
    plume.most_at_once = 0
    plume.latency = 1.0  # long enough for all of them to begin before the first one ends

    await engineer.say("/check")

    asked = [each.path for each in plume.calls]
    assert len(asked) == len(set(asked)) == 10
    # All but the history of speed tests, which waits to hear which node is the gateway.
    assert plume.most_at_once == 9


async def test_what_a_status_is_made_of_is_asked_at_the_same_time(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place("pod_down")  # not chosen, which would have read it before
    place = {"customer": home.customer.id, "location": home.id}
    plume.calls.clear()
    plume.most_at_once = 0
    plume.latency = 0.5

    heard = await engineer.service.http.get(
        "/network/status", params={"user_id": "5", **place}, headers=bearer(INTERNAL)
    )

    assert heard.status_code == 200
    assert len(plume.calls) == plume.most_at_once == 2


async def test_a_part_that_only_adds_does_not_take_a_report_away(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    for path in ("*/wanSaturation", "*/qoe", "*/results", "*/reboots", "*/capabilities"):
        plume.fail(path, "forbidden", -1)

    commands = ("wan", "devices", "speed", "incidents", "check")
    answers = [await engineer.say(f"/{command}") for command in commands]

    assert [each["error"] for each in answers] == [None] * len(commands)


@pytest.mark.parametrize(("command", "many"), [("/devices", 127), ("/devices away", 73)])
async def test_200_devices_are_all_listed(
    command: str, many: int, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "many_devices")

    answer = await engineer.say(command)
    lines = answer["response"].split("\n")
    while any("→" in label for label in labels(answer)):
        answer = await engineer.press(answer, "→")
        lines += answer["response"].split("\n")

    devices = [line for line in lines if line.startswith(DEVICE_MARKS)]
    assert len(devices) == many


async def test_41_pods_are_all_listed(engineer: Engineer, plume: PlumeWorld) -> None:
    await engineer.choose(plume, "many_pods")

    answer = await engineer.say("/nodes")
    text = answer["response"]
    while any("→" in label for label in labels(answer)):
        answer = await engineer.press(answer, "→")
        text += answer["response"]

    serials = {each.serial for each in nodes_at(plume, plume.place("many_pods"))}
    assert len(serials) == 41
    assert all(f"serial `{serial}`" in text for serial in serials)


@pytest.mark.parametrize(
    ("command", "scenario"),
    [
        ("/nodes", "many_pods"),
        ("/devices", "many_devices"),
        ("/network", "many_pods"),
        ("/incidents", "flapping"),
        ("/check", "many_pods"),
    ],
)
async def test_a_page_is_one_message_on_a_phone(
    command: str, scenario: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, scenario)

    answer = await engineer.say(command)

    assert len(drawn(answer["response"]).parts) == 1


async def test_a_report_brings_its_picture(place: Place, clock: Clock, plume: PlumeWorld) -> None:
    async with place.running(wires={"clock": clock}) as service:
        engineer = Engineer(service)
        await engineer.sign_in()
        await engineer.choose(plume, "all_fine")

        ends = time.monotonic() + FIRST_START
        for command in ("/wan", "/stats", "/speed"):
            answer = await engineer.say(command)
            while not answer["images"] and time.monotonic() < ends:  # the process still starts
                answer = await engineer.say(command)

            (picture,) = answer["images"]
            image = Pictures.open(io.BytesIO(base64.b64decode(picture["data"])))
            assert (picture["media_type"], image.format) == ("image/png", "PNG")
            assert image.width >= 1000
            assert "Home" in picture["alt"]


async def test_a_picture_that_cannot_be_drawn_is_left_out(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")

    answers = [await engineer.say(command) for command in ("/wan", "/stats", "/speed")]

    assert [(each["success"], each["images"]) for each in answers] == [(True, [])] * 3
