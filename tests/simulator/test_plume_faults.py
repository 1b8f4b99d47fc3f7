"""Every fault, seen over a real socket."""

import gzip
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from simulator.plume import ALWAYS, FAULTS, PARTNER
from tests.simulator.bot_api import Clock
from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]
Check = Callable[[Cloud, str], Awaitable[None]]
IMPATIENT = httpx.Timeout(5, read=0.15)  # seconds; the simulator would answer in a few ms


def status(code: int, *, name: str = "") -> Check:
    """Claim an error in Plume's JSON."""

    async def check(cloud: Cloud, path: str) -> None:
        reply = await cloud.get(path)
        assert reply.status_code == code
        assert reply.json()["error"]["statusCode"] == code
        assert name in reply.json()["error"]["name"]

    return check


def html(code: int, said: str) -> Check:
    async def check(cloud: Cloud, path: str) -> None:
        reply = await cloud.get(path)
        assert (reply.status_code, reply.headers["content-type"][:9]) == (code, "text/html")
        assert said in reply.text

    return check


def body(code: int, said: str, header: str = "", value: str = "") -> Check:
    async def check(cloud: Cloud, path: str) -> None:
        reply = await cloud.get(path)
        assert (reply.status_code, reply.text) == (code, said)
        assert not header or reply.headers[header] == value

    return check


def breaks(error: type[Exception]) -> Check:
    """Claim that the call fails so, whether in its head or in its body."""

    async def check(cloud: Cloud, path: str) -> None:
        patience = IMPATIENT if error is httpx.ReadTimeout else 10
        with pytest.raises(error):
            await cloud.http.get(f"{cloud.base}/{path}", timeout=patience)
        assert cloud.world.calls[-1].status in {0, 200}

    return check


def told(claim: Callable[[Any], bool]) -> Check:
    async def check(cloud: Cloud, path: str) -> None:
        reply = await cloud.get(path)
        assert reply.status_code == 200
        assert claim(json.loads(reply.content))

    return check


async def half(cloud: Cloud, path: str) -> None:
    reply = await cloud.get(path)

    assert reply.status_code == 200
    assert len(reply.content) == int(reply.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        reply.json()


async def packed(cloud: Cloud, path: str) -> None:
    headers = {"Accept-Encoding": "identity"}
    async with cloud.http.stream("GET", f"{cloud.base}/{path}", headers=headers) as reply:
        raw = b"".join([part async for part in reply.aiter_raw()])

    assert reply.headers["content-encoding"] == "gzip"
    assert "nodes" in json.loads(gzip.decompress(raw))


async def bomb(cloud: Cloud, path: str) -> None:
    async with cloud.http.stream("GET", f"{cloud.base}/{path}") as reply:
        raw = b"".join([part async for part in reply.aiter_raw()])

    assert reply.headers["content-encoding"] == "gzip"
    assert len(raw) < 1_000_000 < 64 * 1024 * 1024 < len(gzip.decompress(raw))


async def huge(cloud: Cloud, path: str) -> None:
    seen = 0
    async with cloud.http.stream("GET", f"{cloud.base}/{path}") as reply:
        async for part in reply.aiter_raw():
            seen += len(part)
            if seen > 2_000_000:
                break

    assert seen > 2_000_000


async def drip(cloud: Cloud, path: str) -> None:
    cloud.world.drip = 0.01

    async with cloud.http.stream("GET", f"{cloud.base}/{path}") as reply:
        first = await anext(reply.aiter_raw())

    assert len(first) < int(reply.headers["content-length"]) / 2


async def deep(cloud: Cloud, path: str) -> None:
    reply = await cloud.get(path)

    with pytest.raises(RecursionError):
        json.loads(reply.text)


async def late(cloud: Cloud, path: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await cloud.http.get(f"{cloud.base}/{path}", timeout=IMPATIENT)


async def done_but_reset(cloud: Cloud, _: str) -> None:
    home = cloud.world.place("pod_fair")
    cloud.world.faults.clear()
    cloud.world.fail("PUT */reboot", "reset_after")
    with pytest.raises(httpx.ReadError):
        await cloud.send("PUT", below(home, f"nodes/{cloud.gateway(home)}/reboot"))

    assert cloud.world.reboots[cloud.gateway(home)]


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for each in inner for number in _numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _odd(value: Any) -> bool:
    return bool(_numbers(value)) and all(
        number == 10**400 if isinstance(number, int) else not math.isfinite(number)
        for number in _numbers(value)
    )


CHECKS: dict[str, tuple[str, Check]] = {
    "unauthorized": ("unauthorized", status(401, name="Unauthorized")),
    "forbidden": ("forbidden", status(403, name="Forbidden")),
    "firewall": ("firewall", html(403, "Forbidden")),
    "firewall_empty": ("firewall_empty", body(403, "")),
    "missing": ("missing", status(404)),
    "conflict": ("conflict", status(409)),
    "invalid": ("invalid:CUS00001", status(422)),
    "too_many": ("too_many:60", status(429)),
    "error": ("error:503", status(503)),
    "page": ("page:502", html(502, "nginx")),
    "redirect": ("redirect", body(302, "", "location", "http://elsewhere.invalid/api/elsewhere")),
    "html": ("html", html(200, "Just a moment")),
    "nothing": ("nothing", body(204, "")),
    "blank": ("blank", body(200, "")),
    "words": ("words", body(200, "OK, but this is no JSON")),
    "half": ("half", half),
    "null": ("null", told(lambda it: it is None)),
    "scalar": ("scalar", told(lambda it: it == 42)),
    "error_200": ("error_200", told(lambda it: it["error"]["statusCode"] == 500)),
    "types": ("types", told(lambda it: it["nodes"][0]["id"].keys() == {"value"})),
    "nan": ("nan", told(lambda it: math.isnan(_numbers(it)[0]) and _odd(it))),
    "overflow": ("overflow", told(_odd)),
    "deep": ("deep", deep),
    "gzip": ("gzip", packed),
    "bomb": ("bomb", bomb),
    "huge": ("huge", huge),
    "drip": ("drip", drip),
    "cut": ("cut", breaks(httpx.RemoteProtocolError)),
    "reset": ("reset", breaks(httpx.ReadError)),
    "reset_half": ("reset_half", breaks(httpx.ReadError)),
    "reset_after": ("reset_after", done_but_reset),
    "silence": ("silence", breaks(httpx.ReadTimeout)),
    "silence_half": ("silence_half", breaks(httpx.ReadTimeout)),
    "delay": ("delay:30", late),
}


@pytest.mark.parametrize("fault", CHECKS)
async def test_a_fault_shows_and_the_next_call_is_whole(cloud: Cloud, fault: str) -> None:
    path = below(cloud.world.place("pod_fair"), "nodes")
    name, check = CHECKS[fault]
    cloud.world.fail("*/nodes", name)

    await check(cloud, path)

    assert (await cloud.read(path))["nodes"]


def test_every_fault_is_checked() -> None:
    assert CHECKS.keys() | {"oauth", "token"} == FAULTS.keys()


async def test_faults_strike_as_often_as_they_were_told_to(cloud: Cloud) -> None:
    path = below(cloud.world.place("pod_fair"), "nodes")
    cloud.world.fail("*/nodes", "error", times=2)
    cloud.world.fail("*/nodes", "missing")

    twice = [(await cloud.get(path)).status_code for _ in range(4)]
    cloud.world.fail("*/nodes", "error", ALWAYS)
    always = {(await cloud.get(path)).status_code for _ in range(5)}
    cloud.world.faults.clear()

    assert twice == [500, 500, 404, 200]
    assert always == {500}
    assert (await cloud.get(path)).status_code == 200


async def test_a_fault_strikes_its_path_and_its_method_alone(cloud: Cloud) -> None:
    home = cloud.world.place("pod_fair")
    cloud.world.fail("/API/*/locations/*/DEVICES", "error", ALWAYS)
    cloud.world.fail("PUT *", "conflict", ALWAYS)

    assert (await cloud.get(below(home, "nodes"))).status_code == 200
    assert (await cloud.get(below(home, "devices"))).status_code == 500
    assert (await cloud.send("PUT", below(home, "nodes/x/reboot"))).status_code == 409


async def test_a_fault_of_the_answer_waits_for_an_answer(cloud: Cloud, clock: Clock) -> None:
    path = below(cloud.world.place("pod_fair"), "nodes")
    cloud.world.fail("*/nodes", "half")
    clock.now += 601

    assert (await cloud.get(path)).status_code == 401
    await cloud.sign_in()

    with pytest.raises(json.JSONDecodeError):
        (await cloud.get(path)).json()


def test_a_fault_that_does_not_exist_is_an_error(cloud: Cloud) -> None:
    with pytest.raises(KeyError):
        cloud.world.fail("*", "gremlins")


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ("60", "60"), ("soon", "soon"), ("", None),
        ("date", "Mon, 21 Sep 2026 14:13:22 GMT"),
    ],
)  # fmt: skip
async def test_too_many_says_when_in_each_way(cloud: Cloud, said: str, header: str | None) -> None:
    cloud.world.fail("*/nodes", f"too_many:{said}".rstrip(":"))

    reply = await cloud.get(below(cloud.world.place("pod_fair"), "nodes"))

    assert (reply.status_code, reply.headers.get("retry-after")) == (429, header)


async def test_an_error_may_bring_its_code(cloud: Cloud) -> None:
    cloud.world.fail("*/nodes", "invalid:CUS00001")

    reply = await cloud.get(below(cloud.world.place("pod_fair"), "nodes"))

    assert reply.json()["error"]["code"] == "CUS00001"


async def test_lists_can_come_as_objects(cloud: Cloud) -> None:
    cloud.world.fail("*/nodes", "types:lists")

    found = await cloud.of(cloud.world.place("pod_fair"), "nodes")

    assert found["nodes"]["0"]["alerts"] == {}


@pytest.mark.parametrize("error", ["invalid_client", "invalid_scope", "invalid_grant"])
async def test_the_sign_in_fails_as_told(stranger: Cloud, error: str) -> None:
    stranger.world.fail("/oauth2/*", f"oauth:{error}")

    reply = await stranger.token()

    assert reply.json()["error"] == error
    assert (await stranger.token()).status_code == 200


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("missing", lambda it: "access_token" not in it),
        ("useless", lambda it: it["access_token"].count(".") == 2),
        ("control", lambda it: "\n" in it["access_token"]),
        ("number", lambda it: it["access_token"] == 7),
        ("no_lifetime", lambda it: "expires_in" not in it),
        ("text", lambda it: it["expires_in"] == "soon"),
        ("short", lambda it: it["expires_in"] == 3),
        ("negative", lambda it: it["expires_in"] == -600),
        ("list", lambda it: isinstance(it, list)),
    ],
)
async def test_a_token_can_be_odd(stranger: Cloud, kind: str, claim: Callable[[Any], bool]) -> None:
    stranger.world.fail("/oauth2/*/token", f"token:{kind}")

    reply = await stranger.token()

    assert reply.status_code == 200
    assert claim(reply.json())


async def test_a_useless_token_opens_nothing(stranger: Cloud) -> None:
    stranger.world.fail("/oauth2/*", "token:useless")
    await stranger.sign_in()

    path = f"api/partners/{PARTNER.id}/customers/count"

    assert (await stranger.get(path)).status_code == 401


async def test_the_firewall_counts_calls_in_windows_of_five_minutes(
    cloud: Cloud, clock: Clock
) -> None:
    clock.now = clock.now // 300 * 300
    cloud.world.firewall = 3
    path = below(cloud.world.place("pod_fair"), "nodes")

    seen = [(await cloud.get(path)) for _ in range(5)]
    signing = await cloud.token()
    clock.now += 299
    blocked = await cloud.get(path)
    clock.now += 1
    free = await cloud.get(path)

    assert [reply.status_code for reply in seen] == [200, 200, 200, 403, 403]
    assert seen[-1].text.startswith("<html>")
    assert (signing.status_code, blocked.status_code, free.status_code) == (200, 403, 200)
