"""The Reports API's quality of experience: of a location, its nodes and its devices."""

from collections.abc import Callable

from simulator.plume.asked import CL, GL, Asked, Table
from simulator.plume.devices import Device, devices_at
from simulator.plume.dice import between, number
from simulator.plume.equipment import MINUTE, Node, nodes_at
from simulator.plume.failure import Json, refused
from simulator.plume.shapes import At, Milliseconds, date_range

NO_SAMPLE = -95  # dBm: what Plume says where nothing was heard
SERIES = {"2.4G": "2g", "5G": "5g", "6G": "6g"}
MOST_AT_ONCE = 30
STEP = 15 * MINUTE
Key = tuple[object, ...]


def _rssi(asked: Asked) -> Json:
    device = asked.device()
    start, end = asked.window("hours", 24)
    bands: Json = {name: [] for name in SERIES.values()}
    if device.rssi is not None and device.band is not None:
        bands[SERIES[device.band]] = [
            {"timestamp": At(at), "value": _signal(device, at)} for at in _steps(start, end)
        ]
    return {**date_range(start, end, asked.world.switches), **bands}


def _signal(device: Device, at: float) -> int:
    if device.rssi is None or number(*device.key, int(at), "heard") % 9 == 0:
        return NO_SAMPLE
    return device.rssi + number(*device.key, int(at), "rssi") % 7 - 3


def _bandwidth(asked: Asked) -> Json:
    device = asked.device()
    start, end = asked.window("hours", 24)
    city = device.place.city

    def rows(way: str, most: float) -> list[Json]:
        return [
            {
                "timestamp": At(at),
                "value": round(
                    most * city.rhythm(at) * between(0, 1, *device.key, int(at), way), 2
                ),
            }
            for at in _steps(start, end)
        ]

    shown = {"transmitted": rows("tx", 40), "received": rows("rx", 400)}
    return {**date_range(start, end, asked.world.switches), **shown}


def _metrics(asked: Asked, key: Key, score: float) -> Json:
    """Answer the history of a node or a device, a row each quarter of an hour."""
    start, end = asked.window("hours", 24)
    iso = asked.flag("timestampISOFormat")
    return {"data": [_metric(key, at, score, iso=iso) for at in _steps(start, end)]}


def _metric(key: Key, at: float, score: float, *, iso: bool) -> Json:
    own = (*key, int(at))
    speed = round(between(40, 420, *own, "speed") * score / 5, 1)
    return {
        "timestamp": At(at) if iso else Milliseconds(at),
        "weightedQoeScore": round(min(5.0, max(0.0, score + between(-0.5, 0.5, *own))), 1),
        "averagePredictedWifiSpeed": speed,
        "minPredictedWifiSpeed": round(speed * between(0.2, 0.6, *own, "min"), 1),
        "channelUtilization": number(*own, "use") % 70,
        "interference": number(*own, "interference") % 35,
    }


def _of_node(asked: Asked) -> Json:
    node = asked.node()
    return _metrics(asked, node.key, node.score)


def _of_device(asked: Asked) -> Json:
    device = asked.device()
    return _metrics(asked, device.key, device.health[1])


def _many(asked: Asked) -> Json:
    """Answer the history of up to 30 nodes and devices, by the ids in the body."""
    place = asked.place()
    said = asked.body if isinstance(asked.body, dict) else {}
    node_ids, macs = said.get("nodeIds") or [], said.get("deviceIds") or []
    if not 0 < len(node_ids) + len(macs) <= MOST_AT_ONCE:
        raise refused(422, "The sum of deviceIds and nodeIds must be from 1 to 30.")
    nodes = [it for it in nodes_at(asked.world, place) if it.serial in node_ids]
    found = [it for it in devices_at(asked.world, place) if it.mac in macs]
    return {
        "nodes": {it.serial: _metrics(asked, it.key, it.score) for it in nodes},
        "devices": {it.mac: _metrics(asked, it.key, it.health[1]) for it in found},
    }


def _picture(asked: Asked) -> Json:
    """Answer the WiFi picture of this minute: nodes with a mesh uplink, devices on WiFi."""
    place, at = asked.place(), asked.now // MINUTE * MINUTE
    nodes = nodes_at(asked.world, place)
    found = devices_at(asked.world, place, nodes)
    return {
        "nodes": [_node_now(it, at) for it in nodes if it.up and not it.is_gateway],
        "devices": [_device_now(it, at) for it in found if it.online and it.band],
    }


def _node_now(node: Node, at: float) -> Json:
    rssi = round(-50 - (5 - node.score) * 9)
    return {"id": node.serial, "score": node.score, "freqBand": "5G", **_air(node.key, at, rssi)}


def _device_now(device: Device, at: float) -> Json:
    air = _air(device.key, at, device.rssi or NO_SAMPLE)
    return {"mac": device.mac, "score": device.health[1], "freqBand": device.band, **air}


def _air(key: Key, at: float, rssi: int) -> Json:
    interference = number(*key, int(at), "interference") % 35
    return {
        "chWidthMhz": 80,
        "rssiDbm": rssi,
        "interferencePercent": interference,
        "snrDb": max(3, rssi + 92 - interference // 6),
    }


def _one(now: Callable[[Asked], Json]) -> Callable[[Asked], Json]:
    return lambda asked: {"timestamp": At(asked.now // MINUTE * MINUTE), **now(asked)}


def _steps(start: float, end: float) -> list[float]:
    first = start // STEP * STEP
    return [first + turn * STEP for turn in range(int((end - first) // STEP) + 1)]


QUALITY: Table = {
    f"GET reports/{CL}/qoe": _picture,
    f"GET reports/{GL}/qoe": _picture,
    f"POST reports/{CL}/qoeMetrics": _many,
    f"GET reports/{CL}/nodes/{{n}}/qoe": _one(lambda asked: _node_now(asked.node(), asked.now)),
    f"GET reports/{CL}/nodes/{{n}}/qoeMetrics": _of_node,
    f"GET reports/{CL}/nodes/{{n}}/qoeMetricsV2": _of_node,
    f"GET reports/{CL}/devices/{{mac}}/qoe": _one(
        lambda asked: _device_now(asked.device(), asked.now)
    ),
    f"GET reports/{CL}/devices/{{mac}}/qoeMetrics": _of_device,
    f"GET reports/{CL}/devices/{{mac}}/qoeMetricsV2": _of_device,
    f"GET reports/{CL}/devices/{{mac}}/rssi": _rssi,
    f"GET reports/{CL}/devices/{{mac}}/bandwidth": _bandwidth,
}
