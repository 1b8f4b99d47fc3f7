"""What one sign-in sees of its customers' networks."""

from collections.abc import Mapping

from app.errors import PlumeError, PlumeNotFound
from app.plume import parse
from app.plume.finding import Finding
from app.plume.history import History
from app.plume.ids import checked_id, checked_serial, place_path
from app.plume.models import (
    ActiveAlerts,
    Capability,
    Device,
    Location,
    Node,
    Read,
    WifiNetwork,
)


class Account(Finding, History):
    """Customer and location are ids, 24 hex digits; a node is a serial number.

    Each call returns a value and when it was read. `fresh` asks Plume even if an answer of some
    seconds ago is at hand.

    Raises (every call):
        PlumeNotYours: no such customer, or another partner's.
        PlumeNotFound: no such location or node, or no id looks like this.
        PlumeBusy: `retry_after` says how many seconds to wait.
        PlumeError: the others of `app.errors`. None of them says anything of the network.
    """

    async def locations(self, customer: str, *, fresh: bool = False) -> Read[tuple[Location, ...]]:
        """Return the locations of a customer, in Plume's order, none for a new one.

        `summary` is None where this cloud does not send it.

        Source: GET Customers/{id}/locations?include=summary
        """
        known = checked_id(customer)
        return await self._state(
            "locations",
            parse.locations,
            f"Customers/{known}/locations",
            subject=known,
            fresh=fresh,
            include="summary",
        )

    async def location(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[Location]:
        """Return a location with its service level and the last speed test of its line.

        Source: GET Customers/{id}/locations/{id}?include=summary
        """
        path = place_path(customer, location)
        return await self._state(
            "location", parse.location, path, subject=location, fresh=fresh, include="summary"
        )

    async def nodes(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[tuple[Node, ...]]:
        """Return the gateway and the pods; none means that nothing is installed.

        Source: GET Customers/{id}/locations/{id}/nodes
        """
        path = f"{place_path(customer, location)}/nodes"
        return await self._state("nodes", parse.nodes, path, subject=location, fresh=fresh)

    async def devices(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[tuple[Device, ...]]:
        """Return the clients of all networks, also those that have been away for up to 31 days.

        Source: GET Customers/{id}/locations/{id}/devices
        """
        path = f"{place_path(customer, location)}/devices"
        return await self._state(
            "devices", parse.devices, path, subject=location, fresh=fresh, allSSIDs=True
        )

    async def wifi_networks(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[tuple[WifiNetwork, ...]]:
        """Return the WiFi networks; none where there is none yet.

        Where the list has no security modes, its twin is asked for them; where it is empty or
        missing, the primary network, of which only the name is known then.

        Source: GET Customers/{id}/locations/{id}/wifiNetworks, …/wifiNetworksWithWpaMode,
            …/wifiNetwork/ssid
        """
        place = place_path(customer, location)
        try:
            found = await self._state(
                "wifi_networks",
                parse.networks,
                f"{place}/wifiNetworks",
                subject=location,
                fresh=fresh,
            )
        except PlumeNotFound:
            return await self._primary(place, location)
        if not found.value:
            return await self._primary(place, location)
        if all(network.wpa_mode for network in found.value):
            return found
        return await self._with_modes(found, place, location)

    async def capabilities(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[Mapping[str, Capability]]:
        """Return by name what is possible there; one that is missing is unknown.

        Source: GET Customers/{id}/locations/{id}/capabilities
        """
        path = f"{place_path(customer, location)}/capabilities"
        return await self._state(
            "capabilities", parse.capabilities, path, subject=location, fresh=fresh
        )

    async def alerts(
        self, customer: str, location: str, *, fresh: bool = False
    ) -> Read[ActiveAlerts]:
        """Return what Plume itself complains of right now.

        Source: GET Customers/{id}/locations/{id}/alerts
        """
        path = f"{place_path(customer, location)}/alerts"
        return await self._state("alerts", parse.alerts, path, subject=location, fresh=fresh)

    async def start_speed_test(self, customer: str, location: str, node: str) -> str | None:
        """Let the gateway measure the line, which fills it for about a minute.

        Returns the id of the request, None where Plume gives none; then `speed_test.started_at`
        of the node tells. Never repeated: after an error it may run nevertheless.

        Source: POST Customers/{id}/locations/{id}/nodes/{serial}/speedTest
        """
        path = f"{place_path(customer, location)}/nodes/{checked_serial(node)}/speedTest"
        found = await self._write("start_speed_test", parse.request_id, path, subject=location)
        return found.value

    async def _primary(self, place: str, location: str) -> Read[tuple[WifiNetwork, ...]]:
        # Not `wifiNetwork`, which tells its passwords: what is never sent cannot leak.
        try:
            found = await self._state(
                "wifi_ssid", parse.ssid, f"{place}/wifiNetwork/ssid", subject=location
            )
        except PlumeNotFound:
            return Read((), self._asker.moment())
        return Read((found.value,) if found.value.ssid else (), found.at)

    async def _with_modes(
        self, found: Read[tuple[WifiNetwork, ...]], place: str, location: str
    ) -> Read[tuple[WifiNetwork, ...]]:
        try:
            twin = await self._state(
                "wifi_modes", parse.networks, f"{place}/wifiNetworksWithWpaMode", subject=location
            )
        except PlumeError:
            # The names are worth showing without the modes.
            return found
        modes = {(each.network_id, each.ssid): each.wpa_mode for each in twin.value}
        return Read(
            tuple(
                each.model_copy(
                    update={"wpa_mode": each.wpa_mode or modes.get((each.network_id, each.ssid))}
                )
                for each in found.value
            ),
            found.at,
        )
