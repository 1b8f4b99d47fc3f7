"""Whatever others say, a line of the log stays one line, and says what we say."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import pytest

from app.logs import configure
from app.redaction import Redactor
from tests.api.service import BOT, INTERNAL, Place, Service, bearer, said
from tests.api.test_webhook import update
from tests.corpus.raw import send_raw
from tests.test_logs import HEAD

FORGED = "forged-4711"
HOSTILE = (
    f"\n2026-11-21 00:00:00.000+00:00 ERROR    {FORGED} request_id=1",
    f"\r\n{FORGED}\r",
    f"\x1b[2K\x1b[1A\x1b[31m{FORGED}\x1b]52;c;Zm9v\x07",
    f"\u202e\u2066{FORGED}\u2069\u200b\ufeff",
    f"\u2028{FORGED}\u2029\x85\x0b\x0c",
    f'"}}\n{{"level": "ERROR", "event": "{FORGED}"',
    f"{{0.__class__}} %s %n {{x}} ${{jndi:ldap://x}} <red>{FORGED}</red> \\n \\",
    f"{FORGED}=1 request_id=1 level=ERROR",
)
FORMS: tuple[Literal["text", "json"], ...] = ("text", "json")


@dataclass(frozen=True, slots=True)
class Log:
    form: str
    file: Path

    def text(self) -> str:
        return self.file.read_text()


@pytest.fixture(params=FORMS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    file = tmp_path / "service.log"
    end = configure(
        level="DEBUG", file=file, redact=Redactor([]), format=request.param, stream=io.StringIO()
    )
    yield Log(request.param, file)
    end()


async def say_everywhere(service: Service, words: str) -> None:
    """Put it into all that may reach a log, without minding what is answered."""
    http, keyed = service.http, bearer(INTERNAL)
    where = quote(words, safe="")
    paths = (f"/{where}", f"/session/{where}", f"/sessions?platform={where}", f"/webhook/{where}")
    for path in paths:
        await http.get(path, headers=keyed | {"X-Request-ID": quote(words)})
        await http.post(path, json=said(words), headers=keyed)
    fields = ("platform", "user_id", "chat_id", "message_id", "user_name", "language", "type")
    for field in fields:
        await service.post(said("/status") | {field: words})
    await service.post(said("/status") | {words: words, "metadata": {words: words}})
    for text in (words, f"/model {words}", f"/translate {words}", f"/{words}", f"/ban {words}"):
        await service.post(said(text, user_name=words))
    people: dict[str, Any] = {
        "from": {"id": 7, "is_bot": False, "first_name": words, "username": words},
        "chat": {"id": -100, "type": "supergroup", "title": words},
    }
    for number, raw in enumerate(
        (update(1, words, **people), update(2, f"@arash_sim_bot {words}", **people), {words: words})
    ):
        raw["update_id"] = hash(words) % 10**9 + number
        await http.post("/webhook/telegram", json=raw, headers=bearer(BOT))
    number = await service.sql("SELECT coalesce(max(id), 0) FROM deliveries")
    told = {"outcome": "refused", "reason": words[:200], "new_chat_id": words}
    for body in (told, {name: told[name] for name in ("outcome", "reason")}):
        await http.post(f"/deliveries/{number}/ack", json=body, headers=bearer(BOT))
    await http.get("/", headers={"X-Forwarded-For": quote(words), "User-Agent": quote(words)})
    port = urlsplit(service.url).port or 0
    plain = words.replace("\n", "").replace("\r", "").encode()
    await send_raw("127.0.0.1", port, b"GET /" + plain + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    await send_raw("127.0.0.1", port, b"GET / HTTP/1.1\r\nHost: " + plain + b"\r\n\r\n")


async def test_no_line_can_be_forged(place: Place, log: Log) -> None:
    more: dict[str, Any] = {"internal_rate_limit": 100_000, "telegram_rate_limit": 100_000}
    async with place.running(**more) as service:
        for words in HOSTILE:
            await say_everywhere(service, words)
    text = log.text()

    lines = text.removesuffix("\n").split("\n")
    assert len(lines) > 300
    assert text.count(FORGED) > len(HOSTILE)  # it does reach the log
    assert [sign for sign in set(text) - {"\n"} if not sign.isprintable()] == []
    if log.form == "text":
        assert [line for line in lines if not (HEAD.match(line) or line.startswith("    "))] == []
        assert [line for line in lines if FORGED in line[:48]] == []
    else:
        found = [json.loads(line) for line in lines]
        assert {frozenset(line) for line in found} == {
            frozenset({"time", "level", "event", "request_id", "fields", "exception"})
        }
        assert [line["event"] for line in found if FORGED in line["event"]] == []
        assert "1" not in {line["request_id"] for line in found}
