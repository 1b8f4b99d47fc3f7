"""Ids that carry where they belong, so that a thing is found without a list of all things.

Clients must not look into them: Plume's own ids say nothing.
"""

import re
from typing import NamedTuple

_ID = re.compile(r"64a0c0ffee([0-9a-f]{2})([0-9a-f]{4})([ca])([0-9a-f]{7})", re.IGNORECASE)
_SERIAL = re.compile(r"(GW|PD)(\d)([0-9A-Z]{4})([0-9A-Z]{2})([0-9A-Z]{2})", re.IGNORECASE)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Spot(NamedTuple):
    """Where an id belongs: `place` counts a customer's locations, `item` what is in one."""

    partner: int
    customer: int
    place: int = 0
    item: int = 0


def customer_id(spot: Spot) -> str:
    return f"64a0c0ffee{spot.partner:02x}0000c{spot.customer:07x}"


def location_id(spot: Spot) -> str:
    return f"64a0c0ffee{spot.partner:02x}{spot.place:04x}a{spot.customer:07x}"


def customer_spot(said: str) -> Spot | None:
    found = _ID.fullmatch(said)
    if found is None or found[3].lower() != "c":
        return None
    return Spot(int(found[1], 16), int(found[4], 16))


def location_spot(said: str) -> Spot | None:
    found = _ID.fullmatch(said)
    if found is None or found[3].lower() != "a":
        return None
    return Spot(int(found[1], 16), int(found[4], 16), int(found[2], 16))


def serial(spot: Spot) -> str:
    """Return a node's serial number; item 0 is the gateway."""
    kind = "PD" if spot.item else "GW"
    parts = _base36(spot.customer, 4), _base36(spot.place, 2), _base36(spot.item, 2)
    return f"{kind}{spot.partner}{''.join(parts)}"


def serial_spot(said: str) -> Spot | None:
    found = _SERIAL.fullmatch(said)
    if found is None or (found[1].upper() == "GW") != (int(found[5], 36) == 0):
        return None
    return Spot(int(found[2]), int(found[3], 36), int(found[4], 36), int(found[5], 36))


def mac(first: int, spot: Spot) -> str:
    """Return a MAC in lower case with colons; `first` is its first byte."""
    bits = (spot.partner << 36) | (spot.customer << 16) | (spot.place << 8) | spot.item
    return ":".join(f"{byte:02x}" for byte in bytes([first]) + bits.to_bytes(5))


def mac_spot(said: str) -> Spot | None:
    """Read a MAC of `mac`, with or without colons."""
    plain = said.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{12}", plain):
        return None
    bits = int.from_bytes(bytes.fromhex(plain)[1:])
    return Spot(bits >> 36, (bits >> 16) & 0xFFFFF, (bits >> 8) & 0xFF, bits & 0xFF)


def _base36(value: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        value, rest = divmod(value, 36)
        digits = _DIGITS[rest] + digits
    return digits
