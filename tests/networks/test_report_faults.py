"""What a person sees when Plume fails: a sentence and a way on, never a network that looks dead."""

from collections.abc import AsyncIterator

import pytest

from app.commands.networks.base import failure
from app.errors import AppError, CredentialsLost, NotConnected, NothingSelected, PlumeError
from simulator.plume import PlumeWorld
from simulator.plume.faults import ALWAYS
from tests.api.service import Clock, Place, Service
from tests.fakes import call, message
from tests.networks.engineer import Engineer, labels

COMMANDS = (
    "network", "wan", "stats", "nodes", "wifi", "devices", "speed", "incidents", "check",
)  # fmt: skip
SIGN_IN, CALLS = ("/oauth2/*/token",), ("/api/*", "/reports/*")
REFUSED, NOT_YOURS, GONE = "plume_sign_in_refused", "plume_not_yours", "plume_not_found"
AWAY, BUSY, ODD = "plume_unreachable", "plume_busy", "plume_bad_reply"
# P1 to P9 of the plan: where it fails, how, and what is said then.
FAULTS: dict[str, tuple[tuple[str, ...], str, set[str]]] = {
    "P1 sign-in refused": (SIGN_IN, "oauth:invalid_client", {REFUSED}),
    "P2 scope refused": (SIGN_IN, "oauth:invalid_scope", {REFUSED}),
    "P3 no token": (SIGN_IN, "token:missing", {ODD}),
    "P3 a token that is none": (SIGN_IN, "token:control", {ODD}),
    "P3 a list for a token": (SIGN_IN, "token:list", {ODD}),
    "P3 a sign-in of HTML": (SIGN_IN, "html", {ODD}),
    "P4 401 for ever": (CALLS, "unauthorized", {NOT_YOURS}),
    "P5 403 of Plume": (CALLS, "forbidden", {NOT_YOURS}),
    "P5 403 of the firewall": (CALLS, "firewall", {BUSY}),
    "P5 403 without a body": (CALLS, "firewall_empty", {BUSY}),
    "P6 404": (CALLS, "missing", {GONE}),
    "P7 429": (CALLS, "too_many:60", {BUSY}),
    "P7 429 without a time": (CALLS, "too_many", {BUSY}),
    "P8 500": (CALLS, "error:500", {AWAY}),
    "P8 503": (CALLS, "error:503", {AWAY}),
    "P8 502 of HTML": (CALLS, "page:502", {AWAY}),
    "P8 a reset": (CALLS, "reset", {AWAY}),
    "P8 half an answer": (CALLS, "cut", {ODD}),
    "P8 a reset within": (CALLS, "reset_half", {ODD}),
    "P8 a bomb": (CALLS, "bomb", {ODD}),
    "P8 far too much": (CALLS, "huge", {ODD}),
    "P8 a redirect": (CALLS, "redirect", {ODD}),
    "P9 HTML": (CALLS, "html", {ODD}),
    "P9 nothing": (CALLS, "nothing", {ODD}),
    "P9 an empty body": (CALLS, "blank", {ODD}),
    "P9 words": (CALLS, "words", {ODD}),
    "P9 half of the JSON": (CALLS, "half", {ODD}),
    "P9 null": (CALLS, "null", {ODD}),
    "P9 a number": (CALLS, "scalar", {ODD}),
    "P9 an error as 200": (CALLS, "error_200", {ODD}),
    "P9 lists in lists": (CALLS, "deep", {ODD}),
}
LEADING = {
    REFUSED: ["Sign in to Plume"],
    NOT_YOURS: ["Choose a location"],
    GONE: ["Choose a location"],
    AWAY: ["Try again", "Choose a location"],
    BUSY: ["Try again", "Choose a location"],
    ODD: ["Try again", "Choose a location"],
}
# What must not be said of a network of which nothing is known.
FALSE = ("offline", "disconnected", "0 of ", "0 Mbps", "0.0 %", "0 device", "critical", "🔴", "🟢")


@pytest.fixture
async def away(place: Place, clock: Clock, plume: PlumeWorld) -> AsyncIterator[Service]:
    """A service that knows a person's sign-in and choice, and has asked Plume nothing yet."""
    async with place.running(wires={"clock": clock}) as before:
        engineer = Engineer(before)
        await engineer.sign_in()
        await engineer.choose(plume, "all_fine")
    async with place.running(wires={"clock": clock}) as service:
        yield service


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_a_sentence_and_a_way_on(
    name: str, away: Service, plume: PlumeWorld
) -> None:
    paths, fault, codes = FAULTS[name]
    for path in paths:
        plume.fail(path, fault, ALWAYS)

    for command in COMMANDS:
        answer = await Engineer(away).say(f"/{command}")

        said = answer["response"]
        assert (answer["success"], answer["error"] in codes) == (False, True), (command, answer)
        assert labels(answer) == LEADING[answer["error"]], command
        assert "🏠" not in said
        assert not [each for each in FALSE if each in said], said
        assert said.endswith(".")
        if "Try again" in labels(answer):
            assert answer["buttons"][0][0]["send"] == f"/{command}"


@pytest.mark.parametrize("fault", ["types", "types:lists", "nan", "overflow"])
async def test_odd_data_is_unknown_and_never_a_dead_network(
    fault: str, away: Service, plume: PlumeWorld
) -> None:
    for path in CALLS:
        plume.fail(path, fault, ALWAYS)

    for command in COMMANDS:
        answer = await Engineer(away).say(f"/{command}")

        said = answer["response"]
        assert answer["success"] or answer["error"] == ODD, answer
        assert "Offline" not in said, said
        assert "nan" not in said.lower().split(), said
        assert "inf" not in said.lower().split(), said


async def test_what_rests_on_history_alone_fails_with_it_and_the_rest_goes_on(
    away: Service, plume: PlumeWorld
) -> None:
    plume.fail("/reports/*", "error:500", ALWAYS)

    answers = {command: await Engineer(away).say(f"/{command}") for command in COMMANDS}

    failed = {command for command, answer in answers.items() if not answer["success"]}
    assert failed == {"wan", "stats", "incidents"}
    assert (
        "**Nothing known:** use of the line, online history and incidents"
        in (answers["check"]["response"])
    )


def subclasses(kind: type[AppError]) -> list[type[AppError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in subclasses(child))]


@pytest.mark.parametrize(
    "kind",
    [*subclasses(PlumeError), NotConnected, CredentialsLost, NothingSelected],
    ids=lambda kind: kind.__name__,
)
def test_every_failure_has_a_sentence_and_a_button(kind: type[AppError]) -> None:
    reply = failure(kind(), call(message("/wan")))

    assert (reply.success, reply.error) == (False, kind.code)
    assert reply.response == kind.sentence
    buttons = [button for row in reply.buttons for button in row]
    assert buttons
    assert {button.send for button in buttons} <= {"/wan", "/setup", "/locations"}
    assert ("/wan" in {button.send for button in buttons}) == kind.retryable
