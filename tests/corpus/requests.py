"""The hand-made bad requests, each with the status that every endpoint must give it.

Some are odd rather than bad, and have to be answered like a good one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.corpus.endpoints import Endpoint

Raw = Callable[[Endpoint], bytes]
Expected = Callable[[Endpoint], int]

# Stands where a request may hold a secret. It must not come back.
CANARY = "c4n4ry-s3cr3t"


@dataclass(frozen=True, slots=True)
class Bad:
    """`raw` makes the bytes, `expect` tells the status. `fits` leaves endpoints out."""

    name: str
    raw: Raw
    expect: Expected
    fits: Callable[[Endpoint], bool] = lambda _: True


def always(status: int) -> Expected:
    return lambda _: status


def usual(endpoint: Endpoint) -> int:
    return endpoint.ok


def locked(endpoint: Endpoint) -> int:
    """A key that is none: a door that looks at keys says so."""
    return endpoint.ok if endpoint.door == "open" else 401


def missing(endpoint: Endpoint) -> int:
    """No key at all."""
    return endpoint.ok if endpoint.door in {"open", "optional"} else 401


def body_says(status: int) -> Expected:
    """An endpoint that takes no body does not look at it."""
    return lambda endpoint: status if endpoint.wants_body else endpoint.ok
