"""What Plume's answers hold, as far as we use it.

None is unknown, always. Times are aware UTC, speeds Mbit/s, volumes Mbyte, latencies ms, signal
strengths dBm. Lists keep Plume's order, of which nothing is promised. Names come from networks
and their owners: they are data, never markup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AliasChoices, Field, model_validator

from app.plume.reading import (
    Alerts,
    Count,
    Flag,
    Moment,
    Number,
    Object,
    Part,
    Rows,
    State,
    Text,
    Way,
    Word,
    moment,
    word,
)

NO_SIGNAL_DBM = -95.0  # Plume's word for "no sample"
NO_LINK_MBPS = 65_535.0  # Plume's word for "no cable"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What Plume said, and when; an answer may be given again for some seconds."""

    value: T
    at: datetime


class SpeedTest(Part):
    """The last speed test of the internet line."""

    status: Word = None
    download: Number = None
    upload: Number = None
    rtt: Number = None
    jitter: Number = None
    started_at: Moment = None
    ended_at: Moment = None
    trigger: Word = None
    gateway: Flag = None
    isp: Text = None

    @property
    def succeeded(self) -> bool:
        return self.status == "succeeded"


class Summary(Part):
    """A location at a glance, where Plume sends it."""

    gateway_connected: State = Field(None, alias="gatewayConnectionState")
    node_connected_count: Count = None
    node_claimed_count: Count = None
    connected_device_count: Count = None
    onboarding_status: Text = None
    network_mode: Word = Field(None, alias="networkModeRealized")
    timestamp: Moment = None


class GeoIp(Part):
    city: Text = None
    country: Text = None
    timezone: Text = None
    isp: Text = Field(None, alias="ISP")


class NetworkStatus(Part):
    status: Word = None
    status_changed_at: Moment = None


def _service_level(value: object) -> object:
    if isinstance(value, Mapping):
        return value.get("status")
    return value


class Location(Part):
    """`service_level`: fullservice, basicservice, noservice, or None where nobody says."""

    id: Text = None
    name: Text = None
    customer_id: Text = None
    service_id: Text = None
    profile: Word = None
    network_mode: Word = None
    service_level: Word = None
    speed_test: Annotated[SpeedTest | None, Object] = None
    network_status: Annotated[NetworkStatus | None, Object] = None
    geo_ip: Annotated[GeoIp | None, Object] = None
    summary: Annotated[Summary | None, Object] = None
    created_at: Moment = None

    @model_validator(mode="before")
    @classmethod
    def _level(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "serviceLevel" in value:
            return {**value, "serviceLevel": _service_level(value["serviceLevel"])}
        return value

    @property
    def time_zone(self) -> str | None:
        return self.geo_ip.timezone if self.geo_ip else None


class Place(Part):
    """A location as a search names it."""

    id: Text = Field(None, validation_alias=AliasChoices("id", "locationId"))
    name: Text = None


class Customer(Part):
    """A customer, with the locations that a search sends along; often none."""

    id: Text = Field(None, validation_alias=AliasChoices("id", "customerId"))
    account_id: Text = None
    name: Text = Field(None, validation_alias=AliasChoices("name", "customerName"))
    email: Text = Field(None, validation_alias=AliasChoices("email", "customerEmail"))
    locked: Flag = None
    locations: Annotated[tuple[Place, ...], Rows] = ()

    @property
    def contact(self) -> str | None:
        """The e-mail address, unless Plume made it up."""
        made_up = self.email is not None and self.email.lower().startswith("null+")
        return None if made_up else self.email


class NodeOwner(Part):
    """Whose a node is; nobody's where it is not claimed."""

    customer_id: Text = None
    location_id: Text = None
    serial_number: Text = None
    model: Text = None


class OwnedLocation(Part):
    id: Text = None
    name: Text = None
    service_id: Text = None
    customer: Annotated[Customer | None, Object] = None


class Health(Part):
    """The link between a pod and its parent: excellent, good, fair, poor. Score 0 to 5."""

    status: Word = None
    score: Number = None


class Hop(Part):
    id: Text = None
    nickname: Text = None
    channel: Text = None
    radio: Text = None


class Port(Part):
    """An Ethernet port; `link_speed` is Mbit/s."""

    if_name: Text = None
    link_speed: Number = None
    duplex: Word = None
    is_uplink: Flag = None

    @property
    def linked(self) -> bool | None:
        return None if self.link_speed is None else self.link_speed < NO_LINK_MBPS


class Node(Part):
    """A gateway or a pod. `leaf_to_root` is the way to the gateway: empty there, None unknown."""

    id: Text = None
    serial_number: Text = None
    nickname: Text = None
    default_name: Text = None
    connected: State = Field(None, alias="connectionState")
    connection_word: Word = None
    connection_state_change_at: Moment = None
    boot_at: Moment = None
    health: Annotated[Health | None, Object] = None
    backhaul_type: Word = None
    backhaul_channel: Text = None
    leaf_to_root: Annotated[tuple[Hop, ...] | None, Way] = None
    network_mode: Word = None
    residential_gateway: Flag = None
    connected_device_count: Count = None
    alerts: Alerts = ()
    model: Text = None
    firmware_version: Text = None
    mac: Text = Field(None, validation_alias=AliasChoices("mac", "ethernetMac"))
    ip: Text = None
    wan_ip: Text = None
    public_ip: Text = None
    channel_2g: Text = Field(None, alias="2gChannel")
    channel_5g: Text = Field(None, validation_alias=AliasChoices("5gChannel", "5glChannel"))
    channel_6g: Text = Field(None, alias="6gChannel")
    link_states: Annotated[tuple[Port, ...], Rows] = ()
    speed_test: Annotated[SpeedTest | None, Object] = None

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {**value, "connectionWord": value.get("connectionState")}

    @property
    def key(self) -> str | None:
        return self.id or self.serial_number

    @property
    def parent(self) -> Hop | None:
        return self.leaf_to_root[0] if self.leaf_to_root else None


def _kind(value: object) -> object:
    if isinstance(value, Mapping):
        return value.get("name") or value.get("type")
    return value


class Device(Part):
    """A client of the network, online or not. `pod` is the id of the node that serves it."""

    mac: Text = Field(None, validation_alias=AliasChoices("mac", "id"))
    nickname: Text = None
    name: Text = None
    host_name: Text = None
    connected: State = Field(None, alias="connectionState")
    connection_state_change_at: Moment = None
    medium: Word = None
    freq_band: Text = None
    channel: Text = None
    ip: Text = None
    health: Annotated[Health | None, Object] = None
    leaf_to_root: Annotated[tuple[Hop, ...] | None, Way] = None
    alerts: Alerts = ()
    kind: Text = None

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {**value, "kind": _kind(value.get("kind") or value.get("category"))}

    @property
    def pod(self) -> str | None:
        return self.leaf_to_root[0].id if self.leaf_to_root else None

    @property
    def label(self) -> str | None:
        return self.nickname or self.name or self.host_name or self.mac


class WifiNetwork(Part):
    """`enabled` is None where Plume does not say; `wpa_mode` is its raw word."""

    network_id: Text = None
    ssid: Text = None
    enabled: Flag = Field(None, validation_alias=AliasChoices("enable", "enabled"))
    wpa_mode: Word = None
    encryption: Word = None
    broadcast: Flag = Field(None, alias="ssidBroadcast")


class WanRow(Part):
    """One interval: Mbyte moved in it and the highest rates, Mbit/s. rx is the download."""

    timestamp: Moment = None
    rx_mbytes: Number = None
    tx_mbytes: Number = None
    rx_max_mbps: Number = None
    tx_max_mbps: Number = None


class OnlineSample(Part):
    """`value`: online, offline, intermittent for any other word, None where there is no reading."""

    timestamp: Moment = None
    value: Word = None

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        return (
            {**value, "value": _online(value.get("value"))} if isinstance(value, Mapping) else value
        )


def _online(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return "online" if value == 1 else "offline" if value == 0 else "intermittent"
    found = word(value)
    if found in {None, "online", "offline"}:
        return found
    return {"true": "online", "1": "online", "false": "offline", "0": "offline"}.get(
        found or "", "intermittent"
    )


class Reading(Part):
    """One value of a series."""

    timestamp: Moment = None
    value: Number = None


class SpeedHistory(Part):
    """Speed tests of a gateway: parallel series, Mbit/s, and when tests failed."""

    downloads: Annotated[tuple[Reading, ...], Rows] = Field((), alias="downloadSpeeds")
    uploads: Annotated[tuple[Reading, ...], Rows] = Field((), alias="uploadSpeeds")
    failed: Annotated[tuple[Reading, ...], Rows] = Field((), alias="failedSpeedTests")


class Reboot(Part):
    at: Moment = Field(None, validation_alias=AliasChoices("occurredAt", "timestamp"))
    node_id: Text = None
    reason: Text = None
    kind: Text = Field(None, alias="rebootType")
    firmware_version: Text = None


class Outage(Part):
    """`end` is None while it lasts."""

    start: Moment = Field(None, validation_alias=AliasChoices("start", "startAt", "startTimestamp"))
    end: Moment = Field(None, validation_alias=AliasChoices("end", "endAt", "endTimestamp"))


class Saturation(Part):
    """How full the line was at most in the last day, percent of what it can do."""

    rx_max_percentage: Number = None
    tx_max_percentage: Number = None


class AlertedNode(Part):
    id: Text = None
    alerts: Alerts = ()
    since: Moment = None

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        alerts = value.get("alerts")
        times = [
            found
            for alert in (alerts if isinstance(alerts, list) else ())
            if isinstance(alert, Mapping) and (found := moment(alert.get("createdAt")))
        ]
        return {**value, "since": min(times).timestamp() if times else None}


class ActiveAlerts(Part):
    nodes: Annotated[tuple[AlertedNode, ...], Rows] = ()


class WifiQuality(Part):
    """The radio link of a pod or a device: dBm, percent, dB."""

    id: Text = Field(None, validation_alias=AliasChoices("id", "mac"))
    score: Number = None
    freq_band: Text = None
    rssi_dbm: Number = None
    interference_percent: Number = None
    snr_db: Number = None

    @model_validator(mode="after")
    def _sampled(self) -> Self:
        if self.rssi_dbm is not None and self.rssi_dbm <= NO_SIGNAL_DBM:
            return self.model_copy(update={"rssi_dbm": None})
        return self


class Quality(Part):
    nodes: Annotated[tuple[WifiQuality, ...], Rows] = ()
    devices: Annotated[tuple[WifiQuality, ...], Rows] = ()


class Capability(Part):
    disabled: Flag = None
    reason: Text = None
