"""Who calls, and what they may do: a key fixes the platform."""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NoReturn

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from limits import RateLimitItem
from limits.strategies import RateLimiter
from loguru import logger

from app.errors import Forbidden, NotAuthenticated, TooManyLogins

BEARER = HTTPBearer(auto_error=False, description="The key of a platform, or the admin key.")


@dataclass(frozen=True, slots=True)
class Caller:
    """`platform` is empty for a key that only administers."""

    platform: str
    admin: bool = False

    def may_see(self, platform: str) -> bool:
        return self.admin or self.platform == platform


class Keys:
    """The keys, as digests: comparing them takes the same time whatever is presented."""

    def __init__(
        self,
        callers: Mapping[str, Caller],
        attempts: RateLimiter,
        most_attempts: RateLimitItem,
        proxies: Sequence[str],
    ) -> None:
        self._callers = {_digest(key.encode()): caller for key, caller in callers.items()}
        self._attempts = attempts
        self._most = most_attempts
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    def caller(self, request: Request) -> Caller | None:
        """Return who calls, None without any key.

        Raises:
            NotAuthenticated: a key that is none.
            TooManyLogins: more of them than an address may try.
        """
        presented = request.headers.getlist("authorization")
        if not presented:
            return None
        scheme, _, key = presented[0].partition(" ")
        # Headers are latin-1 on the wire: this gives back the bytes that were sent.
        mine = _digest(key.encode("latin-1"))
        found = None
        for digest, caller in self._callers.items():
            if hmac.compare_digest(digest, mine):
                found = caller
        if found is None or scheme.lower() != "bearer" or len(presented) > 1:
            self.refuse(request)
        return found

    def refuse(self, request: Request) -> NoReturn:
        """Count a failed login.

        Raises:
            NotAuthenticated, TooManyLogins: always one of them.
        """
        address = self.address(request)
        if not self._attempts.hit(self._most, "login", address):
            reset = self._attempts.get_window_stats(self._most, "login", address).reset_time
            logger.warning("auth.too_many", address=address)
            raise TooManyLogins(retry_after=seconds_until(reset))
        raise NotAuthenticated

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
    caller = request.state.caller = keys.caller(request)
    return caller


async def required_caller(
    request: Request, _bearer: Annotated[object, Security(BEARER)] = None
) -> Caller:
    keys: Keys = request.app.state.parts.keys
    caller = keys.caller(request)
    if caller is None:
        keys.refuse(request)
    return caller


async def admin_caller(caller: Annotated[Caller, Depends(required_caller)]) -> Caller:
    if not caller.admin:
        raise Forbidden
    return caller


KnownCaller = Annotated[Caller | None, Depends(known_caller)]
RequiredCaller = Annotated[Caller, Depends(required_caller)]
AdminCaller = Annotated[Caller, Depends(admin_caller)]
