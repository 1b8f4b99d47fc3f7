"""The Customer API's readings of one location."""

from simulator.plume import devices, locations, networks, nodes
from simulator.plume.asked import CL, GL, Asked, Table
from simulator.plume.devices import devices_at
from simulator.plume.dice import between, number
from simulator.plume.equipment import nodes_at
from simulator.plume.failure import Json, Reply, refused
from simulator.plume.nodes import FIRMWARE
from simulator.plume.shapes import At, enveloped

HOUR = 3600.0


def _locations(asked: Asked) -> list[Json]:
    summary = asked.query.get("include") == "summary"
    places = asked.customer().places
    return [locations.location(asked.world, place, summary=summary) for place in places]


def _location(asked: Asked) -> Json:
    summary = asked.query.get("include") == "summary"
    return locations.location(asked.world, asked.place(), summary=summary)


def _head(asked: Asked) -> Reply:
    asked.place()
    return Reply(200)


def _service_level(asked: Asked) -> Json:
    place = asked.place()
    if place.plan.service is None:
        return {}
    created = At(place.customer.created_at)
    return {"status": place.plan.service, "createdAt": created, "updatedAt": created}


def _dashboard(asked: Asked) -> Json:
    place = asked.place()
    shown: Json = {"speedTest": locations.uplink(asked.world, place)["speedTest"]}
    if not asked.flag("excludeDevices"):
        active = [it for it in devices_at(asked.world, place) if it.online][:5]
        shown["devices"] = [devices.told(it, asked.world) for it in active]
    return shown


def _nodes(asked: Asked) -> object:
    rows = nodes.told_nodes(asked.world, asked.place())
    return enveloped("nodes", rows, asked.world.switches)


def _node(asked: Asked) -> Json:
    node = asked.node()
    present = devices_at(asked.world, node.place)
    more = {"timestamp": At(asked.now // 60 * 60), "status": "claimed"}
    return nodes.told(node, asked.world, present) | more


def _node_of_customer(asked: Asked) -> Json:
    for place in asked.customer().places:
        present = devices_at(asked.world, place)
        for node in nodes_at(asked.world, place):
            if node.serial == asked.args["n"].upper():
                return nodes.told(node, asked.world, present)
    raise refused(404)


def _devices(asked: Asked) -> object:
    found = devices_at(asked.world, asked.place())
    if "daysOffline" in asked.query:
        limit = asked.now - asked.number("daysOffline") * 24 * HOUR
        found = [it for it in found if it.online or it.since >= limit]
    rows = [devices.told(it, asked.world) for it in found]
    return enveloped("devices", rows, asked.world.switches)


def _device(asked: Asked) -> Json:
    device = asked.device()
    key = (*device.key, int(asked.now // HOUR))
    shown = devices.told(device, asked.world)
    include = asked.query.get("include", "bandwidthData").split(",")
    if "bandwidthData" in include:
        shown["bandwidthData"] = {
            "rxMbytes": round(between(0, 900, *key, "rx"), 1),
            "txMbytes": round(between(0, 90, *key, "tx"), 1),
        }
    if "chartsData" in include:
        shown["chartsData"] = {"last24h": [number(*key, turn) % 500 for turn in range(24)]}
    return shown


def _networks(asked: Asked) -> list[Json]:
    with_mode = asked.world.switches.wpa_in_list
    return networks.listed(asked.world, asked.place(), with_mode=with_mode)


def _primary(asked: Asked) -> Json:
    found = networks.primary(asked.world, asked.place())
    if found is None:
        raise refused(404, "There is no WiFi network yet.", "WIF00001")
    return found


def _backhaul(asked: Asked) -> Json:
    asked.place()
    return locations.backhaul()


def _firmware(asked: Asked) -> list[Json]:
    return [
        {
            "nodeId": node.serial,
            "currentVersion": FIRMWARE,
            "targetVersion": "6.4.2-12" if number(*node.key, "next") % 3 == 0 else FIRMWARE,
            "status": "upgradeScheduled" if number(*node.key, "next") % 3 == 0 else "upToDate",
        }
        for node in nodes_at(asked.world, asked.place())
    ]


READS: Table = {
    "GET api/Customers/{c}/locations": _locations,
    "GET api/Customers/{c}/nodes/{n}": _node_of_customer,
    f"GET api/{CL}": _location,
    f"HEAD api/{CL}": _head,
    f"GET api/{CL}/uplink-status": lambda asked: locations.uplink(asked.world, asked.place()),
    f"GET api/{CL}/serviceLevel": _service_level,
    f"GET api/{CL}/capabilities": lambda asked: locations.capabilities(asked.place()),
    f"GET api/{CL}/appFacade/home": lambda asked: locations.home(asked.world, asked.place()),
    f"GET api/{CL}/appFacade/dashboard": _dashboard,
    f"GET api/{CL}/nodes": _nodes,
    f"GET api/{CL}/nodes/{{n}}": _node,
    f"GET api/{CL}/devices": _devices,
    f"GET api/{GL}/nodes": _nodes,
    f"GET api/{GL}/devices": _devices,
    f"GET api/{CL}/devices/{{mac}}": _device,
    f"GET api/{CL}/wifiNetworks": _networks,
    f"GET api/{CL}/wifiNetworksWithWpaMode": lambda asked: networks.listed(
        asked.world, asked.place(), with_mode=True
    ),
    f"GET api/{CL}/wifiNetwork": lambda asked: {"wifiNetwork": _primary(asked)},
    f"GET api/{CL}/wifiNetwork/ssid": lambda asked: {"ssid": _primary(asked)["ssid"]},
    f"GET api/{CL}/backhaul": _backhaul,
    f"GET api/{CL}/alerts": lambda asked: locations.alerts(asked.world, asked.place()),
    f"GET api/{CL}/firmware": _firmware,
}
