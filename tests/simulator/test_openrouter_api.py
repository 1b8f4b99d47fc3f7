import asyncio
import json

import httpx
import pytest

from simulator.openrouter import FAULTS, OpenRouterWorld
from simulator.openrouter.world import KEY
from tests.simulator.asking import BAD, GOOD, SEEN, asking, picture
from tests.simulator.wire import Json

CHAT = "/api/v1/chat/completions"
OPENAI = "/openai/v1/chat/completions"


def events(reply: httpx.Response) -> list[Json]:
    return [json.loads(line[6:]) for line in reply.text.splitlines() if line[:7] == "data: {"]


async def cancel_in_mid_stream(http: httpx.AsyncClient) -> str:
    async with http.stream("POST", CHAT, json=asking(stream=True)) as reply:
        async for line in reply.aiter_lines():
            if line.startswith("data:"):
                break
    return reply.headers["x-generation-id"]


async def until(http: httpx.AsyncClient, generation: str, status: int) -> httpx.Response:
    for _ in range(100):
        reply = await http.get("/api/v1/generation", params={"id": generation})
        if reply.status_code == status:
            return reply
        await asyncio.sleep(0.01)
    pytest.fail(f"still {reply.status_code}")


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (None, "Missing Authentication header"),
        ("Basic abc", "No cookie auth credentials found"),
        ("Bearer", "No auth credentials found"),
        ("Bearer sk-or-v1-wrong", "User not found."),
    ],
)
@pytest.mark.parametrize("path", ["chat/completions", "models", "key", "credits", "generation"])
async def test_a_missing_or_wrong_key_is_told(
    header: str | None, text: str, path: str, base_url: str
) -> None:
    headers = {"Authorization": header} if header else {}
    method = "POST" if "chat" in path else "GET"

    async with httpx.AsyncClient(base_url=base_url, headers=headers) as stranger:
        reply = await stranger.request(method, f"/api/v1/{path}", json={})

    assert (reply.status_code, reply.json()["error"]["message"]) == (401, text)


@pytest.mark.parametrize("name", GOOD)
async def test_a_good_request_is_answered(name: str, http: httpx.AsyncClient) -> None:
    assert (await http.post(CHAT, json=GOOD[name])).status_code == 200


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_request_is_a_400(name: str, http: httpx.AsyncClient) -> None:
    assert (await http.post(CHAT, json=BAD[name])).status_code == 400


async def test_requests_are_recorded_without_the_key(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    await http.post(CHAT, json=asking("Remember this"), headers={"X-Title": "Test"})

    seen = world.chats()[0]
    assert (seen.method, seen.path, seen.headers["x-title"]) == ("POST", CHAT, "Test")
    assert seen.body["messages"][0]["content"] == "Remember this"
    assert KEY not in repr(world.requests)


async def test_a_retired_model_is_a_404_that_names_another(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(model="x-ai/grok-4"))

    told = reply.json()["error"]["availability"]
    assert (reply.status_code, told["code"]) == (404, "model_deprecated")
    assert told["fallback_models"] == ["x-ai/grok-4.3"]


async def test_an_unknown_model_is_a_400(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(model="google/gemma-3-1b-it"))

    assert reply.status_code == 400
    assert reply.json()["error"]["availability"]["code"] == "model_not_found"


async def test_a_model_can_retire_while_it_is_in_use(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.retire("openai/gpt-4.1", "openai/gpt-5.4")

    reply = await http.post(CHAT, json=asking())
    listed = (await http.get("/api/v1/models")).json()["data"]

    assert reply.status_code == 404
    assert "openai/gpt-4.1" not in [model["id"] for model in listed]


async def test_an_alias_is_served_by_the_model_it_stands_for(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(model="~openai/gpt-latest"))

    assert reply.json()["model"] == "openai/gpt-5.4"


@pytest.mark.parametrize("first", ["x-ai/grok-4", "google/gemma-3-1b-it", "sim/fault-http-503"])
async def test_the_next_model_answers_where_the_first_fails(
    first: str, http: httpx.AsyncClient
) -> None:
    reply = await http.post(CHAT, json=asking(model=first, models=["openai/gpt-4o-mini"]))

    assert (reply.status_code, reply.json()["model"]) == (200, "openai/gpt-4o-mini")


async def test_the_error_of_the_last_model_counts(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(model="x-ai/grok-4", models=["sim/fault-http-529"]))

    assert reply.status_code == 529


async def test_a_text_model_takes_no_pictures(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(SEEN, model="deepseek/deepseek-chat-v3-0324"))

    assert reply.status_code == 404
    assert "support image input" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("url", "error_type"),
    [
        ("data:image/png;base64,%%%%", "invalid_image"),
        ("data:image/png;base64,aGVsbG8=", "invalid_image"),
        ("https://example.com/a.png", "image_download_failed"),
    ],
)
async def test_a_bad_picture_is_a_400(url: str, error_type: str, http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking([{"type": "image_url", "image_url": {"url": url}}]))

    assert reply.status_code == 400
    assert reply.json()["error"]["metadata"]["error_type"] == error_type


async def test_a_model_without_tools_takes_none(http: httpx.AsyncClient) -> None:
    tools = [{"type": "openrouter:web_search"}]

    reply = await http.post(CHAT, json=asking(model="google/gemma-3-4b-it", tools=tools))

    assert reply.status_code == 404


async def test_too_much_text_is_a_400(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking("word " * 150_000, model="openai/gpt-4o-mini"))

    assert reply.status_code == 400
    assert reply.json()["error"]["metadata"]["error_type"] == "context_length_exceeded"


async def test_unknown_fields_are_ignored(http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, json=asking(whatever=1))

    assert reply.status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"text"'])
async def test_what_is_no_json_object_is_a_400(body: bytes, http: httpx.AsyncClient) -> None:
    reply = await http.post(CHAT, content=body)

    assert reply.status_code == 400


async def test_the_cost_follows_the_prices_and_is_charged(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    usage = (await http.post(CHAT, json=asking())).json()["usage"]

    spent = usage["prompt_tokens"] * 2e-6 + usage["completion_tokens"] * 8e-6
    assert usage["cost"] == pytest.approx(spent)
    assert world.used == pytest.approx(spent)


async def test_without_credit_there_is_no_answer(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.credits = 0

    assert (await http.post(CHAT, json=asking())).status_code == 402


async def test_the_credit_is_checked_against_the_limit_of_tokens(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.credits = 0.001

    over = await http.post(CHAT, json=asking(max_tokens=500))
    within = await http.post(CHAT, json=asking(max_tokens=100))

    assert "can only afford 125" in over.json()["error"]["message"]
    assert (over.status_code, within.status_code) == (402, 200)


async def test_credits_need_a_management_key(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/v1/credits")).status_code == 403


async def test_leaving_in_mid_stream_cancels_the_generation(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.between_tokens = 0.05

    generation = await cancel_in_mid_stream(http)
    told = (await until(http, generation, 200)).json()["data"]

    assert world.cancelled == [generation]
    assert (told["cancelled"], told["finish_reason"]) == (True, None)


async def test_a_stream_read_to_its_end_is_not_cancelled(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    reply = await http.post(CHAT, json=asking(stream=True))
    told = (await until(http, reply.headers["x-generation-id"], 200)).json()["data"]

    assert world.cancelled == []
    assert (told["cancelled"], told["finish_reason"]) == (False, "stop")


@pytest.mark.parametrize("name", ["reset-short", "cut-short", "reset-before-head"])
async def test_a_cut_of_ours_is_no_cancelling(
    name: str, http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    with pytest.raises(httpx.TransportError):
        await http.post(CHAT, json=asking(model=f"sim/fault-{name}", stream=True))

    assert world.cancelled == []


async def test_leaving_a_silent_stream_cancels_it(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await http.post(CHAT, json=asking(model="sim/fault-silence", stream=True), timeout=0.05)
    await asyncio.sleep(0.05)

    assert len(world.cancelled) == 1


async def test_a_generation_is_unknown_for_a_moment(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    now = 1_800_000_000.0
    world.clock = lambda: now
    world.index_delay = 0.5
    generation = (await http.post(CHAT, json=asking())).json()["id"]

    early = await http.get("/api/v1/generation", params={"id": generation})
    now += 0.6
    late = await http.get("/api/v1/generation", params={"id": generation})

    assert (early.status_code, late.status_code) == (404, 200)


async def test_the_first_token_and_the_others_take_their_time(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.first_token, world.between_tokens = 0.1, 0.02
    clock = asyncio.get_running_loop().time
    began = clock()

    async with http.stream("POST", CHAT, json=asking(stream=True)) as reply:
        lines = reply.aiter_lines()
        at = [clock() - began async for line in lines if line.startswith("data: {")]

    assert at[0] >= 0.1
    assert at[-1] - at[0] >= 0.02 * (len(at) - 2)


async def test_two_worlds_of_one_seed_give_the_same_ids() -> None:
    first, second, other = (
        OpenRouterWorld(seed=seed, clock=lambda: 1_800_000_000.0) for seed in (1, 1, 2)
    )

    assert first.new_id() == second.new_id() != other.new_id()


# The switchboard ----------------------------------------------------------------------


async def test_another_process_switches_faults_and_reads_the_log(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    switched = await http.post("/_sim/faults", json={"name": "http-502", "times": 2})
    statuses = [(await http.post(CHAT, json=asking())).status_code for _ in range(3)]
    log = (await http.get("/_sim/requests")).json()
    await http.post("/_sim/reset")

    assert switched.status_code == 204
    assert statuses == [502, 502, 200]
    assert [request["path"] for request in log] == [CHAT] * 3
    assert world.requests == []


async def test_the_switchboard_lists_the_faults(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/_sim/faults")).json()

    assert listed == {name: fault.about for name, fault in FAULTS.items()}


async def test_the_switchboard_knows_no_other_fault(http: httpx.AsyncClient) -> None:
    assert (await http.post("/_sim/faults", json={"name": "nonsense"})).status_code == 404


async def test_a_fault_can_be_queued_for_another_endpoint(
    http: httpx.AsyncClient, world: OpenRouterWorld
) -> None:
    world.next("http-500", at="/models")

    statuses = [
        (await http.post(CHAT, json=asking())).status_code,
        (await http.get("/api/v1/models")).status_code,
        (await http.get("/api/v1/models")).status_code,
    ]

    assert statuses == [200, 500, 200]


# The strict twin ----------------------------------------------------------------------


@pytest.mark.parametrize("field", ["session_id", "provider", "plugins", "models", "reasoning"])
async def test_the_strict_twin_refuses_what_openai_does_not_know(
    field: str, http: httpx.AsyncClient
) -> None:
    value: object = "c1" if field == "session_id" else [] if field[-1] == "s" else {}

    reply = await http.post(OPENAI, json=asking() | {field: value})

    error = reply.json()["error"]
    assert reply.status_code == 400
    assert set(error) == {"message", "type", "param", "code"}
    assert field in error["message"]


async def test_the_strict_twin_answers_without_what_is_openrouters(
    http: httpx.AsyncClient,
) -> None:
    answer = (await http.post(OPENAI, json=asking(user="u"))).json()

    assert "Hello" in answer["choices"][0]["message"]["content"]
    assert "provider" not in answer
    assert "native_finish_reason" not in answer["choices"][0]
    assert "cost" not in answer["usage"]


async def test_the_strict_twin_counts_a_stream_only_when_asked(http: httpx.AsyncClient) -> None:
    silent = events(await http.post(OPENAI, json=asking(stream=True)))
    options = {"include_usage": True}
    told = events(await http.post(OPENAI, json=asking(stream=True, stream_options=options)))

    assert not [event for event in silent if "usage" in event]
    assert [event["choices"] for event in told if "usage" in event] == [[]]


async def test_the_strict_twin_names_reasoning_otherwise(http: httpx.AsyncClient) -> None:
    asked = asking(model="sim/fault-reasoning-then-text", stream=True)

    chunks = events(await http.post(OPENAI, json=asked))

    assert "reasoning_content" in chunks[0]["choices"][0]["delta"]


async def test_the_strict_twin_lists_names_alone(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/openai/v1/models")).json()

    assert listed["object"] == "list"
    assert {frozenset(model) for model in listed["data"]} == {
        frozenset({"id", "object", "created", "owned_by"})
    }


async def test_a_large_picture_is_too_large_for_claude(http: httpx.AsyncClient) -> None:
    data = picture() + "A" * 5_300_000

    reply = await http.post(
        CHAT,
        json=asking(
            [{"type": "image_url", "image_url": {"url": data}}], model="anthropic/claude-sonnet-4"
        ),
    )

    assert reply.json()["error"]["metadata"]["error_type"] == "image_too_large"
