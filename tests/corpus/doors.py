"""Requests for the wrong path, by the wrong method, with the wrong key."""

from urllib.parse import unquote

from tests.corpus.endpoints import Endpoint
from tests.corpus.requests import CANARY, Bad, Expected, always, locked, missing

_ABSENT = (
    "/nope",
    "/.env",
    "/.git/config",
    "/admin",
    "/message/",
    "/%6dessages",
    "/health%00",
    "/%ff",
    "/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/static/../../etc/passwd",
    "/wp-login.php",
    "/{session_id}",
    "/session",
    "/session/",
    "/session/a/b",
    "/session/%2e%2e/stats",
    "/session/..%2fstats",
    "/session/" + "a" * 3000,
    "/session/%00",
    "/session/%ff%fe",
    "/session/absent'%20OR%20'1'='1",
)


def _path(name: str, form: str) -> Bad:
    return Bad(
        name, lambda endpoint: endpoint.request(path=form.format(endpoint.path)), always(404)
    )


def _absent(path: str) -> Bad:
    def status(endpoint: Endpoint) -> int:
        # What one route leaves to another by its method only is refused by the method.
        known = unquote(path)
        sessions = known.startswith("/session/") and known.count("/") == 2 and known[9:] != ""
        return 405 if sessions and endpoint.method not in {"GET", "DELETE"} else 404

    def raw(endpoint: Endpoint) -> bytes:
        key = b"Authorization: Bearer " + endpoint.keys.admin.encode()
        return endpoint.request(path=path, key=key)

    return Bad(f"path {path[:40]}", raw, status)


def _method(method: str) -> Bad:
    return Bad(
        f"method {method}",
        lambda endpoint: endpoint.request(method=method),
        always(405),
        fits=lambda endpoint: method not in endpoint.methods,
    )


def _key(name: str, line: bytes, *more: bytes, expect: Expected = locked) -> Bad:
    """Make a case of other key headers; `{key}` is the right key."""

    def raw(endpoint: Endpoint) -> bytes:
        right = endpoint.key.encode()
        first, *rest = (part.replace(b"{key}", right) for part in (line, *more))
        return endpoint.request(*rest, key=first)

    return Bad(name, raw, expect)


def _upper(endpoint: Endpoint) -> bytes:
    return endpoint.request(path=endpoint.path.upper())


def _in_query(endpoint: Endpoint) -> bytes:
    return endpoint.request(
        path=f"{endpoint.path}?api_key={endpoint.key}&{endpoint.query}", key=b""
    )


def _shorter(endpoint: Endpoint) -> bytes:
    return endpoint.request(key=b"Authorization: Bearer " + endpoint.key[:-1].encode())


def _upper_key(endpoint: Endpoint) -> bytes:
    return endpoint.request(key=b"Authorization: Bearer " + endpoint.key.swapcase().encode())


def _common_key(endpoint: Endpoint) -> bytes:
    return endpoint.request(key=b"Authorization: Bearer " + endpoint.keys.key.encode())


def _before_key(name: str, body: bytes, *, kind: bytes = b"Content-Type: application/json") -> Bad:
    return Bad(
        f"no key, and {name}",
        lambda endpoint: endpoint.request(body=body, kind=kind, key=b""),
        missing,
        fits=lambda endpoint: endpoint.door in {"key", "admin"},
    )


PATHS = (
    *map(_absent, _ABSENT),
    _path("a slash at the end", "{}/"),
    _path("a slash more at the start", "/{}"),
    _path("a dot at the start", "/.{}"),
    _path("two dots at the start", "/x/..{}"),
    _path("coded dots at the start", "/%2e%2e{}"),
    _path("a coded slash at the end", "{}%2f"),
    _path("a coded zero at the end", "{}%00"),
    _path("a parameter at the end", "{};a=b"),
    _path("a backslash at the start", "/\\{}"),
    Bad(
        "upper case",
        _upper,
        always(404),
        fits=lambda endpoint: endpoint.path != "/",
    ),
)

METHODS = tuple(
    map(
        _method,
        ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "LOCK"),
    )
)

KEYS = (
    _key("no key", b"", expect=missing),
    _key("an empty header", b"Authorization:"),
    _key("a scheme alone", b"Authorization: Bearer"),
    _key("a scheme and a blank", b"Authorization: Bearer "),
    _key("a key without a scheme", b"Authorization: {key}"),
    _key("another scheme", b"Authorization: Basic {key}"),
    _key("an unknown scheme", b"Authorization: Token {key}"),
    _key("a wrong key", b"Authorization: Bearer " + CANARY.encode()),
    _key("two keys", b"Authorization: Bearer {key}", b"Authorization: Bearer {key}"),
    _key("two keys, one wrong", b"Authorization: Bearer {key}", b"Authorization: Bearer x"),
    _key("two keys in one line", b"Authorization: Bearer {key}, Bearer {key}"),
    _key("two words for a key", b"Authorization: Bearer {key} {key}"),
    _key("a key in quotes", b'Authorization: Bearer "{key}"'),
    _key("a key and more", b"Authorization: Bearer {key}x"),
    _key("raw bytes for a key", b"Authorization: Bearer \xff\xfe\xd9\xa0"),
    _key("a raw byte in the key", b"Authorization: Bearer {key}\xa0"),
    _key("a key of 8 KB", b"Authorization: Bearer " + b"a" * 8000),
    _key("SQL for a key", b"Authorization: Bearer ' OR '1'='1"),
    _key("a template for a key", b"Authorization: Bearer {{7*7}}%s${x}"),
    _key("null for a key", b"Authorization: Bearer null"),
    _key("a key in another header", b"X-API-Key: {key}", expect=missing),
    _key("a key in a cookie", b"Cookie: Authorization=Bearer%20{key}", expect=missing),
    _key("a key in a proxy's header", b"Proxy-Authorization: Bearer {key}", expect=missing),
    Bad("a key in the query", _in_query, missing),
    Bad("most of the key", _shorter, locked),
    Bad("the key in other case", _upper_key, locked),
    Bad("a key for less", _common_key, always(403), lambda endpoint: endpoint.door == "admin"),
    _before_key("no JSON", b"{" + CANARY.encode()),
    _before_key("another type", b"{}", kind=b"Content-Type: text/plain"),
    _before_key("a large body", b" " * 300_000),
    _before_key("no UTF-8", b"\xff"),
)

CASES = (*PATHS, *METHODS, *KEYS)
