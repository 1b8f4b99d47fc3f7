"""What becomes of a text: cleaned, counted in UTF-16 units, its entities checked.

The verdicts are TDLib's, which is what the Bot API server itself asks. One is stricter: an
entity that ends beyond the text is refused even where TDLib cuts it off at another one.
"""

import re
from itertools import accumulate
from typing import Any
from urllib.parse import urlsplit

from simulator.telegram.failure import Json, bad

MOST_ENTITIES = 100
LONGEST_TEXT = 4096  # UTF-16 units
LONGEST_CAPTION = 1024
PLAIN = {"bold", "italic", "underline", "strikethrough", "spoiler", "code"}
MADE_BY_BOTS = {
    *PLAIN, "pre", "blockquote", "expandable_blockquote", "text_link", "text_mention",
    "custom_emoji", "date_time",
}  # fmt: skip
FOUND_BY_TELEGRAM = {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number",
}  # fmt: skip
QUOTES = {"blockquote", "expandable_blockquote"}
CODE = {"code", "pre"}
_HIGHEST_OF_ONE_UNIT = 0xFFFF
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\u2028\u2029]")
_SCHEMES = {"http", "https", "tg", "ton", "tonsite"}
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)\]'])"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,})"
    r"|(?P<mention>(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}\b)"
    r"|(?P<bot_command>(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/]))"
    r"|(?P<hashtag>(?<!\w)#\w*[^\W\d]\w*)"
    r"|(?P<link>(?<![\w@.])(?:[\w-]+\.)+(?:com|org|net|io|dev|de|ir|uk)\b(?:/[^\s<>\"]*[\w/])?)"
)


def units(text: str) -> int:
    """Return the length in UTF-16 code units, as offsets of entities count."""
    return len(text) + sum(ord(letter) > _HIGHEST_OF_ONE_UNIT for letter in text)


def formatted(text: str, entities: Any, *, longest: int, empty_is_right: bool = False) -> Json:
    """Return `{text, entities}` as Telegram keeps them; without entities if there are none.

    Raises:
        Refused: 400 as Telegram says it.
    """
    asked = [_read(entity) for entity in _listed(entities)]
    kept = _checked(text, asked)[:MOST_ENTITIES]
    text, kept = _cleaned(text, kept)
    if not text and not empty_is_right:
        raise bad("Message text is empty")
    if units(text) > longest:
        too_long = longest == LONGEST_CAPTION
        raise bad("message caption is too long" if too_long else "message is too long")
    kept = _untangled(kept)
    everything = sorted(kept + _found(text, kept), key=_position)
    return {"text": text, **({"entities": everything} if everything else {})}


def _listed(entities: Any) -> list[Any]:
    if entities is None:
        return []
    if not isinstance(entities, list):
        raise bad("can't parse entities: expected an Array of MessageEntity")
    return entities


def _read(entity: Any) -> Json:
    if not isinstance(entity, dict):
        raise bad("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if not isinstance(kind, str) or kind not in MADE_BY_BOTS | FOUND_BY_TELEGRAM:
        raise bad("can't parse MessageEntity: Unsupported type specified")
    if not isinstance(offset, int):
        raise bad('can\'t parse MessageEntity: Field "offset" must be of type Number')
    if not isinstance(length, int):
        raise bad('can\'t parse MessageEntity: Field "length" must be of type Number')
    if kind == "text_link":
        url = entity.get("url")
        return {"type": kind, "offset": offset, "length": length, "url": url_of(str(url or ""))}
    more = {"pre": ("language",), "date_time": ("unix_time", "date_time_format")}
    more |= {"text_mention": ("user",), "custom_emoji": ("custom_emoji_id",)}
    extra = {name: entity[name] for name in more.get(kind, ()) if entity.get(name)}
    return {"type": kind, "offset": offset, "length": length, **extra}


def url_of(url: str, *, what: str = "Entity URL") -> str:
    """Return the address as Telegram keeps it.

    Raises:
        Refused: Telegram takes only hosts with a dot, and `tg:` links.
    """

    def wrong(why: str) -> Exception:
        return bad(f"{what} '{url}' is invalid: {why}")

    scheme = url.partition(":")[0].lower() if re.match(r"[A-Za-z][\w+.-]*:(//|[^\d])", url) else ""
    if scheme in {"tg", "ton", "tonsite"}:
        return url
    if "://" in url and scheme not in _SCHEMES:
        raise wrong("Unsupported URL protocol")
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        host = parts.hostname or ""
    except ValueError:
        raise wrong("Wrong HTTP URL") from None
    if not host:
        raise wrong("URL host is empty")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise wrong("Wrong port number specified in the URL")
    if "." not in host.rstrip(".") or not re.fullmatch(r"[\w.-]+", host):
        raise wrong("Wrong HTTP URL")
    rest = whole.partition("://")[2].partition(parts.netloc)[2]
    slash = "" if rest.startswith("/") else "/"
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{slash}{rest}".replace(" ", "%20")


def _position(entity: Json) -> tuple[int, int]:
    return entity["offset"], -entity["length"]


def _checked(text: str, asked: list[Json]) -> list[Json]:
    """Drop what is empty or found by Telegram anyway.

    Raises:
        Refused: an entity leaves the text, or cuts a character of two units.
    """
    ends = list(accumulate((units(letter) for letter in text), initial=0))
    edges, end = set(ends), ends[-1]
    kept = []
    for entity in sorted(asked, key=_position):
        first, length = entity["offset"], entity["length"]
        last = first + length
        if first < 0:
            raise bad(f"Receive an entity with incorrect offset {first}")
        if length < 0:
            raise bad(f"Receive an entity with incorrect length {length}")
        if not length:
            continue
        if first > end:
            raise bad(f"Entity begins after the end of the text at UTF-16 offset {first}")
        begins = f"Entity beginning at UTF-16 offset {first}"
        if last > end:
            raise bad(f"{begins} ends after the end of the text at UTF-16 offset {last}")
        if first not in edges:
            raise bad(f"Entity begins in a middle of a UTF-16 symbol at UTF-16 offset {first}")
        if last not in edges:
            raise bad(f"{begins} ends in a middle of a UTF-16 symbol at UTF-16 offset {last}")
        if entity["type"] not in FOUND_BY_TELEGRAM:
            kept.append(entity)
    return kept


def _cleaned(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Trim, drop carriage returns, blank control characters, and move the entities along."""
    plain = _CONTROL.sub(" ", text)
    stripped = plain.strip()
    left = plain.index(stripped) if stripped else len(plain)
    right = left + len(stripped)
    news, new, kept = [0], 0, []
    for at, letter in enumerate(plain):
        if left <= at < right and letter != "\r":
            new += units(letter)
            kept.append(letter)
        news.extend([new] * units(letter))
    moved = []
    for entity in entities:
        first, last = news[entity["offset"]], news[entity["offset"] + entity["length"]]
        if last > first:
            moved.append(entity | {"offset": first, "length": last - first})
    return "".join(kept), moved


def _untangled(entities: list[Json]) -> list[Json]:
    """Let no entity be inside code, no quote inside a quote, and none be there twice."""
    kept: list[Json] = []
    for entity in sorted(entities, key=lambda it: (*_position(it), it["type"] not in CODE)):
        first, last = entity["offset"], entity["offset"] + entity["length"]

        def around(other: Json, first: int = first, last: int = last) -> bool:
            end: int = other["offset"] + other["length"]
            begin: int = other["offset"]
            return begin <= first and last <= end

        swallowed = any(
            around(other)
            and (
                other["type"] in CODE
                or other["type"] == entity["type"]
                or (other["type"] in QUOTES and entity["type"] in QUOTES)
            )
            for other in kept
        )
        if not swallowed:
            kept.append(entity)
    return kept


def _found(text: str, made: list[Json]) -> list[Json]:
    """Find commands, mentions and addresses, as every client of Telegram shows them."""
    taken = [
        (it["offset"], it["offset"] + it["length"])
        for it in made
        if it["type"] in CODE | {"text_link", "text_mention"}
    ]
    found: list[Json] = []
    for match in _FOUND.finditer(text):
        kind = match.lastgroup or "url"
        first = units(text[: match.start()])
        last = first + units(match[0])
        if any(begin < last and first < end for begin, end in taken):
            continue
        kind = "url" if kind == "link" else kind
        if kind == "url" and "." not in (urlsplit(match[0]).netloc or match[0]):
            continue
        found.append({"type": kind, "offset": first, "length": last - first})
    return found
