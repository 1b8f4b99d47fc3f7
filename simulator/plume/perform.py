"""Answers on the wire: as they should be, and with each of the faults."""

import gzip
import json
import math
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import cache
from itertools import cycle
from typing import Any

from simulator.plume.failure import FIREWALL_PAGE, Refused, Reply, oauth, refused
from simulator.plume.faults import Fault
from simulator.plume.world import PlumeWorld
from simulator.script import Act, Pause, Script, Step

BOMB_BYTES = 64 * 1024 * 1024
DEPTH = 100_000
PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>"
JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
FLUSH = Pause(0.005)  # seconds until what was written has left, before a reset throws it away

Instead = Callable[[Fault, PlumeWorld], Script]
Spoil = Callable[[Fault, Any, PlumeWorld], Script]


def answered(answer: Any) -> Script:
    """Return an answer as it should be; a `Reply` brings its own status."""
    if not isinstance(answer, Reply):
        return _json(answer)
    if answer.body is None:
        return _bytes(b"", answer.status, "", **answer.headers)
    return _json(answer.body, answer.status, **answer.headers)


def refusal(told: Refused) -> Script:
    if isinstance(told.body, str):
        return _bytes(told.body.encode(), told.status, HTML_TYPE, **told.headers)
    return _json(told.body, told.status, **told.headers)


def instead(fault: Fault, world: PlumeWorld) -> Script | None:
    """Return what a fault answers before anything is done, None if it comes afterwards."""
    made = _INSTEAD.get(fault.name)
    return made(fault, world) if made else None


def spoiled(fault: Fault, answer: Any, world: PlumeWorld) -> Script:
    """Return a right answer with a fault; one without a body is left as it is."""
    made = _SPOIL.get(fault.name)
    return made(fault, answer, world) if made else answered(answer)


def _dumps(answer: Any) -> bytes:
    try:
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8; escaped it is legal JSON
        return json.dumps(answer).encode()


def _json(answer: Any, status: int = 200, **headers: str) -> Script:
    return _bytes(_dumps(answer), status, JSON_TYPE, **headers)


def _bytes(body: bytes, status: int = 200, kind: str = JSON_TYPE, **headers: str) -> Script:
    head = {"content-type": kind} if kind else {}
    if status != 204:  # noqa: PLR2004
        head["content-length"] = str(len(body))
    return Script([body], status, head | headers)


def _refuses(status: int) -> Instead:
    return lambda fault, _: refusal(refused(status, code=fault.argument))


def _text(status: int, text: str, kind: str = HTML_TYPE) -> Instead:
    return lambda _, __: _bytes(text.encode(), status, kind)


def _too_many(fault: Fault, world: PlumeWorld) -> Script:
    after = fault.argument
    if after == "date":
        after = formatdate(world.time() + 2, usegmt=True)
    told = refused(429)
    return refusal(Refused(429, told.body, {"retry-after": after} if after else {}))


def _error(fault: Fault, _: PlumeWorld) -> Script:
    return refusal(refused(int(fault.argument or 500)))


def _page(fault: Fault, _: PlumeWorld) -> Script:
    status = int(fault.argument or 502)
    return _bytes(PAGE.format(f"{status} nginx").encode(), status, HTML_TYPE)


def _oauth(fault: Fault, _: PlumeWorld) -> Script:
    return refusal(oauth(fault.argument or "invalid_client", "The simulator was told to say so."))


def _redirect(_: Fault, world: PlumeWorld) -> Script:
    return _bytes(b"", 302, "", location=f"{world.redirect_to}/api/elsewhere")


def _huge(_: Fault, __: PlumeWorld) -> Script:
    def steps() -> Iterator[Step]:
        yield b'{"a":"'
        for _ in range(BOMB_BYTES >> 16):
            yield b"0" * 0x10000
        yield b'"}'

    return Script(steps(), headers={"content-type": JSON_TYPE})


def _bomb(_: Fault, __: PlumeWorld) -> Script:
    head = {"content-type": JSON_TYPE, "content-encoding": "gzip"}
    return Script([_packed_bomb()], headers=head)


@cache
def _packed_bomb() -> bytes:
    # The fastest level: others hold up the whole server for a third of a second.
    return gzip.compress(b'{"a":"' + b"0" * BOMB_BYTES + b'"}', compresslevel=1)


def _acts(*steps: Step) -> Instead:
    return lambda _, __: Script(list(steps), headers={"content-type": JSON_TYPE})


_INSTEAD: dict[str, Instead] = {
    "unauthorized": _refuses(401),
    "forbidden": _refuses(403),
    "firewall": _text(403, FIREWALL_PAGE),
    "firewall_empty": _text(403, "", ""),
    "missing": _refuses(404),
    "conflict": _refuses(409),
    "invalid": _refuses(422),
    "too_many": _too_many,
    "error": _error,
    "page": _page,
    "oauth": _oauth,
    "redirect": _redirect,
    "html": _text(200, PAGE.format("Just a moment")),
    "nothing": _text(204, "", ""),
    "blank": _text(200, "", JSON_TYPE),
    "words": _text(200, "OK, but this is no JSON", JSON_TYPE),
    "null": _text(200, "null", JSON_TYPE),
    "scalar": _text(200, "42", JSON_TYPE),
    "error_200": lambda _, __: _json(refused(500).body),
    "deep": _text(200, "[" * DEPTH + "]" * DEPTH, JSON_TYPE),
    "bomb": _bomb,
    "huge": _huge,
    "reset": _acts(Act.RESET),
    "silence": _acts(Act.SILENCE),
}


def _halved(*after: Step) -> Spoil:
    def spoil(_: Fault, answer: Any, __: PlumeWorld) -> Script:
        whole = answered(answer)
        body = b"".join(step for step in whole.steps if isinstance(step, bytes))
        return Script([body[: len(body) // 2], *after], whole.status, whole.headers)

    return spoil


def _half(_: Fault, answer: Any, __: PlumeWorld) -> Script:
    body = _dumps(answer)
    return _bytes(body[: len(body) // 2])


def _drip(_: Fault, answer: Any, world: PlumeWorld) -> Script:
    def steps() -> Iterator[Step]:
        for byte in body:
            yield bytes([byte])
            yield Pause(world.drip)

    body = _dumps(answer)
    head = {"content-type": JSON_TYPE, "content-length": str(len(body))}
    return Script(steps(), headers=head)


def _gzip(_: Fault, answer: Any, __: PlumeWorld) -> Script:
    head = {"content-type": JSON_TYPE, "content-encoding": "gzip"}
    return Script([gzip.compress(_dumps(answer))], headers=head)


def _nan(_: Fault, answer: Any, __: PlumeWorld) -> Script:
    odd = cycle((math.nan, math.inf, -math.inf))
    return _json(_numbers(answer, lambda: next(odd)))


def _overflow(_: Fault, answer: Any, __: PlumeWorld) -> Script:
    odd = cycle((math.inf, 10**400))
    body = _dumps(_numbers(answer, lambda: next(odd)))
    return _bytes(body.replace(b"Infinity", b"1e999"))


def _numbers(value: Any, odd: Callable[[], float]) -> Any:
    """Return `value` with an odd number wherever there was a number."""
    if isinstance(value, dict):
        return {key: _numbers(each, odd) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbers(each, odd) for each in value]
    return odd() if isinstance(value, int | float) and not isinstance(value, bool) else value


def _types(fault: Fault, answer: Any, _: PlumeWorld) -> Script:
    return _json(_exchanged(answer, lists=fault.argument == "lists"))


def _exchanged(value: Any, *, lists: bool) -> Any:
    """Return `value` with other types: of its single values, or of its lists."""
    if isinstance(value, dict):
        return {key: _exchanged(each, lists=lists) for key, each in value.items()}
    if isinstance(value, list):
        items = [_exchanged(each, lists=lists) for each in value]
        return {str(at): item for at, item in enumerate(items)} if lists else items
    if lists:
        return value
    if isinstance(value, str):
        return {"value": value}
    return [value] if value is None or isinstance(value, bool) else f"about {value}"


def _token(fault: Fault, answer: Any, _: PlumeWorld) -> Script:
    """Spoil the answer of the sign-in; see `FAULTS["token"]`."""
    odd: dict[str, dict[str, Any]] = {
        "missing": {"access_token": None},
        "useless": {"access_token": "eyJ1c2VsZXNz.e30.AAAA"},
        "control": {"access_token": "eyJ\r\nX-Planted: yes"},
        "number": {"access_token": 7},
        "no_lifetime": {"expires_in": None},
        "text": {"expires_in": "soon"},
        "short": {"expires_in": 3},
        "negative": {"expires_in": -600},
    }
    if fault.argument == "list":
        return _json([answer])
    told = answer | odd[fault.argument or "missing"]
    return _json({key: value for key, value in told.items() if value is not None})


_SPOIL: dict[str, Spoil] = {
    "half": _half,
    "types": _types,
    "nan": _nan,
    "overflow": _overflow,
    "gzip": _gzip,
    "drip": _drip,
    "token": _token,
    "cut": _halved(FLUSH, Act.HANG_UP),
    "reset_half": _halved(FLUSH, Act.RESET),
    "silence_half": _halved(Act.SILENCE),
    "reset_after": lambda _, __, ___: Script([Act.RESET]),
}
