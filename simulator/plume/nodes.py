"""Nodes as the API writes them down."""

from typing import TYPE_CHECKING

from simulator.plume import hostile, ids
from simulator.plume.devices import Device, devices_at
from simulator.plume.dice import between, pick
from simulator.plume.equipment import Node, nodes_at
from simulator.plume.failure import Json
from simulator.plume.people import Place
from simulator.plume.shapes import At
from simulator.plume.speedtests import last_test

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

ROOMS = ("Attic", "Bedroom", "Kitchen", "Study", "Garage", "Nursery", "Cellar", "Garden house")
FIRMWARE = "6.4.1-77"
NO_LINK = 65_535  # what Plume says of a port without a cable
YEAR = 365 * 86_400.0


def told_nodes(world: "PlumeWorld", place: Place) -> list[Json]:
    nodes = nodes_at(world, place)
    devices = devices_at(world, place, nodes)
    return [told(node, world, devices) for node in nodes]


def told(node: Node, world: "PlumeWorld", devices: list[Device]) -> Json:
    """Return all that the list of nodes says of one. Of one that is down, the last known."""
    connected = [it for it in devices if it.node is not None and it.node.number == node.number]
    return {
        "id": node.serial,
        "serialNumber": node.serial,
        **_names(node, world),
        "model": node.model,
        "firmwareVersion": FIRMWARE,
        "openSyncVersion": "6.4.1.0",
        "platformVersion": "1.9.3",
        "connectionState": "connected" if node.up else "disconnected",
        "connectionStateChangeAt": At(node.since),
        "bootAt": At(node.booted),
        "claimedAt": At(world.began - YEAR),
        "health": {"status": _health(node, world), "score": node.score},
        **_backhaul(node, world),
        "connectedDeviceCount": len(connected) if node.up else 0,
        "alerts": alerts(node, world),
        **_addresses(node),
        **_radios(node),
        "speedTest": _speed_test(node, world),
        "residentialGateway": False,
        "partNumber": "PN-4000",
        "packId": f"PK{node.serial[3:7]}",
        "boxSerialNumber": f"BX{node.serial[3:]}",
        "shipDate": "2024-03-01",
        "vendor": {"name": "Example Devices", "manufacturer": "Example", "mfgDate": "2024/08"},
    }


def alerts(node: Node, world: "PlumeWorld") -> list[Json | str]:
    """Return a node's alerts: objects, or plain words where that is switched on."""
    form = world.switches.alerts
    if form == "strings":
        return list(node.alerts)
    key = "name" if form == "names" else "type"
    since = world.began - between(900, 6 * 3600, *node.key, "alert") // 1
    return [{key: each, "state": "active", "createdAt": At(since)} for each in node.alerts]


def nickname(node: Node, world: "PlumeWorld") -> str:
    if node.place.plan.name is not None:
        return node.place.plan.name
    if world.switches.hostile_names:
        return hostile.names(node.number + 1)[node.number]
    if node.is_gateway:
        return "Hallway"
    turn = (node.number - 1) // len(ROOMS)
    return ROOMS[(node.number - 1) % len(ROOMS)] + (f" {turn + 1}" if turn else "")


def _names(node: Node, world: "PlumeWorld") -> Json:
    room = "Gateway" if node.is_gateway else pick(ROOMS, *node.key, "room")
    return {"nickname": nickname(node, world), "defaultName": room}


def _health(node: Node, world: "PlumeWorld") -> str:
    words = {"upper": node.health.upper(), "unknown": "splendid"}
    return words.get(world.switches.health_words, node.health)


def _backhaul(node: Node, world: "PlumeWorld") -> Json:
    mode = node.place.plan.mode
    if node.is_gateway:
        kind = "lte" if node.place.plan.lte else "ethernet"
        return {"backhaulType": kind, "leafToRoot": [], "networkMode": mode}
    radio = {"channel": 44, "radio": "5G"}
    way = [{"id": it.serial, "nickname": nickname(it, world), **radio} for it in node.above]
    return {
        "backhaulType": "wifi", "backhaulChannel": 44, "leafToRoot": way, "networkMode": mode,
    }  # fmt: skip


def _addresses(node: Node) -> Json:
    mac = ids.mac(0xAA, node.place.item(node.number)).upper()
    shown: Json = {
        "mac": mac,
        "ethernetMac": mac,
        "radioMac24": ids.mac(0xAE, node.place.item(node.number)).upper(),
        "radioMac50": ids.mac(0xB2, node.place.item(node.number)).upper(),
        "ip": f"192.168.40.{1 + node.number}",
        "ipv6": [f"fe80::{node.number + 1:x}"],
    }
    if node.is_gateway:
        public = f"203.0.113.{1 + node.place.spot.customer % 250}"
        shown |= {"wanIp": "100.64.3.9", "publicIp": public}
    return shown


def _radios(node: Node) -> Json:
    channel = pick((36, 44, 100, 149), *node.key, "channel")
    port = {"ifName": "eth0", "linkSpeed": 1000, "duplex": "full", "isUplink": node.is_gateway}
    free = {"ifName": "eth1", "linkSpeed": NO_LINK, "duplex": "full", "isUplink": False}
    return {
        "2gChannel": pick((1, 6, 11), *node.key, "2g"),
        "5gChannel": channel,
        "6gChannel": 37,
        "channel": channel,
        "radioStats": [
            {"freqBand": "2.4G", "channelWidth": 20, "puncturedChannels": []},
            {"freqBand": "5G", "channelWidth": 80, "puncturedChannels": []},
            {"freqBand": "6G", "channelWidth": 160, "puncturedChannels": [40]},
        ],
        "linkStates": [
            {**port, "hasEthClient": False},
            {**free, "hasEthClient": False},
        ],
    }


def _speed_test(node: Node, world: "PlumeWorld") -> Json | None:
    if not node.is_gateway:
        return None
    test = last_test(world, node.place, node.serial)
    return test.told(world.time()) if test else None
