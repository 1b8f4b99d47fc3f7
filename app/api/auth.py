"""Who calls, and what they may do: a key fixes the platform."""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NoReturn

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from loguru import logger

from app import metrics
from app.chat.limits import Limits
from app.errors import Forbidden, NotAuthenticated, TooManyLogins

BEARER = HTTPBearer(auto_error=False, description="The key of a platform, or the admin key.")


@dataclass(frozen=True, slots=True)
class Caller:
    """`platform` is empty for a key that only administers, or only reads `metrics`."""

    platform: str
    admin: bool = False
    metrics: bool = False

    def may_see(self, platform: str) -> bool:
        return self.admin or self.platform == platform


class Keys:
    """The keys, as digests: comparing them takes the same time whatever is presented."""

    def __init__(
        self,
        callers: Mapping[str, Caller],
        attempts: Limits,
        most_attempts: int,
        proxies: Sequence[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._callers = {_digest(key.encode()): caller for key, caller in callers.items()}
        self._attempts = attempts
        self._most = most_attempts
        self._clock = clock
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    async def caller(self, request: Request) -> Caller | None:
        """Return who calls, None without any key.

        Raises:
            NotAuthenticated: a key that is none.
            TooManyLogins: more of them than an address may try.
        """
        presented = request.headers.getlist("authorization")
        if not presented:
            return None
        found = self.known(presented)
        if found is None:
            await self.refuse(request)
        return found

    def known(self, presented: Sequence[str]) -> Caller | None:
        """Return whose key stands in the headers `Authorization`, None where it is no one's."""
        scheme, _, key = presented[0].partition(" ")
        # Headers are latin-1 on the wire: this gives back the bytes that were sent.
        mine = _digest(key.encode("latin-1"))
        found = None
        for digest, caller in self._callers.items():
            if hmac.compare_digest(digest, mine):
                found = caller
        return found if scheme.lower() == "bearer" and len(presented) == 1 else None

    async def refuse(self, request: Request) -> NoReturn:
        """Count a failed login.

        Raises:
            NotAuthenticated, TooManyLogins: always one of them.
        """
        address = self.address(request)
        if self._is_in_address(request):
            # It is as good as published: proxies write down addresses.
            logger.warning("auth.key_in_address", address=address)
        verdict = await self._attempts.spend(("", address), self._clock(), self._most)
        if not verdict.allowed:
            metrics.limited("login")
            logger.warning("auth.too_many", address=address)
            raise TooManyLogins(retry_after=max(1.0, verdict.reset))
        raise NotAuthenticated

    def _is_in_address(self, request: Request) -> bool:
        given = (value.removeprefix("Bearer ") for value in request.query_params.values())
        return any(_digest(value.encode(errors="replace")) in self._callers for value in given)

    def address(self, request: Request) -> str:
        """Return the caller's address; of a named proxy, the one that it names."""
        peer = request.client.host if request.client else ""
        if not self._proxies or not self._trusted(peer):
            return peer
        hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed([hop.strip() for hop in hops]):
            try:
                ipaddress.ip_address(hop)
            except ValueError:
                return peer
            if not self._trusted(hop):
                return hop
        return peer

    def _trusted(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def seconds_until(moment: float) -> float:
    """Return how long to wait for a time that the `limits` library told, by its own clock."""
    return max(1.0, moment - time.time())


def has_key(request: Request) -> bool:
    """Tell whether a valid key came with a request of which `KnownCaller` asked."""
    return getattr(request.state, "caller", None) is not None


async def known_caller(
    request: Request, _bearer: Annotated[object, Security(BEARER)] = None
) -> Caller | None:
    """Return who calls; None where no key came."""
    keys: Keys = request.app.state.parts.keys
    caller = request.state.caller = _whole(await keys.caller(request))
    return caller


async def required_caller(
    request: Request, _bearer: Annotated[object, Security(BEARER)] = None
) -> Caller:
    keys: Keys = request.app.state.parts.keys
    caller = _whole(await keys.caller(request))
    if caller is None:
        await keys.refuse(request)
    return caller


def _whole(caller: Caller | None) -> Caller | None:
    # That key lies in the configuration of another program, and opens one door alone.
    if caller is not None and caller.metrics:
        raise Forbidden
    return caller


async def admin_caller(caller: Annotated[Caller, Depends(required_caller)]) -> Caller:
    if not caller.admin:
        raise Forbidden
    return caller


KnownCaller = Annotated[Caller | None, Depends(known_caller)]
RequiredCaller = Annotated[Caller, Depends(required_caller)]
AdminCaller = Annotated[Caller, Depends(admin_caller)]
