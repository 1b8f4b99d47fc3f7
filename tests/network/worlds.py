"""Small networks and days of readings for the tests of reports."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.plume.models import Location, Node, OnlineSample, WanRow

NOW = datetime(2026, 11, 20, 21, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def location(**fields: Any) -> Location:
    known = {
        "id": "64a0c0ffee0000000000a001",
        "name": "Home",
        "serviceLevel": {"status": "fullService"},
        "geoIp": {"timezone": "Europe/Amsterdam"},
    }
    return Location.model_validate(known | fields)


def gateway(**fields: Any) -> Node:
    known = {
        "id": "GW1",
        "nickname": "Hallway",
        "connectionState": "connected",
        "health": {"status": "excellent", "score": 5},
        "backhaulType": "ethernet",
        "networkMode": "router",
        "leafToRoot": [],
        "alerts": [],
        "connectedDeviceCount": 9,
    }
    return Node.model_validate(known | fields)


def pod(key: str = "PD1", **fields: Any) -> Node:
    known = {
        "id": key,
        "nickname": "Attic",
        "connectionState": "connected",
        "health": {"status": "good", "score": 4},
        "backhaulType": "wifi",
        "leafToRoot": [{"id": "GW1"}],
        "alerts": [],
        "connectedDeviceCount": 4,
    }
    return Node.model_validate(known | fields)


def row(
    at: datetime,
    rx: float | None = None,
    tx: float | None = None,
    rx_max: float | None = None,
    tx_max: float | None = None,
) -> WanRow:
    return WanRow.model_validate(
        {
            "timestamp": at.isoformat(),
            "rxMbytes": rx,
            "txMbytes": tx,
            "rxMaxMbps": rx_max,
            "txMaxMbps": tx_max,
        }
    )


def day_of_rows(count: int = 96, end: datetime = NOW, **readings: float | None) -> list[WanRow]:
    """Return rows of equal readings, a quarter of an hour apart, the last one before `end`."""
    return [row(end - QUARTER * back, **readings) for back in range(count, 0, -1)]


def sample(at: datetime, value: object) -> OnlineSample:
    return OnlineSample.model_validate({"timestamp": at.isoformat(), "value": value})


def samples(
    values: Iterable[str | None], *, end: datetime = NOW, spacing: timedelta = QUARTER
) -> list[OnlineSample]:
    """Return samples of which the last is at `end`."""
    listed: Sequence[str | None] = list(values)
    first = end - spacing * (len(listed) - 1)
    return [sample(first + spacing * place, value) for place, value in enumerate(listed)]
