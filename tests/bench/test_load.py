"""The load generator against the upstream of the benchmark."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.load import Figures, Spec, run
from bench.upstream import Upstream

ASKED = '{"model":"%s","stream":%s,"user":"{who}","id":"{what}"}'


@asynccontextmanager
async def serving(kind: type[Upstream]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def figures(
    model: str, *, stream: bool = True, connections: int = 1, kind: type[Upstream] = Upstream
) -> Figures:
    async with serving(kind) as port:
        body = ASKED % (model, json.dumps(stream))
        asked = Spec(port, "/v1/chat/completions", {}, body, connections, 0.05, 0.25)
        found, _ = await run(asked)
    return found


async def test_answers_whole_and_streamed_are_counted() -> None:
    for stream in (False, True):
        found = await figures("mock-d0", stream=stream, connections=2)

        assert found.count > 20
        assert (found.refused, found.broken) == (0, 0)


async def test_the_models_name_says_how_long_it_takes() -> None:
    found = await figures("mock-d20-t3-i15")

    assert 20 <= found.first_p50 < 50 <= found.p50 < 100
    assert found.chunks >= 3 * found.count


async def test_what_is_not_200_is_no_success() -> None:
    class Refusing(Upstream):
        def data_received(self, data: bytes) -> None:
            self._transport.write(b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n")

    found = await figures("mock-d0", kind=Refusing)

    assert found.refused > 0


async def test_a_connection_that_breaks_is_counted_and_made_again() -> None:
    class Breaking(Upstream):
        def data_received(self, data: bytes) -> None:
            self._transport.abort()

    found = await figures("mock-d0", kind=Breaking)

    assert found.broken > 1


async def test_no_message_comes_twice_and_conversations_end() -> None:
    asked: list[tuple[str, str]] = []

    class Recording(Upstream):
        def _answer(self, line: bytes, body: bytes) -> None:
            said = json.loads(body)
            asked.append((said["user"], said["id"]))
            super()._answer(line, body)

    for _ in range(2):
        await figures("mock-d0", kind=Recording)

    people = [who for who, _ in asked]
    assert len({what for _, what in asked}) == len(asked)
    assert people.count(people[0]) == 20
