"""The devices of a location: who is on which pod, and how well."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.plume import hostile, ids
from simulator.plume.dice import between, chance, number, pick
from simulator.plume.equipment import Node, nodes_at
from simulator.plume.failure import Json
from simulator.plume.people import Place
from simulator.plume.shapes import At

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

DAY = 86_400.0
SHARE_ONLINE = 0.72
KINDS = (
    ("Living room TV", "tv", "Samsung"), ("Phone", "phone", "Apple"), ("Phone", "phone", "Xiaomi"),
    ("Laptop", "laptop", "Lenovo"), ("MacBook", "laptop", "Apple"), ("Tablet", "tablet", "Apple"),
    ("Game console", "console", "Sony"), ("Printer", "printer", "HP"), ("Bell", "camera", "Eufy"),
    ("Thermostat", "iot", "Tado"), ("Light strip", "iot", "Philips"), ("Speaker", "audio", "Sonos"),
    ("Vacuum cleaner", "iot", "Roborock"), ("Baby camera", "camera", "Eufy"), ("PC", "pc", "Dell"),
    ("Solar inverter", "iot", "SMA"), ("Watch", "watch", "Garmin"), ("E-reader", "tablet", "Kobo"),
)  # fmt: skip
GRADES = ((-67, "excellent", 4.8), (-75, "good", 3.9), (-80, "fair", 2.7), (-200, "poor", 1.4))
BANDS = (("2.4G", 6), ("5G", 44), ("5G", 44), ("5G", 149), ("6G", 37))


@dataclass(frozen=True)
class Device:
    """One device. `node` serves it, None while it is away. `rssi` is dBm, None on a cable."""

    place: Place
    number: int
    mac: str
    name: str
    kind: str
    brand: str
    online: bool
    node: Node | None
    medium: str
    band: str | None
    channel: int | None
    rssi: int | None
    since: float
    guest: bool

    @property
    def key(self) -> tuple[object, ...]:
        return (*self.place.key, self.mac)

    @property
    def health(self) -> tuple[str, float]:
        """Return status and score, by the signal."""
        signal = -40 if self.rssi is None else self.rssi
        return next((word, score) for limit, word, score in GRADES if signal >= limit)


def devices_at(world: "PlumeWorld", place: Place, nodes: list[Node] | None = None) -> list[Device]:
    """Return all devices of a location, also those that are away."""
    up = [node for node in (nodes or nodes_at(world, place)) if node.up]
    return [_device(world, place, turn, up) for turn in range(place.plan.devices)]


def told(device: Device, world: "PlumeWorld") -> Json:
    """Return a device as the API writes it."""
    status, score = device.health
    shown: Json = {
        "id": device.mac,
        "mac": device.mac,
        "name": device.name,
        "nickname": device.name if device.number % 3 else None,
        "hostName": f"{device.kind}-{device.number}",
        "icon": device.kind,
        "category": device.kind,
        "brand": device.brand,
        "medium": device.medium,
        "connectionState": "connected" if device.online else "disconnected",
        "connectionStateChangeAt": At(device.since),
        "firstConnectedAt": At(world.began - 300 * DAY - device.number),
        "favorite": False,
        "networkId": "guest1" if device.guest else "default",
        "accessZone": "guests" if device.guest else "home",
        "keyId": 2 if device.guest else 1,
    }
    shown["onlineSince" if device.online else "offlineSince"] = At(device.since)
    if device.online and device.node is not None:
        shown |= {
            "ip": f"192.168.40.{20 + device.number}",
            "health": {"status": status, "score": score},
            "leafToRoot": [{"id": it.serial} for it in (device.node, *device.node.above)],
        }
    if device.band:
        shown |= {"freqBand": device.band, "channel": device.channel}
    return shown


def _device(world: "PlumeWorld", place: Place, turn: int, up: list[Node]) -> Device:
    mac = ids.mac(0x02, place.item(turn))
    key = (*place.key, mac)
    name, kind, brand = pick(KINDS, *key, "kind")
    online = bool(up) and chance(*key, "online") < SHARE_ONLINE
    node = pick(up, *key, "node") if online else None
    wired = chance(*key, "wired") < 0.12  # noqa: PLR2004
    band, channel = (None, None) if wired else pick(BANDS, *key, "band")
    away = min(between(0, 1, *key, "away") ** 4 * 60 * DAY + 600, 59 * DAY)
    here = between(300, 2 * DAY, *key, "here")
    return Device(
        place, turn, mac, _name(world, place, turn, name), kind, brand, online, node,
        medium="ethernet" if wired else "wifi",
        band=band,
        channel=channel,
        rssi=None if wired else _signal(place, key),
        since=world.began - (here if online else away) // 1,
        guest=number(*key, "guest") % 12 == 0,
    )  # fmt: skip


def _signal(place: Place, key: tuple[object, ...]) -> int:
    """Return dBm: most hear their pod well, one in twenty badly where the place allows it."""
    weakest = -85 if place.plan.far else -72
    return round(-42 + (weakest + 42) * math.pow(chance(*key, "rssi"), 1.6))


def _name(world: "PlumeWorld", place: Place, turn: int, usual: str) -> str:
    if place.plan.name is not None:
        return place.plan.name
    if world.switches.hostile_names:
        return hostile.names(turn + 1)[turn]
    return f"{usual} {turn + 1}" if turn % 4 else usual
