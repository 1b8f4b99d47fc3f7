"""What a person hears when the provider fails, and what is remembered of it."""

from typing import Any

import pytest

from app import errors
from simulator.openrouter import OpenRouterWorld
from tests.api.service import Service, said

# Name of the fault, how often it comes, the error that a person gets.
REFUSED: list[tuple[str, int, type[errors.ModelError]]] = [
    ("http-500", 2, errors.ModelUnreachable),
    ("http-502-html", 2, errors.ModelUnreachable),
    ("reset-before-head", 2, errors.ModelUnreachable),
    ("close-before-head", 2, errors.ModelUnreachable),
    ("ok-error", 2, errors.ModelUnreachable),
    ("silence", 2, errors.ModelTimeout),
    ("comments-forever", 1, errors.ModelTimeout),
    ("http-429-hour", 1, errors.ModelBusy),
    ("http-429-daily", 1, errors.ModelBusy),
    ("cut-short", 1, errors.ModelInterrupted),
    ("eof-short", 1, errors.ModelInterrupted),
    ("error-full-short", 1, errors.ModelInterrupted),
    ("ok-html", 2, errors.ModelBadReply),
    ("gzip", 1, errors.ModelBadReply),
    ("empty-stop", 2, errors.ModelEmpty),
    ("http-401", 1, errors.ModelMisconfigured),
    ("redirect-307", 1, errors.ModelMisconfigured),
    ("http-402-credit", 1, errors.ModelOutOfCredit),
    ("http-404-no-image", 1, errors.ModelBlind),
    ("http-400-context", 2, errors.ContextTooLong),
    ("http-422", 1, errors.ModelError),
]
ANSWERED: list[tuple[str, dict[str, Any]]] = [
    ("http-500", {}),  # once, and then the retry is answered
    ("http-402-afford", {}),
    ("cut-long", {"truncated": True}),
    ("error-full-long", {"truncated": True}),
    ("slow-drip", {"truncated": True}),
    ("finish-length", {"truncated": True}),
    ("http-400-context", {"trimmed": True}),
    ("http-403-moderation", {"declined": True}),
    ("empty-content-filter", {"declined": True}),
    ("wire-utf8-split", {}),
    ("tools-and-text", {}),
]


async def ask(service: Service, *, streamed: bool) -> tuple[int, dict[str, Any], str]:
    """Return the status, the body and, of a stream, the text of its pieces."""
    question = said("middle")
    if not streamed:
        heard = await service.post(question)
        return heard.status_code, heard.json(), heard.json()["response"]
    events = await service.events(question)
    last = events[-1]
    status = 200 if last.name == "reply" else 0
    pieces = "".join(each.data["text"] for each in events if each.name == "delta")
    return status, last.data, pieces


def remembered(world: OpenRouterWorld) -> list[tuple[str, str]]:
    """Return what the model was last shown: who said what, the instructions left out."""
    messages = world.chats()[-1].body["messages"][1:]
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("fault", "times", "error"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_failure_is_told_and_leaves_nothing_behind(
    service: Service,
    world: OpenRouterWorld,
    fault: str,
    times: int,
    error: type[errors.ModelError],
    *,
    streamed: bool,
) -> None:
    first = await service.say("first")
    world.next(fault, times)

    status, body, _ = await ask(service, streamed=streamed)
    unused = list(world.faults)

    after = await service.say("last")
    assert unused == []
    assert status == (0 if streamed else error.status)
    assert (body["success"], body["data"], body["error"]) == (False, None, error.code)
    assert body["response"]
    if error in {errors.ModelUnreachable, errors.ModelTimeout, errors.ModelOutOfCredit}:
        assert body["response"] == error.sentence
    assert (body["retry_after"] is not None) == (error is errors.ModelBusy)
    assert remembered(world) == [
        ("user", "first"),
        ("assistant", first.partition("\n\n_GPT-5")[0]),
        ("user", "last"),
    ]
    assert after.startswith("You said: “last”")


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("fault", "marks"), ANSWERED, ids=[row[0] for row in ANSWERED])
async def test_what_can_be_answered_is_answered_and_says_what_is_missing(
    service: Service, world: OpenRouterWorld, fault: str, marks: dict[str, bool], *, streamed: bool
) -> None:
    await service.say("first")
    world.drip = 0.003
    world.next(fault)

    status, body, shown = await ask(service, streamed=streamed)

    await service.say("last")
    told = {name: body["data"][name] for name in ("truncated", "trimmed", "declined")}
    assert (status, body["success"]) == (200, True)
    assert shown == body["response"]
    assert told == {"truncated": False, "trimmed": False, "declined": False} | marks
    roles = [role for role, _ in remembered(world)]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


async def test_a_wait_that_the_provider_names_is_passed_on(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-429-hour")

    heard = await service.post(said("hello"))

    assert heard.status_code == 503
    assert heard.headers["Retry-After"] == "3600"
    assert heard.json()["retry_after"] == 3600


async def test_a_model_that_is_gone_and_has_no_stand_in_can_be_changed(
    service: Service, world: OpenRouterWorld
) -> None:
    world.next("http-404-deprecated")

    heard = await service.post(said("hello"))

    await service.say("/model gpt4")
    after = await service.post(said("hello"))
    assert (heard.status_code, heard.json()["error"]) == (409, "model_unavailable")
    assert "/models" in heard.json()["response"]
    assert (after.status_code, after.json()["data"]["model"]) == (200, "openai/gpt-4.1")


async def test_a_model_that_goes_without_notice_is_replaced_at_once(
    service: Service, world: OpenRouterWorld
) -> None:
    await service.say("/model claude")
    world.next("http-404-deprecated")

    heard = await service.post(said("hello"))

    data = heard.json()["data"]
    assert heard.status_code == 200
    assert data["requested_model"] == "anthropic/claude-sonnet-4"
    assert data["model"] == "anthropic/claude-sonnet-4.6"


async def test_no_word_of_the_provider_reaches_a_person(
    service: Service, world: OpenRouterWorld
) -> None:
    told = []
    for fault in ("http-400", "http-401", "http-403-key-limit", "http-502", "http-429-daily"):
        world.next(fault, 3)
        told.append((await service.post(said("hello"))).text)
        world.faults.clear()

    for word in ("Provider", "User not found", "Key limit", "free-models", "metadata", "sk-or"):
        assert not [text for text in told if word in text]
