"""Redis, as far as the service needs it: quick, writable, and with scripts."""

import time

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from app.admin.findings import Case, Finding, broken, doubtful, fine
from app.sharing.line import BATCH_SECONDS
from app.sharing.link import PREFIX

PIECE = "Redis"
SECONDS = 3.0
SLOW = 0.05  # seconds
LOOKS = 5


async def redis(case: Case) -> list[Finding]:
    url = case.settings.storage.redis_url
    if url is None:
        return [fine(PIECE, "not used: one instance counts by itself")]
    client = Redis.from_url(
        url.get_secret_value(),
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    try:
        return [await _look(client, case)]
    except (AuthenticationError, ResponseError) as error:
        return [_refused(error)]
    except (RedisError, OSError):
        todo = "check host, port and network of REDIS_URL; without it limits are stricter"
        return [broken(PIECE, "it does not answer", todo)]
    finally:
        await client.aclose()


async def _look(client: Redis, case: Case) -> Finding:
    await client.ping()
    took = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        await client.ping()
        took.append(time.perf_counter() - began)
    await client.set(f"{PREFIX}doctor", "1", px=1000)
    await client.eval("return redis.call('TIME')", 0)
    seconds, micros = await client.time()
    case.clocks.note(PIECE, seconds + micros / 1_000_000)
    usual = sorted(took)[LOOKS // 2]
    todo = "move it nearer, or look for what keeps it busy: `redis-cli --latency`"
    told = f"it answers within {usual * 1000:.1f} ms"
    if usual > BATCH_SECONDS:
        return broken(PIECE, f"{told}, which counts as away", todo)
    return doubtful(PIECE, told, todo) if usual > SLOW else fine(PIECE, told)


def _refused(error: Exception) -> Finding:
    word = str(error).partition(" ")[0].upper()
    if isinstance(error, AuthenticationError) or word in {"NOAUTH", "WRONGPASS"}:
        return broken(PIECE, "the password is refused", "mend user and password in REDIS_URL")
    if word == "NOPERM":
        todo = f"let its user run scripts, and read and write {PREFIX}*"
        return broken(PIECE, "this user may not do what is needed", todo)
    if word in {"READONLY", "YOU"}:
        return broken(PIECE, "it can only be read", "name its primary in REDIS_URL")
    if word == "OOM":
        return broken(PIECE, "its memory is full", "give it more, or let it evict")
    return broken(PIECE, "it refuses what is needed", "look into its log; version 6 or newer")
