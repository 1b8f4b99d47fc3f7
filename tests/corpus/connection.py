"""Requests that are wrong before any endpoint is asked, and odd ones that are not."""

from dataclasses import replace

from tests.corpus.endpoints import Endpoint
from tests.corpus.requests import CANARY, Bad, Expected, always, usual

REFUSED = always(400)


def _fixed(name: str, raw: bytes, status: int = 400) -> Bad:
    return Bad(name, lambda _: raw, always(status))


def _start(name: str, line: str, status: int = 400) -> Bad:
    """Make a case of another first line."""

    def raw(endpoint: Endpoint) -> bytes:
        first = line.format(method=endpoint.method, path=endpoint.target)
        return first.encode("latin-1") + endpoint.request().partition(b"\r\n")[2]

    return Bad(name, raw, always(status))


def _header(name: str, *lines: bytes, expect: Expected = REFUSED) -> Bad:
    return Bad(name, lambda endpoint: endpoint.request(*lines), expect)


def _host(name: str, line: bytes | None, *more: bytes) -> Bad:
    return Bad(name, lambda endpoint: endpoint.request(*more, host=line), REFUSED)


def _framed(name: str, *lines: bytes, body: bytes = b"{}") -> Bad:
    """Make a case of a body whose length is told by `lines` alone."""
    return Bad(name, lambda endpoint: endpoint.request(*lines, body=body, length=False), REFUSED)


def _chunked(name: str, body: bytes) -> Bad:
    return _framed(name, b"Transfer-Encoding: chunked", body=body)


def _awaited(case: Bad) -> Bad:
    """Leave out endpoints without a body: they may have answered before its end is due."""
    return replace(case, fits=lambda endpoint: endpoint.wants_body)


def _good_chunks(name: str, form: bytes) -> Bad:
    """Make a case of a good body in chunks: `%x` is its size, `%b` the body."""

    def raw(endpoint: Endpoint) -> bytes:
        body = endpoint.message()
        return endpoint.request(
            b"Transfer-Encoding: chunked", body=form % (len(body), body), length=False
        )

    return Bad(name, raw, usual)


NO_HTTP = (
    _fixed("words", b"hello there\r\n\r\n"),
    _fixed("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    _fixed("zeros", b"\0" * 64),
    _fixed("an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n"),
    _fixed("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _fixed("a bare method", b"GET\r\n\r\n"),
    _fixed("a reply", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    _fixed("a SOCKS hello", b"\x05\x01\x00"),
    _fixed("JSON", b'{"platform": "internal"}\r\n\r\n'),
    _fixed("a proxy line", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1\r\n\r\n"),
)

FIRST_LINES = (
    _start("HTTP/0.9", "{method} {path}\r\n"),
    _start("HTTP/1.2", "{method} {path} HTTP/1.2\r\n"),
    _start("HTTP/2.0", "{method} {path} HTTP/2.0\r\n"),
    _start("HTTP/3.0", "{method} {path} HTTP/3.0\r\n"),
    _start("HTTP/11", "{method} {path} HTTP/11\r\n"),
    _start("no version number", "{method} {path} HTTP/\r\n"),
    _start("another protocol", "{method} {path} HTTX/1.1\r\n"),
    _start("an unknown method", "FROBNICATE {path} HTTP/1.1\r\n"),
    _start("a lower-case method", "get {path} HTTP/1.1\r\n"),
    _start("a tab behind the method", "{method}\t{path} HTTP/1.1\r\n"),
    _start("a space in the path", "{method} {path} x HTTP/1.1\r\n"),
    _start("a zero in the path", "{method} {path}\0 HTTP/1.1\r\n"),
    _start("a raw byte in the path", "{method} {path}\xff HTTP/1.1\r\n"),
    _start("a control character in the query", "{method} {path}?a=\x01 HTTP/1.1\r\n"),
    _start("no path", "{method} HTTP/1.1\r\n"),
    _start("a path without a slash", "{method} health HTTP/1.1\r\n"),
    _start("a full address without a path", "{method} http://localhost HTTP/1.1\r\n"),
    _start("a bare LF", "{method} {path} HTTP/1.1\n"),
    _start("a bare CR", "{method} {path} HTTP/1.1\r"),
    _start("an address of 4,097 bytes", "{method} {path}?" + "a" * 4096 + " HTTP/1.1\r\n", 414),
    _start("an address of 60 KB", "{method} /" + "a" * 60_000 + " HTTP/1.1\r\n", 414),
    _start("a tunnel", "CONNECT localhost:443 HTTP/1.1\r\n", 405),
)

HEADERS = (
    _header("a blank before the colon", b"X-Odd : a"),
    _header("no name", b": a"),
    _header("no colon", b"X-Odd"),
    _header("a raw byte in a name", b"X-\xe9: a"),
    _header("a blank in a name", b"X Odd: a"),
    _header("a zero in a value", b"X-Odd: a\0b"),
    _header("a control character in a value", b"X-Odd: a\x01b"),
    _header("a bare CR in a value", b"X-Odd: a\rb"),
    _header("a bare LF in a value", b"X-Odd: a\nX-Other: b"),
    _header("a folded value", b"X-Odd: a\r\n b"),
    _header("65 headers", *[b"X-Odd: a"] * 65, expect=always(431)),
    _header("10,000 headers", *[b"X: a"] * 10_000, expect=always(431)),
    _header("one header of 17 KB", b"X-Odd: " + b"a" * 17_000, expect=always(431)),
    _header("a name of 17 KB", b"X" * 17_000 + b": a", expect=always(431)),
    _header("17 headers of 1 KB", *[b"X-Odd: " + b"a" * 1024] * 17, expect=always(431)),
    _header("a header of 2 MB", b"X-Odd: " + b"a" * 2_000_000, expect=always(431)),
    _header("a key of 17 KB", b"X-Key: " + CANARY.encode() * 1500, expect=always(431)),
    _header("cookies of 17 KB", b"Cookie: a=" + b"a" * 17_000, expect=always(431)),
    _fixed("a header without end", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 50_000, 431),
)

HOSTS = (
    _host("no host", None),
    _host("an empty host", b"Host:"),
    _host("two hosts", b"Host: a", b"Host: b"),
    _host("one host twice", b"Host: a", b"Host: a"),
    _host("a host with a path", b"Host: a/b"),
    _host("a host with a question", b"Host: a?b"),
    _host("a host with a user", b"Host: a@b"),
    _host("a host with a blank", b"Host: a b"),
    _host("two hosts in one line", b"Host: a, b"),
    _host("a host with a raw byte", b"Host: \xff"),
    _host("a port that is none", b"Host: a:b"),
    _host("a port of seven digits", b"Host: a:1234567"),
    _host("half an IPv6 address", b"Host: [::1"),
    _host("an address for a host", b"Host: http://a"),
    _host("a host of 300 letters", b"Host: " + b"a" * 300),
)

LENGTHS = (
    _framed("two lengths", b"Content-Length: 2", b"Content-Length: 2"),
    _framed("two different lengths", b"Content-Length: 2", b"Content-Length: 1"),
    _framed("two lengths in one line", b"Content-Length: 2, 2"),
    _framed("two lengths with a blank", b"Content-Length: 2 2"),
    _framed("a length with a plus", b"Content-Length: +2"),
    _framed("a length below zero", b"Content-Length: -2"),
    _framed("a hexadecimal length", b"Content-Length: 0x2"),
    _framed("a length with a point", b"Content-Length: 2.0"),
    _framed("a length in words", b"Content-Length: two"),
    _framed("an empty length", b"Content-Length: "),
    _framed("a length beyond 64 bit", b"Content-Length: 99999999999999999999999"),
    _framed("a length and chunks", b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    _framed("chunks and a length", b"Transfer-Encoding: chunked", b"Content-Length: 2"),
    _framed("gzip as the only transfer", b"Transfer-Encoding: gzip"),
    _framed("gzip before chunks", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    _framed("chunks before identity", b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    _framed("identity", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    _framed("an unknown transfer", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    _framed("chunks, quoted", b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    _framed("chunks behind a vertical tab", b"Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
    _framed("chunks twice", *[b"Transfer-Encoding: chunked"] * 2, body=b"0\r\n\r\n"),
    Bad(
        "chunks in HTTP/1.0",
        lambda endpoint: endpoint.request(
            b"Transfer-Encoding: chunked", body=b"0\r\n\r\n", version="HTTP/1.0", length=False
        ),
        always(400),
    ),
)

CHUNKS = (
    _chunked("a size that is none", b"zz\r\n{}\r\n0\r\n\r\n"),
    _chunked("an empty size", b"\r\n{}\r\n0\r\n\r\n"),
    _chunked("a size below zero", b"-2\r\n{}\r\n0\r\n\r\n"),
    _chunked("a size with 0x", b"0x2\r\n{}\r\n0\r\n\r\n"),
    _chunked("a size beyond 64 bit", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    _chunked("a size with a blank", b"2 \r\n{}\r\n0\r\n\r\n"),
    _chunked("a size with a bare LF", b"2\n{}\r\n0\r\n\r\n"),
    _chunked("more than the size", b"2\r\n{}}}\r\n0\r\n\r\n"),
    _chunked("no line behind the chunk", b"2\r\n{}0\r\n\r\n"),
    *map(
        _awaited,
        (
            _chunked("an extension without end", b"2;" + b"a" * 600_000),
            _chunked("a trailer without end", b"2\r\n{}\r\n0\r\nX-Odd: " + b"a" * 600_000),
        ),
    ),
)

ODD_BUT_GOOD = (
    _header("a range", b"Range: bytes=0-1", expect=usual),
    _header("many ranges", b"Range: bytes=" + b"0-1," * 500, expect=usual),
    _header("a condition", b"If-None-Match: *", expect=usual),
    _header("a condition by date", b"If-Modified-Since: yesterday", expect=usual),
    _header("a wish to be asked", b"Expect: 100-continue", expect=usual),
    _header("an unknown wish", b"Expect: the-spanish-inquisition", expect=usual),
    _header("cookies of 8 KB", b"Cookie: a=" + b"a" * 8000, expect=usual),
    _header("a broken cookie", b'Cookie: ;;;=; a="', expect=usual),
    _header("a forged sender", b"X-Forwarded-For: 1.2.3.4, evil, ::1", expect=usual),
    _header("a forged address", b"X-Forwarded-Host: evil.example", expect=usual),
    _header("a forged scheme", b"Forwarded: for=_x;proto=gopher;host=evil", expect=usual),
    _header("another method in a header", b"X-HTTP-Method-Override: DELETE", expect=usual),
    _header("another path in a header", b"X-Original-URL: /admin/clear-sessions", expect=usual),
    _header("another prefix in a header", b"X-Forwarded-Prefix: /../..", expect=usual),
    _header("a request id of its own", b"X-Request-ID: " + b"{%s}\\n" * 50, expect=usual),
    _header("a raw byte in a value", b"X-Odd: \xff\xfe", expect=usual),
    _header("an accept that is none", b"Accept: ;;q=,*/", expect=usual),
    _header("a language that is none", b"Accept-Language: ../../etc/passwd", expect=usual),
    _header("an origin from elsewhere", b"Origin: https://evil.example", expect=usual),
    _header("the end", b"Connection: close", expect=usual),
    _header("a websocket", b"Connection: Upgrade", b"Upgrade: websocket", expect=usual),
    _header("HTTP/2 without TLS", b"Connection: Upgrade", b"Upgrade: h2c", expect=usual),
    _header("trailers, please", b"TE: trailers", expect=usual),
    _good_chunks("chunks", b"%x\r\n%b\r\n0\r\n\r\n"),
    _good_chunks("chunks with an extension", b'%x;a="b"\r\n%b\r\n0\r\n\r\n'),
    _good_chunks("chunks with a key behind", b"%x\r\n%b\r\n0\r\nAuthorization: Bearer x\r\n\r\n"),
    Bad("HTTP/1.0", lambda endpoint: endpoint.request(version="HTTP/1.0"), usual),
    Bad("blank lines before", lambda endpoint: b"\r\n\r\n" + endpoint.request(), usual),
    Bad("words behind", lambda endpoint: endpoint.request() + b"and more\r\n\r\n", usual),
    Bad(
        "a full address",
        lambda endpoint: endpoint.request(path=f"http://evil.example{endpoint.target}"),
        usual,
    ),
    Bad(
        "another method in the query",
        lambda endpoint: endpoint.request(path=f"{endpoint.path}?_method=DELETE&{endpoint.query}"),
        usual,
    ),
)

CASES = (*NO_HTTP, *FIRST_LINES, *HEADERS, *HOSTS, *LENGTHS, *CHUNKS, *ODD_BUT_GOOD)
