"""Locations as the API writes them down, and the answers that gather all of one."""

from typing import TYPE_CHECKING

from simulator.plume import devices, networks, nodes
from simulator.plume.dice import number
from simulator.plume.equipment import Node, nodes_at, serial_of
from simulator.plume.failure import Json
from simulator.plume.history import outages
from simulator.plume.people import Customer, Place
from simulator.plume.shapes import At
from simulator.plume.speedtests import last_test

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

DAY = 86_400.0


def customer(it: Customer) -> Json:
    return {
        "id": it.id,
        "accountId": it.account,
        "name": it.name,
        "email": it.email,
        "emailVerified": not it.email.startswith("null+"),
        "partnerId": it.partner.id,
        "locked": False,
        "anonymous": False,
        "autoProvisioned": False,
        "acceptLanguage": "en-US",
        "preferredLanguage": "en-US",
        "source": "partner",
        "createdAt": At(it.created_at),
        "_version": "1.164.0",
        "linkedAccounts": [],
        "termsAndPrivacy": {},
    }


def location(world: "PlumeWorld", place: Place, *, summary: bool) -> Json:
    """Return state and configuration of a location, secrets included."""
    plan, owner = place.plan, place.customer
    shown: Json = {
        "id": place.id,
        "name": plan.label,
        "customerId": owner.id,
        "accountId": owner.account,
        "partnerId": owner.partner.id,
        "groupIds": [owner.partner.id],
        "serviceId": place.service_id,
        "profile": "auto",
        **service_level(world, place),
        "networkStatus": network_status(world, place),
        "networkMode": plan.mode,
        "controlMode": {"mode": "full"},
        "monitorMode": {"enable": False},
        "ispSpeedTestConfiguration": {"enable": True, "speedCapable": True},
        "backhaul": {**backhaul(), "wpaKey": world.hand_out(place.secret("mesh"))},
        "wanSettings": _wan_settings(world, place),
        "optimizations": {"auto": True, "enable": True, "dfsMode": "auto", "hopPenalty": "default"},
        "bandSteering": {"auto": True, "mode": "auto"},
        "clientSteering": {"auto": True, "mode": "auto"},
        "ipv6": {"mode": "passthrough", "addressingConfig": "slaac"},
        "geoIp": geo(place),
        "authorizations": {"numPodsAuthorized": plan.pods},
        "flex": False,
        "uprise": False,
        "wifiNetworkImportedFromGateway": False,
        "createdAt": At(owner.created_at + place.number * DAY),
        "updatedAt": At(world.began - DAY),
    }
    if test := last_test(world, place, serial_of(place, 0)):
        shown["speedTest"] = test.told(world.time())
    if summary and world.switches.summary:
        shown["summary"] = summary_of(world, place)
    return shown


def service_level(world: "PlumeWorld", place: Place) -> Json:
    """Return the member `serviceLevel`, or nothing where Plume says nothing."""
    form = world.switches.service_level
    if place.plan.service is None:
        return {}
    if form == "string":
        return {"serviceLevel": place.plan.service}
    return {"serviceLevel": {"status": place.plan.service} if form == "object" else {}}


def network_status(world: "PlumeWorld", place: Place) -> Json:
    spans = outages(world, place, world.began - 30 * DAY, world.time())
    gateway = next(iter(nodes_at(world, place)), None)
    since = gateway.since if gateway else world.began - DAY
    return {
        "status": "online" if gateway and gateway.up else "offline",
        "statusChangedAt": At(since),
        "durationOfPreviousStatus": int(spans[-1][1] - spans[-1][0]) if spans else 0,
        "updatedAt": At(world.time() // 60 * 60),
    }


def geo(place: Place) -> Json:
    city = place.city
    return {
        "ip": f"203.0.113.{1 + place.spot.customer % 250}",
        "country": city.country,
        "city": city.name,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "timezone": city.zone,
        "ISP": place.customer.partner.name,
    }


def summary_of(world: "PlumeWorld", place: Place) -> Json:
    """Return the digest that `include=summary` adds."""
    found = nodes_at(world, place)
    online = sum(it.online for it in devices.devices_at(world, place, found))
    return {
        "gatewayConnectionState": "connected" if found and found[0].up else "disconnected",
        "nodeConnectedCount": sum(node.up for node in found),
        "nodeClaimedCount": len(found),
        "connectedDeviceCount": online,
        "onboardingStatus": "OnboardingComplete" if found else "OnboardingStarted",
        "networkModeProvisioned": "auto",
        "networkModeRealized": place.plan.mode,
        "wifiNetworkProvisioned": bool(found),
        "monitorMode": False,
        "optimization": {"state": "idle"},
        "timestamp": At(world.time() // 60 * 60),
        "topology": [_compact(node, world) for node in found],
    }


def backhaul() -> Json:
    """Return the configuration of the mesh; it says nothing of the line."""
    return {
        "mode": "auto", "wds": True, "wpaMode": "psk2", "wpaModeRealized": "psk2",
        "dynamicBeacon": "auto", "hitlessTopology": True,
    }  # fmt: skip


def capabilities(place: Place) -> Json:
    plan = place.plan
    tests = plan.installed and plan.service != "noService"
    on = {"disabled": False, "reason": ""}
    return {
        "ispSpeedTest": on if tests else {"disabled": True, "reason": "noGateway"},
        "deviceFreeze": on,
        "wifiMotion": {"disabled": True, "reason": "unsupportedNode"},
        "multiPasswordSSID": on,
        "networkConfiguration": {"upnp": on, "dnsServers": on, "portForward": on},
    }


def alerts(world: "PlumeWorld", place: Place) -> Json:
    """Return the active alerts: of nodes that are up, and of devices with a poor signal."""
    found = nodes_at(world, place)
    poor = [
        {"mac": it.mac, "name": it.name, "alerts": [{"type": "poorHealth"}]}
        for it in devices.devices_at(world, place, found)
        if it.online and it.health[0] == "poor"
    ]
    ill = [
        {
            "id": it.serial, "nickname": nodes.nickname(it, world),
            "alerts": nodes.alerts(it, world),
        }
        for it in found
        if it.alerts
    ]  # fmt: skip
    return {"nodes": ill, "devices": poor}


def uplink(world: "PlumeWorld", place: Place) -> Json:
    """Return the state of the line. Speeds are null where no test ever ran."""
    test = last_test(world, place, serial_of(place, 0))
    told = test.told(world.time()) if test else {}
    values = {key: told.get(key) for key in ("download", "upload", "rtt", "jitter")}
    gateway = next(iter(nodes_at(world, place)), None)
    return {
        "speedTest": {
            **values,
            "status": told.get("status"),
            "trigger": told.get("trigger"),
            "isp": "Example Fibre",
            "timestamp": told.get("endedAt"),
        },
        "uptime": {
            "connectionState": "connected" if gateway and gateway.up else "disconnected",
            "connectionStateChangeAt": At(gateway.since) if gateway else None,
        },
    }


def home(world: "PlumeWorld", place: Place) -> Json:
    """Return all of a location in one answer, keys in clear included."""
    found = nodes_at(world, place)
    present = devices.devices_at(world, place, found)
    return {
        "customer": customer(place.customer),
        "location": location(world, place, summary=False),
        "capabilities": capabilities(place),
        "geoIp": geo(place),
        "networkStatus": network_status(world, place),
        "optimization": {"state": "idle"},
        "wifiNetwork": networks.primary(world, place),
        "nodes": [nodes.told(node, world, present) for node in found],
        "devices": [devices.told(device, world) for device in present],
        "summary": summary_of(world, place),
        "alerts": alerts(world, place),
    }


def _compact(node: Node, world: "PlumeWorld") -> Json:
    return {
        "id": node.serial,
        "nickname": nodes.nickname(node, world),
        "connectionState": "connected" if node.up else "disconnected",
        "backhaulType": "ethernet" if node.is_gateway else "wifi",
        "leafToRoot": [{"id": it.serial} for it in node.above],
    }


def _wan_settings(world: "PlumeWorld", place: Place) -> Json:
    if not place.plan.pppoe:
        return {"connectionType": "dynamic"}
    return {
        "connectionType": "pppoe",
        "pppoe": {
            "name": f"line{number(*place.key, 'pppoe') % 10**6}@fibre.example",
            "password": world.hand_out(place.secret("pppoe")),
        },
    }
