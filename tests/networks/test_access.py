"""Who may see which network: one table, and what grants and invitations do to it."""

import re
from typing import Any

import pytest

from app import texts, words
from app.errors import LentSignInRefused
from app.panoptes.access import INVITED_SECONDS
from simulator.plume import PlumeWorld
from simulator.plume.faults import ALWAYS
from tests.api.service import INTERNAL, Clock, Place, Service, bearer
from tests.networks.engineer import Engineer, Telegrammer, labels

BOSS, MATE, STRANGER = "7", "8", "9"
UNKNOWN = "no such customer"


@pytest.fixture
async def boss(place: Place, clock: Clock) -> Any:
    """An administrator of Telegram who signed in; `grant` is for administrators."""
    async with place.running(wires={"clock": clock}, telegram_admin_users=BOSS) as service:
        yield await signed_in(service)


async def signed_in(service: Service) -> Telegrammer:
    boss = Telegrammer(service, BOSS)
    await boss.sign_in()
    return boss


def other(boss: Telegrammer, user_id: str) -> Telegrammer:
    return Telegrammer(boss.service, user_id)


@pytest.mark.parametrize(
    ("grant", "seen"),
    [
        ("", {"all_fine": True, "pod_down": True}),
        ("customer {all_fine.customer.id}", {"all_fine": True, "pod_down": False}),
        ("location {pod_down.id}", {"all_fine": False, "pod_down": True}),
        (
            "customer {all_fine.customer.id} location {pod_down.id}",
            {"all_fine": True, "pod_down": True, "gateway_down": False},
        ),
    ],
)
async def test_a_grant_shows_what_it_names_and_nothing_else(
    boss: Telegrammer, plume: PlumeWorld, grant: str, seen: dict[str, bool]
) -> None:
    homes = {name: plume.place(name) for name in ("all_fine", "pod_down", "gateway_down")}
    granted = await boss.say(f"/grant {MATE} {grant.format(**homes)}")
    assert granted["success"], granted
    mate = other(boss, MATE)

    for name, may in seen.items():
        home = homes[name]
        where = {"customer": home.customer.id, "location": home.id}
        found = await mate.say(f"/find {home.customer.id}")
        chosen = await mate.say(f"/locations {home.customer.id} {home.id}")
        asked = await mate.ask("status", **where)
        by_name = await mate.say(f"/find {home.customer.name}")

        assert (found["error"], found["success"]) == ((None, True) if may else (NONE, False)), name
        assert chosen["error"] == (None if may else "plume_not_yours"), name
        assert asked.status_code == (200 if may else 404), name
        assert by_name["success"] is may, name


NONE = "nothing_found"


async def test_a_stranger_sees_nothing_by_any_door(boss: Telegrammer, plume: PlumeWorld) -> None:
    home = plume.place("all_fine")
    where = {"customer": home.customer.id, "location": home.id}
    stranger = other(boss, STRANGER)

    heard = [
        await stranger.say(said)
        for said in (
            "/network",
            "/wan",
            "/stats",
            "/locations",
            "/find Ada",
            f"/locations {home.id}",
        )
    ]
    asked = [await stranger.ask("status"), await stranger.ask("wan", **where)]

    assert {each["error"] for each in heard} == {"not_connected"}
    assert [each.status_code for each in asked] == [409, 409]
    assert {each.json()["error"] for each in asked} == {"not_connected"}
    assert plume.of("/api/Customers/*") == []


async def test_what_may_not_be_seen_is_told_apart_from_what_is_not_by_nothing(
    boss: Telegrammer, plume: PlumeWorld
) -> None:
    seen, hidden = plume.place("all_fine"), plume.place("pod_down")
    await boss.say(f"/grant {MATE} customer {seen.customer.id}")
    mate = other(boss, MATE)

    heard = [
        await mate.say(f"/locations {customer} {location}")
        for customer, location in ((hidden.customer.id, hidden.id), ("0" * 24, "1" * 24))
    ]

    assert heard[0]["response"] == heard[1]["response"]
    assert heard[0]["error"] == heard[1]["error"]


async def test_a_revoked_grant_ends_at_once_also_for_what_was_chosen(
    boss: Telegrammer, plume: PlumeWorld
) -> None:
    await boss.say(f"/grant {MATE}")
    mate = other(boss, MATE)
    await mate.choose(plume, "all_fine")
    assert (await mate.say("/network"))["success"]

    await boss.say(f"/revoke {MATE}")

    assert (await mate.say("/network"))["error"] == "not_connected"
    assert (await mate.ask("status")).status_code == 409


async def test_when_the_owners_sign_in_is_refused_only_the_owner_is_sent_to_sign_in(
    boss: Telegrammer, plume: PlumeWorld, clock: Clock
) -> None:
    await boss.say(f"/grant {MATE}")
    mate = other(boss, MATE)
    for person in (boss, mate):
        await person.choose(plume, "all_fine")
    clock.now += plume.lifetime
    plume.tokens.revoke()
    plume.fail("/oauth2/*", "oauth:invalid_client", ALWAYS)

    for_boss, for_mate = await boss.say("/wan"), await mate.say("/wan")
    by_rest = (await mate.ask("wan")).json()

    assert for_boss["error"] == for_mate["error"] == by_rest["error"] == "plume_sign_in_refused"
    assert labels(for_boss) == ["Sign in to Plume"]
    assert labels(for_mate) == ["Try again", "Choose a location"]
    assert for_mate["response"] == by_rest["response"] == LentSignInRefused.sentence
    plume.faults.clear()
    assert (await mate.press(for_mate, "Try again"))["success"]


async def test_a_narrower_grant_hides_what_was_chosen_before(
    boss: Telegrammer, plume: PlumeWorld
) -> None:
    await boss.say(f"/grant {MATE}")
    mate = other(boss, MATE)
    await mate.choose(plume, "all_fine")
    await boss.say(f"/grant {MATE} customer {plume.place('pod_down').customer.id}")

    heard = await mate.say("/network")
    recent = await mate.say("/locations")

    assert (heard["success"], heard["error"]) == (False, "plume_not_yours")
    assert labels(recent) == ["Cancel"]


async def test_everybody_can_be_let_look(boss: Telegrammer, plume: PlumeWorld) -> None:
    await boss.say("/grant *")

    assert (await other(boss, STRANGER).choose(plume, "all_fine"))["success"]


async def test_an_invitation_works_once_for_a_day(
    boss: Telegrammer, plume: PlumeWorld, clock: Clock
) -> None:
    links = [(await boss.say("/invite"))["response"] for _ in range(2)]
    used, old = (re.findall(r"start[ =]([A-Za-z0-9_-]{20,})", link)[0] for link in links)

    first = await other(boss, MATE).say(f"/start {used}")
    second = await other(boss, STRANGER).say(f"/start {used}")
    clock.now += INVITED_SECONDS
    third = await other(boss, STRANGER).say(f"/start {old}")

    assert first["response"] == words.REDEEMED
    assert [each["error"] for each in (second, third)] == ["invitation_refused"] * 2
    assert (await other(boss, MATE).choose(plume, "all_fine"))["success"]


@pytest.mark.parametrize("command", ["/grant 8", "/revoke 8", "/grants", "/invite"])
async def test_only_administrators_let_others_look(boss: Telegrammer, command: str) -> None:
    await boss.say(f"/grant {MATE}")

    heard = await other(boss, MATE).say(command)

    assert (heard["success"], heard["error"]) == (False, "command_not_allowed")
    assert texts.ADMINS_ONLY in heard["response"]


@pytest.mark.parametrize(
    "said", ["/grant", "/grant me", "/grant 8 customer", "/grant 8 customer x", "/grant 8 pod 1"]
)
async def test_a_grant_that_cannot_be_read_explains_itself(boss: Telegrammer, said: str) -> None:
    heard = await boss.say(said)

    assert (heard["error"], heard["response"]) == ("command_usage", words.GRANT_USE)
    assert words.GRANTS_NOBODY in (await boss.say("/grants"))["response"]


async def test_every_look_is_an_audit_line(boss: Telegrammer, plume: PlumeWorld) -> None:
    home = plume.place("all_fine")
    await boss.say(f"/grant {MATE} customer {home.customer.id}")
    mate = other(boss, MATE)
    await mate.choose(plume, "all_fine")
    await mate.say("/wan")
    await mate.ask("stats")

    shown = (await boss.say("/grants"))["response"]

    lines = [line for line in shown.splitlines() if f"`{MATE}`, " in line]
    assert [line.split(", ")[1].split(" ")[0] for line in lines] == ["stats", "wan", "chose"]
    assert all(home.id in line for line in lines)
    assert f"`{MATE}`: at customer `{home.customer.id}` only" in shown


async def test_two_partners_never_see_each_other(service: Service, plume: PlumeWorld) -> None:
    ours, theirs = plume.partners
    people = {}
    for user_id, partner in (("1", ours), ("2", theirs)):
        people[user_id] = Engineer(service, user_id)
        await people[user_id].say(f"/setup {partner.header}")
        assert (await people[user_id].say(partner.id))["success"]
    home = plume.place("all_fine")

    assert (await people["1"].say(f"/find {home.customer.id}"))["success"]
    heard = await people["2"].say(f"/locations {home.customer.id} {home.id}")

    assert (heard["success"], heard["error"]) == (False, "plume_not_yours")
    assert (await people["2"].say("/find Ada Example"))["error"] == NONE


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"user_id": ""},
        {"user_id": "5", "customer": "x", "location": "y"},
        {"user_id": "5", "customer": "0" * 24},
        {"user_id": "5", "customer": "../" + "0" * 21, "location": "0" * 24},
    ],
)
async def test_rest_refuses_what_is_no_question(engineer: Engineer, query: dict[str, str]) -> None:
    heard = await engineer.service.http.get(
        "/network/status", params=query, headers=bearer(INTERNAL)
    )

    assert (heard.status_code, heard.json()["error"]) == (422, "invalid_body")


async def test_an_unknown_report_is_not_found(engineer: Engineer) -> None:
    heard = await engineer.service.http.get(
        "/network/everything", params={"user_id": "5"}, headers=bearer(INTERNAL)
    )

    assert heard.status_code == 404


async def test_a_search_asks_about_what_was_granted_and_not_about_all_that_it_finds(
    boss: Telegrammer, plume: PlumeWorld
) -> None:
    home = plume.place("all_fine")
    await boss.say(f"/grant {MATE} location {home.id}")

    heard = await other(boss, MATE).say("/find a")

    assert home.customer.name in heard["response"]
    assert len(plume.of("/api/partners/locations/*")) <= 2
    others = [call for call in plume.calls if call.path.endswith("/locations")]
    assert {home.customer.id in call.path for call in others} == {True}
