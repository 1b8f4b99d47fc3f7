"""What is shown while Plume is away: what it said last, and how long ago that was."""

import pytest

from app import words
from app.plume.patience import Patience
from simulator.plume import OTHER_PARTNER, PlumeWorld
from simulator.plume.faults import ALWAYS
from tests.api.service import INTERNAL, Clock, Service, bearer
from tests.networks.engineer import Engineer, labels
from tests.networks.test_report_faults import CALLS, COMMANDS, SIGN_IN

AWAY = "⚠️ **Plume does not answer.** This is what it said 10 min ago.\n\n"
LIMITED = "⚠️ **Plume is limiting us.** This is what it said 10 min ago.\n\n"
TEN_MINUTES, AN_HOUR = 600.0, 3600.0


@pytest.fixture
async def engineer(service: Service, plume: PlumeWorld) -> Engineer:
    """Somebody at a location, through a client that keeps no answer for the next question."""
    panoptes = service.parts.panoptes
    assert panoptes is not None
    panoptes.access.plume.patience = Patience(keep_state=0.0, keep_reports=0.0)
    engineer = Engineer(service)
    await engineer.sign_in()
    await engineer.choose(plume, "pod_down")
    return engineer


def fail(plume: PlumeWorld, fault: str) -> None:
    plume.faults.clear()
    for path in CALLS:
        plume.fail(path, fault, ALWAYS)


@pytest.mark.parametrize(
    ("fault", "note"), [("error:503", AWAY), ("reset", AWAY), ("too_many:60", LIMITED)]
)
async def test_the_last_report_comes_with_its_age(
    engineer: Engineer, plume: PlumeWorld, clock: Clock, fault: str, note: str
) -> None:
    before = {command: await engineer.say(f"/{command}") for command in COMMANDS}
    clock.now += TEN_MINUTES
    fail(plume, fault)

    for command in COMMANDS:
        answer = await engineer.say(f"/{command}")

        assert answer["success"], (command, answer)
        assert answer["response"] == note + before[command]["response"]
        # A test of the speed is not offered where nobody knows whether it may run.
        assert set(labels(before[command])) - set(labels(answer)) <= {words.TEST_BUTTON}


async def test_rest_is_told_why_and_how_old_it_is(
    engineer: Engineer, plume: PlumeWorld, clock: Clock
) -> None:
    async def ask() -> tuple[int, dict[str, object]]:
        heard = await engineer.service.http.get(
            "/network/status", params={"user_id": "5"}, headers=bearer(INTERNAL)
        )
        return heard.status_code, heard.json()

    _, before = await ask()
    clock.now += TEN_MINUTES
    fail(plume, "error:503")

    found = await ask()

    outdated = {"because": "plume_unreachable", "age": TEN_MINUTES}
    assert found == (200, before | {"outdated": outdated})


async def test_what_is_new_is_shown_as_soon_as_plume_is_back(
    engineer: Engineer, plume: PlumeWorld, clock: Clock
) -> None:
    await engineer.say("/network")
    clock.now += TEN_MINUTES
    fail(plume, "error:503")
    await engineer.say("/network")

    plume.faults.clear()
    answer = await engineer.say("/network")

    assert "Plume does not answer" not in answer["response"]


@pytest.mark.parametrize("window", ["3h", "24h"])
async def test_another_window_is_another_report(
    engineer: Engineer, plume: PlumeWorld, window: str
) -> None:
    await engineer.say("/stats")
    fail(plume, "error:503")

    assert (await engineer.say(f"/stats {window}"))["error"] == "plume_unreachable"


async def test_after_an_hour_nothing_is_known(
    engineer: Engineer, plume: PlumeWorld, clock: Clock
) -> None:
    await engineer.say("/network")
    clock.now += AN_HOUR
    fail(plume, "error:503")

    assert (await engineer.say("/network"))["error"] == "plume_unreachable"


@pytest.mark.parametrize("fault", ["forbidden", "missing", "null"])
async def test_what_plume_says_now_goes_before_what_it_said_last(
    engineer: Engineer, plume: PlumeWorld, fault: str
) -> None:
    await engineer.say("/network")
    fail(plume, fault)

    assert not (await engineer.say("/network"))["success"]


async def test_whoever_can_no_longer_sign_in_sees_nothing(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.say("/network")
    plume.tokens.revoke()
    plume.fail(*SIGN_IN, "oauth:invalid_client", ALWAYS)

    assert (await engineer.say("/network"))["error"] == "plume_sign_in_refused"


async def test_nobody_sees_what_another_account_was_told(
    engineer: Engineer, plume: PlumeWorld
) -> None:
    await engineer.say("/network")
    stranger = Engineer(engineer.service, "6")
    for line in ("/setup", OTHER_PARTNER.header, OTHER_PARTNER.id):
        await stranger.say(line)
    fail(plume, "error:503")
    home = plume.place("pod_down")

    heard = await engineer.service.http.get(
        "/network/status",
        params={"user_id": "6", "customer": home.customer.id, "location": home.id},
        headers=bearer(INTERNAL),
    )

    assert heard.json()["error"] == "plume_unreachable"
