"""Cities where locations lie, with the IANA name of their time."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class City:
    name: str
    country: str
    zone: str
    latitude: float
    longitude: float

    def local(self, at: float) -> datetime:
        """Return the local time of Unix seconds."""
        return datetime.fromtimestamp(at, _zone(self.zone))

    def rhythm(self, at: float) -> float:
        """Return how busy people are online, 0 to 1: little at night, most in the evening."""
        now = self.local(at)
        hour = now.hour + now.minute / 60
        evening = math.exp(-(((hour - 20.5) % 24 - 24 * ((hour - 20.5) % 24 > 12)) ** 2) / 8)  # noqa: PLR2004
        day = 0.35 * math.exp(-((hour - 13.0) ** 2) / 18)
        weekend = 1.25 if now.weekday() > 4 else 1.0  # noqa: PLR2004
        return min(1.0, (0.04 + 0.9 * evening + day) * weekend)


CITIES = (
    City("Utrecht", "NL", "Europe/Amsterdam", 52.09, 5.12),
    City("Bristol", "GB", "Europe/London", 51.45, -2.59),
    City("Buffalo", "US", "America/New_York", 42.89, -78.88),
    City("Austin", "US", "America/Chicago", 30.27, -97.74),
    City("Phoenix", "US", "America/Phoenix", 33.45, -112.07),
    City("Shiraz", "IR", "Asia/Tehran", 29.59, 52.58),
    City("Pokhara", "NP", "Asia/Kathmandu", 28.21, 83.99),
    City("Hobart", "AU", "Australia/Hobart", -42.88, 147.33),
    City("Lord Howe Island", "AU", "Australia/Lord_Howe", -31.55, 159.08),
)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
