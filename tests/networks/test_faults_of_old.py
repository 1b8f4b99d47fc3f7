"""The faults of an earlier program (API notes, 4.5) in its client, 19 to 27.

Those of its data, 1 to 18, are in tests/network; those of its bot, 28 to 41, beside this file.
Where another file proves a thing in full, the test here is a second, short look at it: 23 all
answers that are none (test_report_faults), 25 the lifetime of a token that names none
(tests/plume/test_oauth), 27 all that is ever written down (test_canary).
"""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from loguru import logger
from starlette.types import ASGIApp, Receive, Scope, Send

from app import words
from simulator.plume import OTHER_PARTNER, PARTNER, PlumeWorld, addresses, create_plume
from simulator.plume.faults import ALWAYS
from tests.api.service import INTERNAL, Clock, Place, Service, bearer
from tests.networks.engineer import Engineer, Telegrammer, labels
from tests.servers import serve

DAY = 86_400.0


@dataclass
class Doorman:
    """Stands before a cloud and notes from where connections come."""

    app: ASGIApp
    seen: set[tuple[str, int]] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.add(scope["client"])
        await self.app(scope, receive, send)


@asynccontextmanager
async def another_cloud(place: Place, clock: Clock, app: ASGIApp) -> AsyncIterator[Engineer]:
    """Yield somebody whose service looks at this cloud, and has signed in to none yet."""
    async with serve(app) as cloud:
        where = addresses(cloud)
        changes = {
            "plume_sso_url": where.sso,
            "plume_api_base": where.api,
            "plume_reports_base": where.reports,
        }
        async with place.running(wires={"clock": clock}, **changes) as service:
            yield Engineer(service)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    sink = io.StringIO()
    number = logger.add(sink, format="{message} {extra}\n{exception}", level=0)
    yield sink
    logger.remove(number)


async def test_fault_19_a_restart_loses_no_sign_in_no_choice_no_favourite_and_no_grant(
    place: Place, clock: Clock, plume: PlumeWorld
) -> None:
    async with place.running(wires={"clock": clock}, telegram_admin_users=("5",)) as before:
        boss = Telegrammer(before, "5")
        await boss.sign_in()
        await boss.choose(plume, "all_fine")
        await boss.say(f"/locations star {plume.place('all_fine').id}")
        await boss.choose(plume, "pod_down")
        await boss.say("/grant 6")

    async with place.running(wires={"clock": clock}) as after:
        report = await Telegrammer(after, "5").say("/network")
        favourite = labels(await Telegrammer(after, "5").say("/locations"))[0]
        granted = await Telegrammer(after, "6").choose(plume, "all_fine")

    assert "Ben Broken" in report["response"]
    assert favourite.startswith("★ Ada Example")
    assert granted["success"]


@pytest.mark.parametrize("fault", ["oauth:invalid_client", "error:503", "html", "reset"])
async def test_fault_20_whatever_becomes_of_another_sign_in_the_old_one_goes_on(
    fault: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    await engineer.say(f"/setup {OTHER_PARTNER.header}")
    plume.fail("/oauth2/*", fault, ALWAYS)

    refused = await engineer.say(OTHER_PARTNER.id)

    assert not refused["success"]
    plume.faults.clear()
    # While the questions still wait for another answer.
    assert (await engineer.say("/network refresh"))["response"].startswith("🟢")


async def test_fault_21_a_token_that_ended_sends_nobody_back_to_setup(
    engineer: Engineer, plume: PlumeWorld, clock: Clock
) -> None:
    await engineer.choose(plume, "all_fine")
    signed_in = plume.sign_ins
    clock.now += DAY
    plume.tokens.revoke()

    start, locations, report = [
        await engineer.say(said) for said in ("/start", "/locations", "/network")
    ]

    assert words.START["status"] in start["response"]
    assert locations["response"].startswith(words.FIND_ASK)
    assert report["success"]
    assert plume.sign_ins == signed_in + 1


async def test_fault_22_each_refusal_has_its_own_words_and_only_a_401_a_fresh_token(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    signed_in = plume.sign_ins
    said, sign_ins = {}, {}
    for fault in ("unauthorized", "forbidden", "missing", "invalid:CUS00001", "too_many"):
        plume.faults.clear()
        plume.fail("*/nodes", fault, ALWAYS)
        answer = await engineer.say("/nodes")
        assert not answer["success"], fault
        said[fault] = answer["response"]
        sign_ins[fault], signed_in = plume.sign_ins - signed_in, plume.sign_ins

    # A second 401 is about the customer, as a 403 is.
    assert said["unauthorized"] == said["forbidden"]
    assert len(set(said.values())) == len(said) - 1
    assert not any("status" in each or "client error" in each for each in said.values())
    assert sign_ins == dict.fromkeys(said, 0) | {"unauthorized": 1}


@pytest.mark.parametrize("fault", ["error:500", "page:502", "html", "nothing", "blank"])
async def test_fault_23_what_is_no_answer_is_an_error_of_plume_by_chat_and_by_rest(
    fault: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.choose(plume, "all_fine")
    plume.fail("/api/*", fault, ALWAYS)

    for name in ("nodes", "wifi"):
        by_chat = await engineer.say(f"/{name}")
        by_rest = await engineer.service.http.get(
            f"/network/{name}", params={"user_id": engineer.user_id}, headers=bearer(INTERNAL)
        )

        assert by_rest.status_code in {502, 503}
        assert by_rest.json()["error"] == by_chat["error"]
        assert by_chat["error"].startswith("plume_")
        assert "administrator" not in by_chat["response"]


async def test_fault_24_calls_share_their_connections_and_go_side_by_side(
    place: Place, clock: Clock, plume: PlumeWorld
) -> None:
    doorman = Doorman(create_plume(plume))
    plume.latency = 0.05
    async with another_cloud(place, clock, doorman) as engineer:
        await engineer.sign_in()
        await engineer.choose(plume, "all_fine")
        await engineer.say("/check")
        doors, asked = len(doorman.seen), len(plume.calls)
        await engineer.choose(plume, "pod_down")
        for command in ("/wifi", "/wan", "/nodes"):
            assert (await engineer.say(command))["success"]

    assert plume.most_at_once > 1
    assert len(plume.calls) > asked
    assert len(doorman.seen) == doors
    assert plume.sign_ins == 1


async def test_fault_25_any_cloud_can_be_looked_at(place: Place, clock: Clock) -> None:
    elsewhere = PlumeWorld(now=clock)
    async with another_cloud(place, clock, create_plume(elsewhere)) as engineer:
        await engineer.sign_in()
        found = await engineer.choose(elsewhere, "all_fine")

    assert found["success"]
    assert elsewhere.sign_ins == 1
    assert elsewhere.of("/api/*")


@pytest.mark.parametrize(
    "said", ["../../Customers", "a?include=x", "a/../../b", "%2e%2e%2fb", "a#b", "a&b=c", "a;b"]
)
async def test_fault_26_what_a_person_types_never_leads_to_another_call(
    said: str, engineer: Engineer, plume: PlumeWorld
) -> None:
    plume.calls.clear()
    home = plume.place("all_fine")

    for command in ("/find", "/locations", f"/locations {home.customer.id}"):
        answer = await engineer.say(f"{command} {said}")
        assert answer["error"] == "nothing_found", answer

    asked = {(call.path, call.query.get("include")) for call in plume.of("/api/*")}
    mine = f"/api/Customers/{home.customer.id}"
    assert asked == {
        (f"/api/partners/customers/search/{said}", None),
        (f"/api/partners/locations/{said}", None),
        (mine, None),
        (f"{mine}/locations", "summary"),
    }


@pytest.mark.parametrize("odd", ["\n", "\x00", "é", "\u202e"])
async def test_fault_27_a_header_that_cannot_be_sent_is_not_written_down(
    odd: str, service: Service, logged: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    code = PARTNER.header.removeprefix("Basic ")
    person = Engineer(service)
    await person.say("/setup")
    half = len(code) // 2

    heard = await person.say(f"Basic {code[:half]}{odd}{code[half:]}")
    await person.say(PARTNER.id)

    told = logged.getvalue() + "".join(capfd.readouterr()) + str(heard)
    assert "turn.done" in told
    for part in (code[:half], code[half:], PARTNER.client_secret, PARTNER.id):
        assert part not in told
