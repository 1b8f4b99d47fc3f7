"""Signing in by chat, and out of it."""

import base64
import re

import pytest

from app import texts, words
from simulator.plume import OTHER_PARTNER, PARTNER, PlumeWorld
from tests.api.service import Clock, Place, Service
from tests.networks.engineer import Engineer, labels

TOKEN_CALLS = "/oauth2/*"


def ask(service: Service) -> Engineer:
    return Engineer(service)


async def test_two_questions_lead_to_a_sign_in(service: Service) -> None:
    person = ask(service)

    first = await person.say("/setup")
    second = await person.say(PARTNER.header)
    third = await person.say(PARTNER.id)

    assert first["response"] == words.SETUP_AUTHORIZATION
    assert second["response"] == words.SETUP_PARTNER
    assert re.match(r"\*\*Signed in\.\*\* Plume knows \d+ customers here\.", third["response"])
    assert labels(third) == ["Choose a location"]
    assert [each["success"] for each in (first, second, third)] == [True] * 3


async def test_what_held_the_secret_is_to_be_deleted(service: Service) -> None:
    person = ask(service)

    asked = await person.say("/setup")
    told = [await person.say(said) for said in ("Basic dXN*c", PARTNER.header, PARTNER.id)]

    assert asked["actions"] == []
    assert [each["actions"] for each in told] == [["forget"], ["forget"], []]


@pytest.mark.parametrize(
    "form",
    [
        "{code}",
        "basic {code}",
        "Authorization: Basic {code}",
        '"Basic {code}"',
        "  Basic\n{code}  ",
    ],
)
async def test_the_header_is_taken_as_people_copy_it(service: Service, form: str) -> None:
    person = ask(service)
    await person.say("/setup")

    heard = await person.say(form.format(code=PARTNER.header.removeprefix("Basic ")))

    assert heard["response"] == words.SETUP_PARTNER


async def test_the_header_may_follow_the_command(service: Service) -> None:
    person = ask(service)

    assert (await person.say(f"/setup {PARTNER.header}"))["response"] == words.SETUP_PARTNER
    assert (await person.say(PARTNER.id))["success"]


async def test_what_is_no_header_is_explained_and_asked_again(service: Service) -> None:
    person = ask(service)
    await person.say("/setup")

    token = "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln"  # pragma: allowlist secret
    for said in ("hello", token, "Basic !!!", PARTNER.id):
        heard = await person.say(said)
        assert (heard["success"], heard["error"]) == (False, "invalid_credentials")
        assert heard["response"].endswith(words.SETUP_AUTHORIZATION)
        assert said not in heard["response"]

    assert (await person.say(PARTNER.header))["response"] == words.SETUP_PARTNER


async def test_what_is_no_partner_id_is_asked_again_and_the_header_kept(service: Service) -> None:
    person = ask(service)
    await person.say(f"/setup {PARTNER.header}")

    for said in ("me", PARTNER.id[:-1], PARTNER.header):
        heard = await person.say(said)
        assert heard["error"] == "invalid_credentials"
        assert heard["response"].endswith(words.SETUP_PARTNER)

    assert (await person.say(PARTNER.id))["success"]


async def test_refused_credentials_leave_what_works(engineer: Engineer, plume: PlumeWorld) -> None:
    wrong = "Basic " + base64.b64encode(b"nobody:wrong-secret-of-nobody").decode()
    await engineer.say(f"/setup {wrong}")

    heard = await engineer.say(PARTNER.id)

    assert not heard["success"]
    assert heard["response"].endswith(words.SETUP_AUTHORIZATION)
    assert wrong.removeprefix("Basic ") not in heard["response"]
    await engineer.say("/cancel")
    assert (await engineer.choose(plume, "all_fine"))["success"]


async def test_anothers_partner_id_is_refused(service: Service) -> None:
    person = ask(service)
    await person.say(f"/setup {PARTNER.header}")

    heard = await person.say(OTHER_PARTNER.id)

    assert not heard["success"]
    assert (await person.say("/network"))["error"] == "not_connected"


@pytest.mark.parametrize("fault", ["error:503", "reset"])
async def test_when_plume_is_away_the_header_need_not_be_sent_again(
    service: Service, plume: PlumeWorld, fault: str
) -> None:
    person = ask(service)
    await person.say(f"/setup {PARTNER.header}")
    plume.fail("*", fault, times=9)

    away = await person.say(PARTNER.id)

    assert not away["success"]
    assert "send the partner id again" in away["response"]
    plume.faults.clear()
    assert (await person.say(PARTNER.id))["success"]


async def test_cancel_leaves_at_every_step(service: Service) -> None:
    person = ask(service)
    for said in (["/setup"], ["/setup", PARTNER.header], ["/setup", PARTNER.header, "nonsense"]):
        for each in said:
            await person.say(each)

        assert (await person.say("/cancel"))["response"] == texts.CANCELLED
        assert (await person.say("/cancel"))["response"] == texts.NOTHING_RUNS


async def test_a_command_in_between_is_answered_and_the_question_repeated(
    service: Service,
) -> None:
    person = ask(service)
    await person.say("/setup")

    heard = await person.say("/session")

    assert heard["response"].startswith("**Session**")
    assert heard["response"].endswith(words.SETUP_AUTHORIZATION)
    assert (await person.say(PARTNER.header))["response"] == words.SETUP_PARTNER


async def test_one_dialogue_follows_the_other_and_answers_never_mix(
    engineer: Engineer,
) -> None:
    await engineer.say("/locations")
    await engineer.say("/setup")

    heard = await engineer.say("Ada Example")

    assert heard["error"] == "invalid_credentials"
    await engineer.say("/locations")
    assert "Ada Example" in (await engineer.say("Ada Example"))["response"]


async def test_a_restart_between_any_two_steps_changes_nothing(
    place: Place, clock: Clock, plume: PlumeWorld
) -> None:
    heard = []
    home = plume.place("all_fine")
    for said in (
        "/setup",
        PARTNER.header,
        PARTNER.id,
        f"/locations {home.customer.id}",
        "/network",
    ):
        async with place.running(wires={"clock": clock}) as service:
            heard.append(await ask(service).say(said))

    assert [each["success"] for each in heard] == [True] * 5
    assert heard[-1]["response"].startswith("🟢")


async def test_two_people_have_two_dialogues(service: Service) -> None:
    ann, ben = Engineer(service, "1"), Engineer(service, "2")
    await ann.say("/setup")

    assert (await ben.say("/cancel"))["response"] == texts.NOTHING_RUNS
    assert (await ann.say(PARTNER.header))["response"] == words.SETUP_PARTNER


@pytest.mark.parametrize("said", ["/setup", "/network", "/locations", "/disconnect"])
async def test_groups_see_nothing_of_networks(engineer: Engineer, said: str) -> None:
    heard = await engineer.say(said, chat_type="group")

    assert (heard["success"], heard["error"]) == (False, "command_not_allowed")
    assert texts.NETWORKS_PRIVATE in heard["response"]


async def test_groups_may_be_allowed_to_and_never_to_sign_in(place: Place, clock: Clock) -> None:
    async with place.running(wires={"clock": clock}, network_in_groups=True) as service:
        person = ask(service)
        refused = await person.say("/setup", chat_type="group")
        asked = await person.say("/network", chat_type="group")

    assert refused["error"] == "command_not_allowed"
    assert asked["error"] == "not_connected"


async def test_networks_can_be_off(place: Place, clock: Clock) -> None:
    async with place.running(wires={"clock": clock}, plume_enabled=False) as service:
        person = ask(service)
        refused = await person.say("/setup")
        status = await person.say("/status")
        health = (await service.http.get("/health")).json()

    assert refused["error"] == "command_not_allowed"
    assert texts.NETWORKS_OFF in refused["response"]
    assert status["response"].startswith("**Session**")
    assert health["components"]["plume"] == "off"


async def test_signing_out_takes_two_steps_and_ends_everything(engineer: Engineer) -> None:
    asked = await engineer.say("/disconnect")
    done = await engineer.press(asked, "Delete")
    again = await engineer.say("/disconnect yes")

    assert done["response"] == words.DISCONNECTED
    assert (again["success"], again["error"]) == (False, "not_connected")
    assert (await engineer.say("/network"))["error"] == "not_connected"


async def test_the_token_of_a_sign_in_goes_with_it(engineer: Engineer, plume: PlumeWorld) -> None:
    before = plume.sign_ins

    await engineer.say("/disconnect yes")
    await engineer.sign_in()

    assert plume.sign_ins == before + 1


async def test_who_is_forgotten_is_signed_in_no_more(
    engineer: Engineer, plume: PlumeWorld, service: Service
) -> None:
    await engineer.choose(plume, "all_fine")

    await engineer.say("/forget yes")

    assert (await engineer.say("/network"))["error"] == "not_connected"
    assert await service.sql("SELECT count(*) FROM connections") == 0
    assert await service.sql("SELECT count(*) FROM places") == 0


async def test_when_the_key_is_lost_a_person_hears_it_and_can_sign_in_again(
    place: Place, clock: Clock, plume: PlumeWorld
) -> None:
    async with place.running(wires={"clock": clock}) as service:
        await ask(service).sign_in()
    (place.folder / "encryption.key").unlink()

    async with place.running(wires={"clock": clock}) as service:
        person = Engineer(service)
        heard = await person.say("/network")
        await person.sign_in()
        found = await person.choose(plume, "all_fine")

    assert (heard["error"], labels(heard)) == ("credentials_lost", ["Sign in to Plume"])
    assert found["success"]
