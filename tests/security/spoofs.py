"""Attempts to be somebody else. Each makes one call, from a seeded source of chance."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from app.api.signed import SIGNATURE
from app.api.webhook import SECRET_HEADER
from app.platforms.telegram import KEY_MARK
from tests.api.line import SECRET
from tests.api.service import BOT, INTERNAL, said
from tests.security.doors import SIGNING, STRANGE, WRONG, Headers, authorised, signed

ANN, ROOM = "ann", "room-1"  # whose conversation is attacked on the internal platform
BEN, MALLORY = "71", "666"  # and on Telegram; and who presses what is not theirs
JSON = (b"Content-Type", b"application/json")


@dataclass(frozen=True, slots=True)
class Loot:
    """What an attacker may have heard of: ids, never keys."""

    sessions: dict[str, str]  # by platform
    deliveries: dict[str, int]
    messages: dict[str, dict[str, Any]]
    button: str  # the key of Ben's button
    now: float


@dataclass(frozen=True, slots=True)
class Spoof:
    """One call, and the statuses that are no success of it."""

    method: str
    url: str
    headers: Headers
    body: bytes
    fine: frozenset[int]


Kind = Callable[[Random, Loot], Spoof]
REFUSED = frozenset({400, 401, 403, 404, 405, 409, 422})


def key(value: str) -> Headers:
    return [*authorised(f"Bearer {value}"), JSON]


def post(url: str, headers: Headers, body: Any, fine: frozenset[int] = REFUSED) -> Spoof:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Spoof("POST", url, headers, raw, fine)


def pick(chance: Random, plain: Any, others: list[Any]) -> Any:
    """Return the plain attempt often enough, else one that is in disguise."""
    return plain if chance.random() < 0.3 else chance.choice(others)


def disguised(chance: Random, name: str) -> Any:
    """Return something that a careless reader takes for `name`."""
    alike = {"a": "а", "e": "е", "i": "і", "n": "ո", "r": "г", "l": "1", "7": "𝟕", "1": "１"}  # noqa: RUF001 - that is the point
    at = chance.randrange(len(name))
    blank = chance.choice([" ", "\t", "\n", "\u00a0", "\u200b", "\u2060", "\ufeff", "\0", "\r"])
    common = [name.upper(), name.title(), blank + name, name + blank]
    made = pick(
        chance,
        chance.choice(common),
        [
            name.upper(), name.title(), name[:at] + name[at].upper() + name[at + 1 :],
            name.swapcase(), name[:at] + alike.get(name[at], "\u0301") + name[at + 1 :],
            blank + name, name + blank, name[:at] + blank + name[at:], "0" + name, "+" + name,
            name + "\u202e", "".join(chr(0xFEE0 + ord(sign)) for sign in name), [name],
            {"id": name}, f"{name}/", f"../{name}", f"{name}%00", f"{name}:1", f"{name}' OR '1'='1",
            [name, name],
        ]
    )  # fmt: skip
    # At a dash, capitals are no disguise.
    return made if made != name else name.upper()


def other_platform(chance: Random, loot: Loot) -> Spoof:
    """Name the platform, or almost the platform, of others."""
    mine, theirs = chance.sample([("internal", INTERNAL), ("telegram", BOT)], 2)
    named = theirs[0] if chance.random() < 0.3 else disguised(chance, theirs[0])
    body = loot.messages[theirs[0]] | {"platform": named, "message_id": f"x{chance.random()}"}
    if chance.random() < 0.3:  # the last one counts in many parsers
        raw = json.dumps(body | {"platform": mine[0]}).encode()
        raw = raw[:-1] + f', "platform": "{theirs[0]}"}}'.encode()
        return post("/message", key(mine[1]), raw)
    return post(chance.choice(["/message", "/webhook/internal"]), key(mine[1]), body)


def like_somebody(chance: Random, _: Loot) -> Spoof:
    """Have nearly the ids of somebody of the same platform: at best it is somebody new."""
    body = said("/status", user_id=ANN, chat_id=ROOM)
    field = chance.choice(["user_id", "chat_id"])
    body[field] = disguised(chance, body[field])
    return post("/message", key(INTERNAL), body, REFUSED | {200})


def forged_headers(chance: Random, loot: Loot) -> Spoof:
    """Say by headers that one is near, known, or means another method or address."""
    lies = {
        "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1",
        "X-HTTP-Method-Override": "DELETE", "X-Method-Override": "GET", "X-Original-URL": "/health",
        "X-Rewrite-URL": "/health/live", "X-Forwarded-Host": "localhost", "X-User-Id": BEN,
        "X-Forwarded-Proto": "https", "X-Platform": "telegram", "X-Admin": "true", "Via": "1.1 bot",
        "X-Client-Cert": "CN=admin", "X-Remote-User": "admin", "X-Request-ID": "0" * 16,
        "Cookie": f"session={loot.sessions['telegram']}", "Origin": "http://localhost",
    }  # fmt: skip
    told = chance.sample(sorted(lies), 4)
    headers: Headers = [(name.encode(), lies[name].encode()) for name in told]
    host = chance.choice(["localhost", "127.0.0.1:8001", "internal", "bot", "admin.local"])
    method, url = chance.choice(
        [
            ("GET", f"/session/{loot.sessions['telegram']}"), ("GET", "/admin/deliveries"),
            ("DELETE", f"/session/{loot.sessions['internal']}"), ("POST", "/admin/clear-sessions"),
            ("POST", "/admin/redrive"), ("POST", f"/session/{loot.sessions['telegram']}"),
            ("POST", f"/session/{loot.sessions['telegram']}?_method=DELETE"), ("POST", "/message"),
            ("GET", "/network/status?user_id=71"), ("PUT", "/message"), ("POST", "/deliveries"),
        ]
    )  # fmt: skip
    who = chance.choice([[], key(WRONG)[:1], key(INTERNAL)[:1]])
    if url == "/message" or "/network/" in url:
        who = []
    if who == key(INTERNAL)[:1] and url.endswith(loot.sessions["internal"]):
        method = "DELETE"
    headers = [(b"Host", host.encode()), *who, *headers, JSON]
    return Spoof(method, url, headers, b"{}", REFUSED)


def wrong_door(chance: Random, loot: Loot) -> Spoof:
    """Bring an update as a message, a message as an update, and either with a foreign proof."""
    text = {
        "message_id": 5,
        "date": 1,
        "chat": {"id": 71, "type": "private"},
        "text": "/forget yes",
    }
    update = {"update_id": chance.randrange(10**9), "message": text | {"from": {"id": 71}}}
    message = loot.messages["telegram"] | {"message_id": f"w{chance.random()}"}
    proofs = [
        key(INTERNAL), key(WRONG), [JSON],
        [(SECRET_HEADER.encode(), SECRET.upper().encode()), JSON],
        [(SECRET_HEADER.encode(), disguise_of(chance, SECRET)), JSON],
        [(SECRET_HEADER.encode(), SECRET.encode()), (SECRET_HEADER.encode(), b"x"), JSON],
        [(SECRET_HEADER.encode(), BOT.encode()), JSON],
        [*signed(json.dumps(update).encode(), SIGNING, loot.now, "m"), JSON],
    ]  # fmt: skip
    doors = [
        ("/webhook/telegram", update, chance.choice(proofs), REFUSED),
        ("/webhook/internal", update, chance.choice([key(INTERNAL), key(BOT)]), REFUSED),
        # Kept aside as what nobody can read; it is nobody's message.
        ("/webhook/telegram", message, key(BOT), REFUSED | {200}),
        ("/webhook/internal", message, key(BOT), REFUSED),
        ("/webhook/TELEGRAM", update, key(BOT), REFUSED),
        ("/webhook/telegram%20", update, key(BOT), REFUSED),
    ]  # fmt: skip
    url, body, headers, fine = chance.choice(doors)
    return post(url, headers, body, fine)


def disguise_of(chance: Random, secret: str) -> bytes:
    at = chance.randrange(len(secret))
    return chance.choice(
        [secret[:-1], secret + " x", secret[:at] + "_" + secret[at + 1 :], secret[::-1], "*"]
    ).encode()


def signature(chance: Random, loot: Loot) -> Spoof:
    """Sign with another secret, or show the signature of something else."""
    body = json.dumps(said("/status", user_id=ANN, chat_id=ROOM)).encode()
    other = json.dumps(said("/forget yes", user_id=ANN, chat_id=ROOM)).encode()
    late = loot.now - chance.choice([301, 3600, 10**6, -301, -(10**6)])
    headers = chance.choice(
        [
            signed(body, STRANGE, loot.now, "s1"), signed(other, SIGNING, loot.now, "s2"),
            signed(body, SIGNING, late, "s3"), signed(body, SIGNING, loot.now, "s4")[:2],
            [*signed(body, SIGNING, loot.now, "s5")[1:], (b"webhook-id", b"s6")],
            [*signed(body, SIGNING, loot.now, "s7")[:2], (SIGNATURE.encode(), b"v1,")],
        ]
    )  # fmt: skip
    return post("/webhook/internal", [*headers, JSON], body)


def message_of_others(chance: Random, loot: Loot) -> Spoof:
    """Say a message again that somebody else said, to hear the answer to it."""
    platform = chance.choice(["internal", "telegram"])
    known = loot.messages[platform]
    mine, other = (INTERNAL, "internal") if platform == "telegram" else (BOT, "telegram")
    if chance.random() < 0.5:  # the same ids on one's own platform
        asked = known | {"platform": other, "text": "What did I say?"}
        return post("/message", key(mine), asked, REFUSED | {200})
    change = chance.choice([{"user_id": MALLORY}, {"thread_id": "5"}, {"text": "And then?"}])
    return post("/message", key(INTERNAL if mine == BOT else BOT), known | change)


def session_guess(chance: Random, loot: Loot) -> Spoof:
    theirs, own = loot.sessions["telegram"], loot.sessions["internal"]
    said_md5 = f"telegram{chance.choice(':_-|/')}{BEN}"
    changed = f"{int(theirs, 16) + chance.choice([1, -1, 2, 16]):032x}"
    guess = pick(
        chance, theirs,
        [
            theirs.upper(), own.upper(), own[:-1], own + "0", changed,
            f"{chance.getrandbits(128):032x}", "%00", "1", "0",
            hashlib.md5(said_md5.encode(), usedforsecurity=False).hexdigest(),
            f"{own}%20", f"%20{own}", f"..%2Fsession%2F{theirs}", f"{own};{theirs}", "*", "null",
            f"{own}%0a{theirs}", f"{theirs}%23{own}", "'%20OR%201=1--", f"0x{theirs}",
        ]
    )  # fmt: skip
    return Spoof("GET", f"/session/{guess}", key(INTERNAL)[:1], b"", REFUSED)


def listing(chance: Random, _: Loot) -> Spoof:
    """Ask for the rows of others; they come without anything, or not at all."""
    asked = chance.choice(
        ["telegram", "Telegram", "telegram&platform=internal", "internal&platform=telegram"]
    )
    where = chance.choice([f"/sessions?platform={asked}", f"/sessions?user_id={BEN}&type=public"])
    return Spoof("GET", where, chance.choice([key(INTERNAL)[:1], []]), b"", REFUSED | {200})


def button(chance: Random, loot: Loot) -> Spoof:
    """Press the button of somebody else, or make up a key."""
    theirs = loot.button
    sent = pick(
        chance, theirs, [theirs.swapcase(), theirs[:-1], theirs + " ", theirs + "\u200b", ""]
    )
    press = {
        "id": str(chance.random()),
        "from": {"id": int(MALLORY), "is_bot": False, "first_name": "M"},
    }
    shown = {
        "message_id": 5,
        "date": 1,
        "chat": {"id": int(MALLORY), "type": "private"},
        "text": "…",
    }
    update = {
        "update_id": chance.randrange(10**9, 10**10),
        "callback_query": press | {"message": shown, "chat_instance": "1", "data": KEY_MARK + sent},
    }
    return post("/webhook/telegram", key(BOT), update, REFUSED | {200})


def delivery(chance: Random, loot: Loot) -> Spoof:
    """Say of a delivery of others that it is done, or where it should go."""
    number = loot.deliveries["telegram"]
    name = pick(
        chance, number,
        [f"0{number}", f"+{number}", f"{number}.0", f"%20{number}", f"{number}%20",
         "".join(chr(0x0660 + int(digit)) for digit in str(number)), -number, number + 2**63,
         f"{number}e0", hex(number), f"{number},{loot.deliveries['internal']}"]
    )  # fmt: skip
    body = {"outcome": chance.choice(["sent", "refused", "later", "placed"]), "message_ids": ["1"]}
    more = {"platform": "telegram"} if chance.random() < 0.2 else {"new_chat_id": MALLORY}
    return post(f"/deliveries/{name}/ack", key(INTERNAL), body | more)


def network(chance: Random, _: Loot) -> Spoof:
    """Look at the network of somebody else."""
    user = chance.choice([BEN, f"telegram/{BEN}", f"{BEN}&user_id=x", "*", "%25", f"{BEN}%00", ""])
    more = chance.choice(["", "&platform=telegram", f"&customer={'a' * 24}&location={'b' * 24}"])
    report = chance.choice(["status", "devices", "check"])
    return Spoof("GET", f"/network/{report}?user_id={user}{more}", key(INTERNAL)[:1], b"", REFUSED)


def rights(chance: Random, loot: Loot) -> Spoof:
    """Claim rights in the message, or use those of an administrator."""
    claim: dict[str, Any] = chance.choice(
        [{"is_admin": True}, {"role": "admin"}, {"session_id": loot.sessions["telegram"]},
         {"metadata": {"admin": True, "session_id": loot.sessions["telegram"]}},
         {"auth_token": BOT}, {"admin": 1}, {"user_name": "admin"}, {"caller": "telegram"}]
    )  # fmt: skip
    words = chance.choice([f"/ban {BEN}", f"/unban {MALLORY}", "/status", f"/forget {BEN}"])
    body = said(words, user_id=MALLORY, chat_id=MALLORY) | claim
    return post("/message", key(INTERNAL), body, REFUSED | {200})


KINDS: tuple[Kind, ...] = (
    other_platform, like_somebody, forged_headers, wrong_door, signature, message_of_others,
    session_guess, listing, button, delivery, network, rights,
)  # fmt: skip
