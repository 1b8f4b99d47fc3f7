"""What looks like a credential, and its removal.

The same function keeps pasted secrets from the model and from the database, and is the
second net under the log.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARKER = "[withheld]"

# Shorter values would blot out ordinary words of the log.
SHORTEST_SECRET = 8

# The shortest thing found below is `sk-` and 16 more.
_SHORTEST_RUN = 19
_SHORTEST_TOKEN = 20
_SHORTEST_PAIR = 24
_LOOK_BACK = 40

# A run is taken whole and never given back, so each character is looked at once. Dots join
# the parts of a JSON web token, of which the last one alone looks like nothing.
_RUN = re.compile(r"[A-Za-z0-9+/_-]{19,}+(?:[.~][A-Za-z0-9+/_-]++)*+={0,2}")
_SCHEME = re.compile(r"(?<![a-z])(?:basic|bearer)[\s:=\"'`*%\\]{1,8}$", re.IGNORECASE)
_JOINED_SCHEME = re.compile(r"(?:basic|bearer)\+(?=.{20})", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9+/]{20}")
_WORDS = re.compile(r"[A-Za-z]++(?:[/_.-]++[A-Za-z]++)++")
_ESCAPE = re.compile(r"u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.")
_BOT_ID = re.compile(r"[0-9]{5,20}[:%]$")
_BOT_SECRET = re.compile(r"(?:3[Aa])?([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])")
_API_KEY = re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}+")
# Words joined by dashes are no key: a key has a long part that no dictionary has.
_KEY_PART = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z]*+[0-9])[A-Za-z0-9]{12}|[A-Za-z]{20}|^(?=[A-Za-z_-]*+[0-9]).{40}"
)
_PART = re.compile(r"[A-Za-z0-9+]{22,}+={0,2}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]++={0,2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_URL_SAFE = str.maketrans("-_", "+/")


def withhold(text: str) -> tuple[str, bool]:
    """Return `text` with each credential replaced by `[withheld]`, and whether there was one.

    A credential is: 20 or more base64 characters after `Basic` or `Bearer`; 24 or more of them
    that decode to `x:y`; an API key `sk-…`; a Telegram bot token. The time is linear in the
    length of the text.
    """
    # Every credential is a long word, and most texts have none: this costs a tenth of the rest.
    if max(map(len, text.split()), default=0) < _SHORTEST_RUN:
        return text, False
    return _withhold(text)


def _withhold(text: str) -> tuple[str, bool]:
    pieces: list[str] = []
    kept = 0
    for match in _RUN.finditer(text):
        start, end = match.span()
        if span := _secret(text[max(kept, start - _LOOK_BACK) : start], match[0]):
            pieces += (text[kept : start + span[0]], MARKER)
            kept = min(end, start + span[1])
    if not pieces:
        return text, False
    return "".join((*pieces, text[kept:])), True


def _secret(before: str, run: str) -> tuple[int, int] | None:
    """Return where in `run` the secret lies. The start is negative where it lies before."""
    # Each log line ends with the id of its request: most runs are one.
    if _UUID.fullmatch(run) and not _SCHEME.search(before):
        return None
    skip = _escaped(before, run)
    word = run[skip:]
    found = _after_scheme(before, word) or _bot_token(before, word) or _api_keys(word)
    if not found:
        found = (0, len(word)) if _is_pair(word) else _inner_pairs(word)
    return (found[0] + skip, found[1] + skip) if found else None


def _escaped(before: str, run: str) -> int:
    r"""Return how much of `run` ends an escape such as `\n`, as log lines and JSON have them."""
    slashes = len(before) - len(before.rstrip("\\"))
    escape = _ESCAPE.match(run) if slashes % 2 else None
    return escape.end() if escape else 0


def _after_scheme(before: str, run: str) -> tuple[int, int] | None:
    start = 0
    if joined := _JOINED_SCHEME.match(run):
        start = joined.end()
    elif not _SCHEME.search(before):
        return None
    token = run[start:]
    if len(token) < _SHORTEST_TOKEN or (_WORDS.fullmatch(token) and not _TOKEN.search(token)):
        return None
    return start, len(run)


def _bot_token(before: str, run: str) -> tuple[int, int] | None:
    number, secret = _BOT_ID.search(before), _BOT_SECRET.match(run)
    if not number or not secret or before.endswith("%") != (secret.start(1) > 0):
        return None
    return -len(number[0]), secret.end()


def _api_keys(run: str) -> tuple[int, int] | None:
    keys = [key.span() for key in _API_KEY.finditer(run) if _KEY_PART.search(key[0][3:])]
    return (keys[0][0], keys[-1][1]) if keys else None


def _inner_pairs(run: str) -> tuple[int, int] | None:
    """Find a pair that a path or a name runs into."""
    pairs = [part.span() for part in _PART.finditer(run) if _is_pair(part[0])]
    if not pairs:
        return None
    # A JSON web token begins with two pairs and ends with a signature that looks like nothing.
    return pairs[0][0], len(run) if run.startswith("eyJ") else pairs[-1][1]


def _is_pair(run: str) -> bool:
    """Tell whether `run` is base64 of a text with a colon inside, padded or not."""
    bare = run.rstrip("=").translate(_URL_SAFE)
    padded = bare + "=" * (-len(bare) % 4)
    if len(padded) < _SHORTEST_PAIR or not _BASE64.fullmatch(padded):
        return False
    try:
        text = binascii.a2b_base64(padded).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in text[1:-1] and not _CONTROL.search(text)


class Redactor:
    """Take out known secrets in all their spellings, and whatever looks like a credential.

    Values of fewer than 8 characters are not looked for. Called for each finished log line.
    """

    __slots__ = ("_spellings",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {form for secret in secrets for form in _spellings(secret)}
        # Longest first: a spelling may hold another one.
        self._spellings = tuple(sorted(spellings, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"Redactor({len(self._spellings)} spellings)"

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MARKER)
        # A log line has a long word nearly always.
        return _withhold(text)[0]


def _spellings(secret: str) -> set[str]:
    whole = {secret, *secret.splitlines()}
    raw = secret.encode(errors="surrogatepass")
    whole |= {
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }
    forms = set[str]()
    for form in whole:
        encoded = form.encode(errors="surrogatepass")
        forms |= {
            form,
            quote(encoded),
            quote(encoded, safe=""),
            quote_plus(encoded),
            json.dumps(form)[1:-1],
            json.dumps(form, ensure_ascii=False)[1:-1],
            repr(form)[1:-1],
        }
    return {form for form in forms if len(form.strip()) >= SHORTEST_SECRET}
