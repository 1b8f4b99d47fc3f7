"""A process that spends as fast as it can: `spender.py URL PREFIX COUNT LIMIT` prints how many."""

import asyncio
import sys

from app.sharing.limits import SharedLimits
from tests.redises import instance


async def spend(url: str, named: str, count: int, limit: int) -> int:
    async with instance(url, named) as one:
        limits = SharedLimits(one.link, one.bus, "limit")
        await one.settle()
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        spent = [limits.spend(("internal", "u1"), 1_000, limit) for _ in range(count)]
        return sum(verdict.allowed for verdict in await asyncio.gather(*spent))


if __name__ == "__main__":
    found = asyncio.run(spend(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    print(found)  # noqa: T201
