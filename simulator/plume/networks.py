"""WiFi networks: the list, and the primary one with its keys in clear, as Plume tells them."""

from typing import TYPE_CHECKING

from simulator.plume import hostile
from simulator.plume.dice import pick
from simulator.plume.failure import Json
from simulator.plume.people import Place

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

MODES = ("psk2", "psk-mixed", "sae-mixed", "sae")


def ssid(place: Place) -> str:
    if place.plan.name is not None:
        return place.plan.name
    return f"{place.customer.name.split()[-1]}-{place.plan.label}"


def listed(world: "PlumeWorld", place: Place, *, with_mode: bool) -> list[Json]:
    """Return the networks as the list has them. None where nothing is installed."""
    if not place.plan.installed:
        return []
    on = place.plan.service != "noService"
    rows = [
        ("default", ssid(place), on, pick(MODES, *place.key, "wpa")),
        ("guest1", f"{ssid(place)}_Guest*", False, "psk2"),
    ]
    hostiles = enumerate(hostile.names(world.switches.hostile_ssids))
    rows += [(f"hostile{at}", name, bool(at % 2), MODES[at % 4]) for at, name in hostiles]
    return [
        {"networkId": own, "ssid": name, world.switches.enable_key: enabled}
        | ({"wpaMode": mode} if with_mode else {})
        for own, name, enabled, mode in rows
    ]


def primary(world: "PlumeWorld", place: Place) -> Json | None:
    """Return the primary network with its secrets, None where there is none yet."""
    if not place.plan.installed:
        return None
    key = world.hand_out(place.secret("wifi"))
    guests = world.hand_out(place.secret("guests"))
    return {
        "ssid": ssid(place),
        "enabled": place.plan.service != "noService",
        "encryption": "WPA-PSK",
        "encryptionKey": key,
        "wpaMode": pick(MODES, *place.key, "wpa"),
        "wpaModes": {"freqBand24": "psk2", "freqBand5": "sae-mixed", "freqBand6": "sae"},
        "ssidBroadcast": True,
        "minWifiMode24": "11b",
        "fastTransition": {"mode": "auto"},
        "keys": [
            {"id": 1, "encryptionKey": key, "accessZone": "home", "format": "auto"},
            {"id": 2, "encryptionKey": guests, "accessZone": "guests", "format": "auto"},
        ],
        "accessZones": [{"type": "home"}, {"type": "guests"}, {"type": "internetAccessOnly"}],
    }
