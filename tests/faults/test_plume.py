"""Each fault of Plume Cloud: what is asked, what a person sees on Telegram, what REST answers."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from simulator.plume import PARTNER
from simulator.plume.faults import ALWAYS
from simulator.plume.hostile import MARKUP
from tests.api.service import INTERNAL, bearer, said
from tests.faults.stage import Stage, running
from tests.networks.engineer import Engineer

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:.*getUpdates.*"),
]

TRIES = 3
SIGN_IN, CALLS = "/oauth2/*/token", "/*/Customers/*"
AGAIN, CHOOSE, SETUP = "Try again", "Choose a location", "Sign in to Plume"
# What must not be said of a network of which nothing is known.
DEAD = re.compile(r"offline|disconnected|\b0 of |🔴|🟢|critical", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """`sees` is part of what is said, by every door."""

    number: str
    fault: str
    path: str
    status: int
    error: str
    sees: str
    buttons: tuple[str, ...] = (AGAIN, CHOOSE)

    @property
    def name(self) -> str:
        return f"{self.number}-{self.fault}"


LOST = (409, "plume_sign_in_refused", "Plume does not take this authorization header", (SETUP,))
NOT_LET = (409, "plume_sign_in_refused", "does not let this sign-in use this partner id", (SETUP,))
ODD = (502, "plume_bad_reply", "gave an answer that cannot be read, so nothing is known")
AWAY = (503, "plume_unreachable", "cannot be reached, so nothing is known")
NOT_YOURS = (404, "plume_not_yours", "no such customer, or it belongs to another", (CHOOSE,))

ROWS = {
    row.name: row
    for row in (
        Row("P1", "oauth:invalid_client", SIGN_IN, *LOST),
        Row("P1", "unauthorized", SIGN_IN, *LOST),
        Row("P2", "oauth:invalid_scope", SIGN_IN, *NOT_LET),
        Row("P2", "forbidden", SIGN_IN, *NOT_LET),
        Row("P3", "token:missing", SIGN_IN, *ODD),
        Row("P3", "html", SIGN_IN, *ODD),
        Row("P4", "unauthorized", CALLS, *NOT_YOURS),
        Row("P5", "forbidden", CALLS, *NOT_YOURS),
        Row("P5", "missing", CALLS, 404, "plume_not_found", "no longer knows this location",
            (CHOOSE,)),
        Row("P7", "error:500", CALLS, *AWAY),
        Row("P7", "reset", CALLS, *AWAY),
        Row("P7", "bomb", CALLS, *ODD),
        Row("P7", "redirect", CALLS, *ODD),
        Row("P8", "null", CALLS, *ODD),
        Row("P8", "nan", CALLS, *ODD),
        Row("P8", "types:lists", CALLS, *ODD),
    )
}  # fmt: skip


@dataclass
class Scene:
    stage: Stage
    person: int
    engineer: Engineer

    def afresh(self) -> None:
        """Let Plume be well, and forget what it was asked and which tokens it gave."""
        self.stage.plume.faults.clear()
        self.stage.plume.tokens.revoke()
        self.stage.plume.calls.clear()

    def asked(self) -> tuple[Counter[str], int]:
        """Return how often Plume was asked each thing, and how often for a sign-in."""
        plume = self.stage.plume
        paths = (call.path for call in plume.calls if "/oauth2/" not in call.path)
        return Counter(path.rpartition("/")[2] for path in paths), plume.sign_ins


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Somebody on Telegram and somebody on REST, both signed in and at the same location."""
    async with running(tmp_path_factory.mktemp("plume")) as stage:
        yield await signed_in(stage)


async def signed_in(stage: Stage) -> Scene:
    person, engineer = stage.somebody(), Engineer(stage.service)
    home = stage.plume.place("all_fine")
    choice = f"/locations {home.customer.id} {home.id}"
    for words in ("/setup", PARTNER.header, PARTNER.id, choice):
        await stage.ask(person, words)
    await engineer.sign_in()
    assert (await engineer.say(choice))["success"]
    return Scene(stage, person, engineer)


@pytest.mark.parametrize("name", ROWS)
async def test_a_fault_of_plume(scene: Scene, name: str) -> None:
    row, stage, plume = ROWS[name], scene.stage, scene.stage.plume
    scene.afresh()
    plume.fail(row.path, row.fault, ALWAYS)

    shown = await stage.ask(scene.person, "/wan")
    calls, sign_ins = scene.asked()
    answered = await scene.engineer.say("/wan")
    who = {"user_id": scene.engineer.user_id}
    heard = await stage.service.http.get("/network/wan", params=who, headers=bearer(INTERNAL))
    events = await stage.service.events(said("/wan", **who, chat_id="chat-5"))

    # The sign-in is asked for once, and once more where it is not taken; a call three times.
    assert sign_ins == 1 if row.path == SIGN_IN else sign_ins <= 2
    # The location itself is asked for where it was not read within the last seconds.
    location = scene.stage.plume.place("all_fine").id
    assert set(calls) <= {"wanStats", "wanSaturation", location}
    assert max(calls.values(), default=0) <= TRIES
    assert row.sees in shown.text
    assert (len(shown.texts), shown.buttons) == (1, row.buttons)
    assert not DEAD.search(shown.text)
    for told in (answered, events[-1].data):
        assert (told["success"], told["error"]) == (False, row.error)
        assert row.sees in told["response"]
    assert (heard.status_code, heard.json()["error"]) == (row.status, row.error)


async def test_who_is_asked_to_slow_down_says_so_and_when_to_come_again(tmp_path: Path) -> None:
    async with running(tmp_path) as stage:
        scene = await signed_in(stage)
        stage.plume.fail(CALLS, "too_many:60", ALWAYS)
        before = len(stage.plume.calls)

        shown = await stage.ask(scene.person, "/wan")
        asked = len(stage.plume.calls) - before
        answered = await scene.engineer.say("/wan")
        who = {"user_id": scene.engineer.user_id}
        heard = await stage.service.http.get("/network/wan", params=who, headers=bearer(INTERNAL))

        assert "asked us to slow down" in shown.text
        assert shown.buttons == (AGAIN, CHOOSE)
        assert answered["error"] == "plume_busy"
        assert (heard.status_code, heard.json()["error"]) == (503, "plume_busy")
        assert 0 < int(heard.headers["Retry-After"]) <= 60
        # Once it said so it is left alone, whoever asks and by whichever door.
        assert 0 < asked == len(stage.plume.calls) - before


@pytest.mark.parametrize("fault", ["no_lifetime", "text", "negative"])
async def test_a_token_without_a_usable_lifetime_is_used(scene: Scene, fault: str) -> None:
    scene.afresh()
    scene.stage.plume.fail(SIGN_IN, f"token:{fault}", ALWAYS)

    shown = await scene.stage.ask(scene.person, "/speed")
    answered = await scene.engineer.say("/speed")

    assert "Speed tests of the line" in shown.text
    assert answered["success"]


@pytest.mark.parametrize("fault", ["oauth:invalid_client", "oauth:invalid_scope"])
async def test_what_plume_refuses_at_setup_is_not_stored(scene: Scene, fault: str) -> None:
    stage = scene.stage
    scene.afresh()
    stage.plume.fail(SIGN_IN, fault, ALWAYS)
    person, engineer = stage.somebody(), Engineer(stage.service, user_id=fault.replace(":", "-"))

    seen = [await stage.ask(person, it) for it in ("/setup", PARTNER.header, PARTNER.id)]
    heard = [await engineer.say(it) for it in ("/setup", PARTNER.header, PARTNER.id)]
    await stage.ask(person, "/cancel")
    await engineer.say("/cancel")

    for text in (seen[-1].text, heard[-1]["response"]):
        assert "Plume" in text
        assert PARTNER.header not in text
    assert not heard[-1]["success"]
    assert "not signed in" in (await stage.ask(person, "/wan")).text
    assert (await engineer.say("/wan"))["error"] == "not_connected"


async def test_a_revoked_token_is_replaced_by_one_sign_in_for_all_who_ask(scene: Scene) -> None:
    scene.afresh()
    await scene.stage.ask(scene.person, "/locations")
    scene.afresh()
    scene.stage.plume.sso_latency = 0.2  # so that others ask meanwhile

    shown, *answered = await asyncio.gather(
        scene.stage.ask(scene.person, "/incidents"),
        *(scene.engineer.say(it) for it in ("/nodes", "/wifi", "/devices")),
    )

    scene.stage.plume.sso_latency = 0.0
    assert "Incidents" in shown.text
    assert [it["error"] for it in answered] == [None] * 3
    assert scene.asked()[1] == 1


async def test_hostile_names_are_plain_text_and_short(scene: Scene) -> None:
    stage = scene.stage
    scene.afresh()
    # Not where an answer of before is still kept.
    home = stage.plume.place("hostile_markup")
    said = (f"/locations {home.customer.id} {home.id}", "/nodes", "/wifi", "/devices")
    stage.plume.switches.hostile_ssids = 12
    stage.plume.switches.hostile_names = True
    try:
        seen = [await stage.ask(scene.person, it) for it in said]
        heard = [await scene.engineer.say(it) for it in said]
    finally:
        stage.plume.switches.hostile_ssids = 0
        stage.plume.switches.hostile_names = False

    assert [it["error"] for it in heard] == [None] * len(said)
    # As they are, and not as the Markdown that they could be.
    for shown in seen[1:]:
        assert MARKUP in shown.text, shown.text
    # Nothing that Telegram would refuse was ever sent, and nothing leads anywhere.
    assert stage.refused(chat=scene.person) == []
    entities = [
        entity["type"]
        for kept in stage.bots(scene.person)
        for entity in kept.content.get("entities", [])
    ]
    assert not {"text_link", "text_mention", "mention", "url"} & set(entities)
