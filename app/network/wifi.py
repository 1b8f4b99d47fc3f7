"""The WiFi networks of a location: the report of /wifi."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.network.report import Report, Value, site_of, unknowns, zone_missing, zone_name
from app.network.status import ServiceLevel, level_of
from app.plume.models import Location, WifiNetwork

Security = Literal[
    "open", "wep", "wpa", "wpa_wpa2", "wpa2", "wpa2_wpa3", "wpa3", "enterprise", "unknown"
]

# Plume's four words (API notes 3.6), and those that access points use for the others.
_SECURITY: dict[str, Security] = {
    "psk2": "wpa2",
    "psk-mixed": "wpa_wpa2",
    "sae-mixed": "wpa2_wpa3",
    "sae": "wpa3",
    "psk": "wpa",
    "wep": "wep",
    "open": "open",
    "none": "open",
    "wpa2": "wpa2",
    "wpa3": "wpa3",
    "eap2": "enterprise",
    "eap3": "enterprise",
    "wpa2-enterprise": "enterprise",
    "wpa3-enterprise": "enterprise",
}
_WEAK: frozenset[Security] = frozenset({"open", "wep", "wpa", "wpa_wpa2"})


class WifiStatus(Value):
    """One network. `security_word` is Plume's own; `is_weak` is None where security is unknown.

    `is_hidden` tells that its name is not broadcast.
    """

    id: str | None
    ssid: str | None
    state: Literal["on", "off", "unknown"]
    security: Security
    security_word: str | None
    is_weak: bool | None
    is_hidden: bool | None


class WifiReport(Report):
    """`state` is "unknown" where the networks could not be read.

    Networks of a location whose service is "none" send nothing, whatever their own state is.
    """

    state: Literal["ok", "none", "unknown"]
    service_level: ServiceLevel
    networks: tuple[WifiStatus, ...]


def wifi_networks(
    location: Location, networks: Sequence[WifiNetwork] | None, now: datetime
) -> WifiReport:
    """List all networks, None where they could not be read: those that are on first, by name."""
    listed = sorted((_status(network) for network in networks or ()), key=_place_of)
    return WifiReport(
        site=site_of(location),
        zone=zone_name(location),
        read_at=now,
        state="unknown" if networks is None else "ok" if networks else "none",
        service_level=level_of(location),
        networks=tuple(listed),
        unknown=unknowns(
            wifi=networks is None or any(each.state == "unknown" for each in listed),
            security=any(each.security == "unknown" for each in listed),
            service_level=location.service_level is None,
            time_zone=zone_missing(location),
        ),
    )


def _place_of(network: WifiStatus) -> tuple[int, str, str]:
    first = ("on", "unknown", "off").index(network.state)
    return first, (network.ssid or "\U0010ffff").casefold(), network.model_dump_json()


def _status(network: WifiNetwork) -> WifiStatus:
    said = network.wpa_mode or network.encryption
    security = _security(network)
    states: dict[bool | None, Literal["on", "off", "unknown"]] = {True: "on", False: "off"}
    return WifiStatus(
        id=network.network_id,
        ssid=network.ssid,
        state=states.get(network.enabled, "unknown"),
        security=security,
        security_word=said,
        is_weak=None if security == "unknown" else security in _WEAK,
        is_hidden=None if network.broadcast is None else not network.broadcast,
    )


def _security(network: WifiNetwork) -> Security:
    for said in (network.wpa_mode, network.encryption):
        if said in _SECURITY:
            return _SECURITY[said]
    return "unknown"
