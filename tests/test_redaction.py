import base64
import hashlib
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.redaction import MARKER, Redactor, withhold


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PAIR = b64("partner-id:s3cr3t-pa55w0rd")
LONG = "QWxhZGRpbk9wZW5TZXNhbWU0Mg"
OR_KEY = "sk-or-v1-" + "0123456789abcdef" * 4
# Made up, and put together here so that no scanner takes it for a real one.
BOT_TAIL = "AAHdqTcvCH1vGWJxf" + "SeofSAs0K5PALDsaw1"
BOT = f"123456789:{BOT_TAIL}"
UUID = "0193c1f4-7d2a-7c3b-9f5e-1a2b3c4d5e6f"
SHA256 = hashlib.sha256(b"").hexdigest()
JWT = ".".join(
    (b64('{"alg":"HS256","typ":"JWT"}').rstrip("="), b64('{"sub":"1"}' * 3), "Zm9v" * 11)
)

CREDENTIALS = {
    "basic": (f"Authorization: Basic {PAIR}", "Authorization: Basic [withheld]"),
    "basic, lower case": (f"use basic {PAIR} please", "use basic [withheld] please"),
    "basic, in quotes": (f'"basic": "{PAIR}"', '"basic": "[withheld]"'),
    "basic, in code": (f"Basic `{PAIR}`", "Basic `[withheld]`"),
    "basic, next line": (f"Basic\n{PAIR}", "Basic\n[withheld]"),
    "basic, exactly 20": ("Basic " + "aB3/" * 5, "Basic [withheld]"),
    "basic, url": (f"Basic%20{PAIR}", "Basic%[withheld]"),
    "basic, form": (f"auth=Basic+{PAIR}", "auth=Basic+[withheld]"),
    "basic, json escape": (f"Basic\\n{PAIR}", "Basic\\n[withheld]"),
    "basic, json code": (f"Basic\\u0020{PAIR}", "Basic\\u0020[withheld]"),
    "basic, not a pair": (f"Basic {LONG}", "Basic [withheld]"),
    "bearer": (f"Bearer {LONG}", "Bearer [withheld]"),
    "bearer, letters only": ("Bearer abcdefghijklmnopqrstuvwxyz", "Bearer [withheld]"),
    "bearer, web token": (f"BEARER {JWT}.", "BEARER [withheld]."),
    "web token alone": (f"token {JWT} end", "token [withheld] end"),
    "bearer, uuid": (f"Bearer {UUID}", "Bearer [withheld]"),
    "pair": (f"here: {PAIR}!", "here: [withheld]!"),
    "pair, padded to 24": (b64("id:sixteen-chars"), MARKER),
    "pair, unpadded": (b64("ab:cdefghijklmnopqrs").rstrip("="), MARKER),
    "pair, url-safe": (b64("user:~~~???>>>~~~").translate(str.maketrans("+/", "-_")), MARKER),
    "pair, Persian": (b64("کاربر:گذرواژه‌ی"), MARKER),
    "pair, in a path": (f"/v1/{PAIR}/x", "/v1/[withheld]/x"),
    "pair, in a query": (f"https://h.example/?a={PAIR}&b=1", "https://h.example/?a=[withheld]&b=1"),
    "pair, among Persian": (f"کلید{PAIR}است", "کلید[withheld]است"),
    "openrouter": (f"my key is {OR_KEY}.", "my key is [withheld]."),
    "anthropic": ("sk-ant-api03-" + "aB3_-" * 19, MARKER),
    "openai": ("key=sk-" + "a1B2" * 12, "key=[withheld]"),
    "openai project": ("sk-proj-" + "Ab1Cd2Ef3Gh4Ij5Kl6", MARKER),
    "short key": ("sk-" + "1234abcd" * 2, MARKER),
    "letters-only key": ("sk-" + "abcdefghijklmnopqrstuvwx", MARKER),
    "two keys": (f"{OR_KEY} and {OR_KEY}", "[withheld] and [withheld]"),
    "bot token": (f"token {BOT}", "token [withheld]"),
    "bot token, url": (
        f"https://x.example/bot{BOT}/getMe",
        "https://x.example/bot[withheld]/getMe",
    ),
    "bot token, quoted": (quote(BOT, safe=""), MARKER),
    "bot token, sentence": (f"It is {BOT}, keep it", "It is [withheld], keep it"),
}

NEAR_MISSES = {
    "nothing": "",
    "blanks": " \n\t ",
    "basic knowledge": "Basic knowledge of networking is enough",
    "basic, dashes": "a basic state-of-the-art-installation-guide",
    "bearer of bad news": "I am the bearer of bad news",
    "bearer, 19": "Bearer " + "a" * 19,
    "another word": f"NonBasic {LONG}",
    "sha256": SHA256,
    "docker digest": f"sha256:{SHA256}",
    "uuid": UUID,
    "base64 without a colon": b64("no colon stands in this long sentence"),
    "base64, colon at an end": b64(":colons at the ends only:"),
    "base64 pair, too short": b64("user:password12"),
    "base64 of bytes": base64.b64encode(bytes(range(100, 200))).decode(),
    "task": "task-management-for-everybody-2024",
    "task with a number": "task-0123456789abcdef0123456789abcdef",
    "sk in words": "sk-learn-contributors-and-documentation",
    "sk with a year": "sk-learn-release-notes-of-2024",
    "sk short": "sk-1234",
    "url": "https://api.example.com/reports/Customers/5f0c/locations/123456/wanStats?period=daily",
    "long path": "/usr/local/lib/python3/site-packages/somewhere/else",
    "model": "anthropic/claude-sonnet-4 deepseek/deepseek-chat-v3-0324",
    "mac": "AA:BB:CC:DD:EE:FF 2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "time": "2026-01-02T03:04:05.678901+00:00",
    "bot token, a character short": BOT[:-1],
    "bot token, a character long": BOT + "x",
    "bot id too short": "1234:" + BOT_TAIL,
    "Persian": "سلام، وضعیت اینترنت خانه‌ی ما چطور است؟ لطفاً بررسی کنید." * 4,
    "Chinese": "请检查我们家的互联网连接状态" * 10,
    "German": "Donaudampfschifffahrtsgesellschaftskapitän",
}


@pytest.mark.parametrize(("text", "shown"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_credential_is_withheld_and_the_rest_stays(text: str, shown: str) -> None:
    assert withhold(text) == (shown, True)


@pytest.mark.parametrize("text", NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_what_only_resembles_a_credential_stays(text: str) -> None:
    assert withhold(text) == (text, False)


@pytest.mark.parametrize("secret", [PAIR, OR_KEY, BOT, f"Bearer {LONG}"])
@pytest.mark.parametrize(
    "frame", ["{}", "\n{}\n", "a {} b", "«{}»", '{{"a":"{}"}}', "x={};", "({})"]
)
def test_a_credential_is_found_in_any_frame(secret: str, frame: str) -> None:
    text, found = withhold(frame.format(secret))

    assert found
    assert secret.rsplit(maxsplit=1)[-1] not in text


@given(st.text(st.sampled_from("sk-bearicBER:=+/%\\.~09azAZ_ \n"), max_size=300))
def test_what_was_withheld_stays_withheld(text: str) -> None:
    once, found = withhold(text)

    assert found == (MARKER in once)
    assert withhold(once)[0].count(MARKER) >= once.count(MARKER)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60))
def test_a_log_line_of_json_stays_json(before: str, after: str, value: str) -> None:
    line = json.dumps({"event": f"{before}\n{PAIR}", "v": f"Basic\t{LONG} {after}", "w": value})

    shown = withhold(line)[0]

    assert json.loads(shown)["w"] == value
    assert PAIR not in shown
    assert LONG not in shown


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "sk-",
        "sk-a/",
        "a" * 18 + " ",
        "a" * 19 + " ",
        "Basic ",
        "Basic+",
        "bearer" + " " * 9,
        "1234567:",
        "a-",
        "a.",
        "a/",
        "eyJh.",
        "\\",
        "\\u0041",
        "dXNlcjpwYXNzd29yZHBhc3N3b3Jk/",
        "sk-" + "a" * 19 + "-",
        "%3A",
    ],
)
def test_a_megabyte_of_hostile_text_takes_less_than_a_second(piece: str) -> None:
    text = "Basic " + (piece * (2**20 // len(piece) + 1))[: 2**20] + "!"
    began = time.process_time()

    withhold(text)

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "secret", ["correct horse/battery?staple", 'with "quotes" & \\slashes\\', "رمز عبور"]
)
def test_a_known_secret_is_withheld_in_every_spelling(secret: str) -> None:
    redact = Redactor([secret])
    spellings = [secret, b64(secret), quote(secret), quote(secret, safe=""), json.dumps(secret)]

    for spelling in spellings:
        shown = redact(f"x={spelling};")

        assert spelling.strip('"') not in shown
        assert MARKER in shown


def test_the_lines_of_a_long_secret_are_withheld_one_by_one() -> None:
    redact = Redactor(["-----BEGIN KEY-----\nfirst line of it\nsecond line of it"])

    assert redact("    second line of it") == "    " + MARKER


def test_of_two_secrets_that_share_a_beginning_nothing_is_left_over() -> None:
    redact = Redactor(["common-start", "common-start-and-tail"])

    assert redact("common-start-and-tail") == MARKER


def test_a_value_too_short_to_be_a_secret_is_left_alone() -> None:
    assert Redactor(["info", ""])("info stays") == "info stays"


def test_a_redactor_does_not_show_what_it_looks_for() -> None:
    assert "horse" not in repr(Redactor(["correct horse battery"]))
