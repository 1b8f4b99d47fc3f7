"""One allowance for all instances, counted in Redis; each for itself, and less, while it is away.

Whatever Redis counts, it tells every instance. So one that is left alone knows what was spent of
an allowance, and takes of the rest only the share that leaves as much to each of the others.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.chat.limits import (
    LATE_SECONDS,
    WINDOW_SECONDS,
    Counts,
    Entry,
    Person,
    Verdict,
    dated,
    judged,
    looked,
)
from app.sharing.bus import Bus
from app.sharing.line import Away
from app.sharing.link import Link
from app.sharing.script import Argument, Script

MOST_SEEDS: Final = 200  # in one call, which other calls wait for

# The windows of `app.chat.limits`, in the same order of steps, so that both find the same.
_WINDOWS: Final = """
    local function exact(number) return string.format('%.17g', number) end
    local function fullest(key, at, seconds)
        local since = '(' .. exact(at - seconds)
        local most = redis.call('ZCOUNT', key, since, exact(at))
        local oldest = at
        if most > 0 then
            local first =
                redis.call('ZRANGEBYSCORE', key, since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
            oldest = tonumber(first[2])
        end
        if redis.call('ZCOUNT', key, '(' .. exact(at), '+inf') == 0 then return most, oldest end
        local all = redis.call('ZRANGEBYSCORE', key, since, exact(at + seconds), 'WITHSCORES')
        local times = {}
        for i = 2, #all, 2 do times[#times + 1] = tonumber(all[i]) end
        local begin = 1
        for last = most + 1, #times do
            local before = times[last] - seconds
            if before >= at then break end
            while times[begin] <= before do begin = begin + 1 end
            if last + 1 - begin > most then
                most, oldest = last + 1 - begin, times[begin]
            end
        end
        return most, oldest
    end
"""
_SPEND: Final = Script(
    _WINDOWS
    + """
    local key, at, limit = KEYS[2], tonumber(ARGV[2]), tonumber(ARGV[3])
    local seconds, late, name = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
    local latest = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
    if latest then
        at = math.max(at, latest - late)
        redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(latest - late - seconds))
    end
    local most, oldest = fullest(key, at, seconds)
    if most < limit then
        redis.call('ZADD', key, exact(at), name)
        redis.call('PEXPIRE', key, math.ceil(2000 * seconds))
        local told = exact(at) .. ' ' .. name .. ' ' .. ARGV[9]
        redis.call('PUBLISH', ARGV[7], ARGV[8] .. ' + ' .. told)
    end
    return {most, exact(oldest), exact(at)}
    """
)
_LOOK: Final = Script(
    _WINDOWS
    + """
    local since = '(' .. exact(ARGV[2] - ARGV[3])
    local first = redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    return {redis.call('ZCOUNT', KEYS[2], since, '+inf'), first[2] or ''}
    """
)
_REFUND: Final = Script(
    """
    redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' - ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[6])
    return redis.call('ZREM', KEYS[2], ARGV[3])
    """
)
_SEED: Final = Script(
    """
    for i = 2, #KEYS do
        local time, name, label = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
        if redis.call('ZADD', KEYS[i], 'NX', time, name) == 1 then
            redis.call('PEXPIRE', KEYS[i], math.ceil(2000 * ARGV[2]))
            redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' + ' .. time .. ' ' .. name .. ' ' .. label)
        end
    end
    """
)


class SharedLimits:
    """See `app.chat.limits.Limits`; `name` tells these counts from others in the same Redis.

    `_known` is what Redis counted, by whatever instance; `_alone` what this one let through by
    itself, and Redis may not know yet. What Redis lost is told it again by all who know it.
    """

    def __init__(self, link: Link, bus: Bus, name: str, seconds: float = WINDOW_SECONDS) -> None:
        self._link = link
        self._name = name
        self._seconds = seconds
        self._channel = bus.channel(name)
        self._numbers = itertools.count()
        self._known: Counts[str] = Counts(seconds)
        self._alone: Counts[str] = Counts(seconds)
        self._told: set[tuple[str, Entry]] = set()
        self._told_to = ""
        bus.on(name, self._heard)
        link.add(self)

    async def spend(self, key: Person, sent_at: float, limit: int) -> Verdict:
        label = _label(key)
        name = f"{self._link.me}-{next(self._numbers)}"
        if self._link.settled and not self._alone.of(label):
            try:
                verdict = await self._spent(label, sent_at, limit, name)
            except Away:
                pass
            else:
                if verdict.place is not None:
                    self._known.add(label, verdict.place)
                return verdict
        return await self._spend_alone(label, sent_at, limit, name)

    async def look(self, key: Person, now: float, limit: int) -> Verdict:
        label = _label(key)
        try:
            count, first = await self._link.call(_LOOK, [self._key(label)], [now, self._seconds])
        except Away:
            found = looked(self._weighed(label), now, limit, self._seconds)
            return replace(found, left=found.left // self._link.instances)
        reset = float(first) + self._seconds - now if first else 0.0
        return Verdict(count < limit, limit, max(0, limit - count), reset)

    async def refund(self, key: Person, spent: Verdict) -> None:
        """See `Limits`. What Redis counted stays spent for the others while it is away."""
        if spent.place is None:
            return
        label = _label(key)
        time, name = spent.place
        self._known.remove(label, spent.place)
        self._alone.remove(label, spent.place)
        told = [f"{time:.17g}", name, self._channel, self._link.me, label]
        with contextlib.suppress(Away):
            await self._link.call(_REFUND, [self._key(label)], told)

    async def seed(self) -> None:
        """See `Returning`."""
        if self._told_to != self._link.mark:
            # Another Redis, or an empty one: it knows nothing of what we told.
            self._told, self._told_to = set(), self._link.mark
        counted = self._alone.items()
        if not self._link.settled:
            counted += self._known.items()
        self._told.intersection_update(counted)
        missing = [each for each in counted if each not in self._told]
        for begin in range(0, len(missing), MOST_SEEDS):
            some = missing[begin : begin + MOST_SEEDS]
            told: list[Argument] = [self._seconds, self._channel, self._link.me]
            for label, (time, name) in some:
                told += [f"{time:.17g}", name, label]
            keys = [self._key(label) for label, _ in some]
            await self._link.call(_SEED, keys, told, returning=True)
            self._told.update(some)

    def settle(self) -> None:
        """See `Returning`."""
        for label, entry in self._alone.items():
            if (label, entry) in self._told:
                self._known.add(label, entry)
                self._alone.remove(label, entry)

    async def _spend_alone(self, label: str, sent_at: float, limit: int, name: str) -> Verdict:
        verdict = self._take_alone(label, sent_at, limit, name)
        if verdict.place is None or not self._link.here:
            return verdict
        try:
            shared = await self._spent(label, verdict.place[0], limit, name)
        except Away:
            return verdict
        if shared.place is None:
            self._alone.remove(label, verdict.place)
            return shared
        if shared.place != verdict.place:
            self._alone.remove(label, verdict.place)
            self._alone.add(label, shared.place)
        return replace(shared, left=min(shared.left, verdict.left))

    def _take_alone(self, label: str, sent_at: float, limit: int, name: str) -> Verdict:
        entries = self._weighed(label)
        at = dated(entries, sent_at)
        each = self._link.instances
        # One more of ours may be one more of each. Where there is nothing yet, one is always free.
        found = judged(entries, at, max(1, limit - each + 1), self._seconds)
        place = (at, name) if found.allowed else None
        if place is not None:
            self._alone.add(label, place)
        return Verdict(found.allowed, limit, found.left // each, found.reset, place)

    def _weighed(self, label: str) -> Sequence[Entry]:
        """Return all that counts while we are alone: for each of ours, one of every instance."""
        alone = self._alone.of(label)
        return sorted([*self._known.of(label), *(list(alone) * self._link.instances)])

    async def _spent(self, label: str, sent_at: float, limit: int, name: str) -> Verdict:
        told: list[Argument] = [sent_at, limit, self._seconds, LATE_SECONDS, name]
        told += [self._channel, self._link.me, label]
        most, oldest, at = await self._link.call(_SPEND, [self._key(label)], told)
        time, first, allowed = float(at), float(oldest), most < limit
        if allowed:
            first = min(first, time)
        reset = first + self._seconds - time
        place = (time, name) if allowed else None
        return Verdict(allowed, limit, max(0, limit - most - 1), reset, place)

    def _heard(self, payload: str) -> None:
        sign, time, name, label = payload.split(" ")
        entry = (float(time), name)
        if sign == "+":
            self._known.add(label, entry)
        else:
            self._known.remove(label, entry)

    def _key(self, label: str) -> str:
        return f"{self._name}:{label}"


def _label(key: Person) -> str:
    # Ids are data of others: of any length, with any characters, and nobody's business in Redis.
    return hashlib.blake2b("\0".join(key).encode(), digest_size=16).hexdigest()
