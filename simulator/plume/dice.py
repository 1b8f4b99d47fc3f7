"""Chance that falls the same way each time: numbers are a function of the words given."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(*words: object) -> int:
    """Return 64 bits that depend on the words alone, in this and in every other process."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest)


def chance(*words: object) -> float:
    """Return a number from 0 up to, not including, 1."""
    return number(*words) / 2**64


def between(low: float, high: float, *words: object) -> float:
    return low + (high - low) * chance(*words)


def pick(choices: Sequence[T], *words: object) -> T:
    return choices[number(*words) % len(choices)]
