"""Finding a location by what somebody on the phone can say, and choosing it."""

from typing import Any

import pytest

from app import words
from app.commands.networks.paging import PER_PAGE, asked
from simulator.plume import PlumeWorld
from simulator.plume.equipment import serial_of
from tests.networks.engineer import Engineer, labels

CHOSEN = "is chosen. What would you like to see?"


def sends(answer: dict[str, Any]) -> list[str]:
    return [button["send"] for row in answer["buttons"] for button in row]


@pytest.mark.parametrize(
    "form",
    [
        "{home.customer.id}",
        "{home.id}",
        "{home.customer.email}",
        "{home.customer.account}",
        "{home.service_id}",
        "{serial}",
        "Ben Brok",
        "  ben   broken ",
    ],
)
async def test_one_search_finds_a_customer_by_whatever_is_known(
    engineer: Engineer, plume: PlumeWorld, form: str
) -> None:
    home = plume.place("pod_down")
    said = form.format(home=home, serial=serial_of(home, 1))

    heard = await engineer.say(f"/find {said}")

    assert CHOSEN in heard["response"]
    assert "Ben Broken" in heard["response"]
    assert (await engineer.say("/network"))["response"].startswith("🟠")


async def test_the_answer_to_the_question_is_a_search(engineer: Engineer) -> None:
    asked = await engineer.say("/locations")

    assert asked["response"] == words.FIND_ASK
    assert CHOSEN in (await engineer.say("ada example"))["response"]


async def test_what_is_not_found_is_asked_again(engineer: Engineer) -> None:
    for said in ("/find nobody at all", "nobody@example.net", "0" * 24, "XX99ZZ99", "`*_[x](y)"):
        heard = await engineer.say(said)
        assert (heard["success"], heard["error"]) == (False, "nothing_found")

    assert CHOSEN in (await engineer.say("ada example"))["response"]


async def test_any_of_120_locations_is_three_taps_away_at_most(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place("many_locations")
    first = await engineer.say(f"/find {home.customer.id}")
    seen = [send for send in sends(first) if home.customer.id in send and "page" not in send]
    page = first
    for _ in range(120 // PER_PAGE - 1):
        page = await engineer.press(page, " →")
        seen += [send for send in sends(page) if home.customer.id in send and "page" not in send]

    assert len(seen) == len(set(seen)) == 120
    assert "of 15 →" not in "".join(labels(page))
    chosen = await engineer.say(seen[77])
    assert CHOSEN in chosen["response"]


async def test_of_many_locations_a_part_of_the_name_finds_one(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place("many_locations")
    listed = await engineer.say(f"/find {home.customer.id}")
    assert listed["response"].endswith(words.LOCATIONS_MANY)

    some = await engineer.say("branch 11")
    chosen = await engineer.say("Branch 117")

    assert labels(some)[:2] == ["🟢 Branch 110", "🟢 Branch 111"]
    assert sends(some)[-2] == f"/locations {home.customer.id} branch 11 page 2"
    assert chosen["response"].startswith("**Branch 117** of Otto Chain is chosen.")
    await engineer.say(f"/find {home.customer.id}")
    assert "Ada Example" in (await engineer.say("ada example"))["response"]


async def test_of_5000_customers_any_one_is_a_search_away(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    people = plume.people(plume.partners[0])
    for index in range(40, plume.customers, 619):
        customer = people.customer(index)
        assert customer is not None
        heard = await engineer.say(f"/find {customer.account}")
        assert heard["error"] in {None, "no_locations"}
        assert customer.name.split()[0] in heard["response"]


async def test_many_hits_are_paged_and_each_button_is_what_a_person_could_type(
    engineer: Engineer,
) -> None:
    heard = await engineer.say("/find a")

    assert len(heard["buttons"]) == PER_PAGE + 1
    assert sends(heard)[-1] == "/find a page 2"
    again = await engineer.say("/find a page 2")
    assert again["response"] == heard["response"]
    assert not set(labels(heard)[:PER_PAGE]) & set(labels(again)[:PER_PAGE])


async def test_the_locations_of_a_customer_show_their_state_at_a_glance(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    heard = await engineer.say(f"/find {plume.place('two_locations').customer.id}")

    assert labels(heard) == ["🟢 Home", "🟡 Cabin", words.BACK]


async def test_favourites_come_first_and_then_the_latest(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    for name in ("all_fine", "pod_down", "pod_fair"):
        await engineer.choose(plume, name)
    home = plume.place("all_fine")

    starred = await engineer.say(f"/locations star {home.id}")

    assert starred["response"] == words.STARRED.format(location="Home")
    shown = labels(await engineer.say("/locations"))
    assert [label.split(" · ")[0] for label in shown] == [
        "★ Ada Example", "Dora Distant", "Ben Broken", "Cancel",
    ]  # fmt: skip
    await engineer.say(f"/locations unstar {home.id}")
    shown = labels(await engineer.say("/locations"))
    assert [label.split(" · ")[0] for label in shown[:3]] == [
        "Dora Distant", "Ben Broken", "Ada Example",
    ]  # fmt: skip


async def test_a_customer_without_locations_says_so(engineer: Engineer, plume: PlumeWorld) -> None:
    customer = plume.scenario("no_locations")

    heard = await engineer.say(f"/find {customer.id}")

    assert (heard["success"], heard["error"]) == (False, "no_locations")
    assert "no location yet" in heard["response"]


async def test_the_location_of_another_customer_is_not_chosen(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    one, other = plume.place("all_fine"), plume.place("pod_down")

    heard = await engineer.say(f"/locations {one.customer.id} {other.id}")

    assert not heard["success"]
    assert (await engineer.say("/network"))["error"] == "nothing_selected"


async def test_an_address_that_plume_made_up_is_nowhere_shown(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    home = plume.place("no_email")

    heard = await engineer.say(f"/find {home.customer.id}")

    assert "null+" not in str(heard)


@pytest.mark.parametrize(
    "old",
    [
        "/locations page 99",
        "/find a page 9999",
        "/locations star 000000000000000000000000",
        "/locations 64a0 64b0",
        "/stats 7d",
        "/stats_7d",
        "/wan",
    ],
)
async def test_old_buttons_never_break_a_choice(
    engineer: Engineer, plume: PlumeWorld, old: str
) -> None:
    await engineer.choose(plume, "all_fine")
    await engineer.say("/locations")

    heard = await engineer.say(old, pressed_message_id="3")

    assert heard["response"]
    assert (await engineer.say("/network"))["response"].startswith("🟢")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("ada", ("ada", 1)),
        ("ada page 2", ("ada", 2)),
        ("page 3", ("", 3)),
        ("Page", ("Page", 1)),
        ("jimmy page 0", ("jimmy", 1)),
        ("page page 2", ("page", 2)),
        ("homepage 2", ("homepage 2", 1)),
        ("a page 99999", ("a page 99999", 1)),
    ],
)
def test_a_page_is_asked_for_in_words(said: str, found: tuple[str, int]) -> None:
    assert asked(said) == found
