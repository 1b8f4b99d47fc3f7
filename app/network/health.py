"""What is known of one pod, and which of them is the gateway."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from app.network.report import PodRef, Value, believable, plausible
from app.plume.models import Hop, Node

Role = Literal["gateway", "pod", "unknown"]
Grade = Literal["excellent", "good", "fair", "poor"]
Backhaul = Literal["mesh", "ethernet", "other"]

_GRADES: dict[str, Grade] = {
    "excellent": "excellent",
    "good": "good",
    "fair": "fair",
    "poor": "poor",
}
_BACKHAULS: dict[str, Backhaul] = {"wifi": "mesh", "ethernet": "ethernet"}


class HealthReading(Value):
    """The link of a pod to its parent. `grade` is None where `word` is none that we know.

    `score` is 0 to 5. `is_last` tells that the pod is away: it is what was read last.
    """

    grade: Grade | None
    word: str | None
    score: float | None
    is_last: bool


class Pod(Value):
    """A gateway or a pod. `connected` is None where Plume says neither."""

    id: str | None
    name: str | None
    role: Role
    connected: bool | None
    connection_word: str | None
    since: datetime | None
    health: HealthReading | None
    backhaul: Backhaul | None
    backhaul_word: str | None
    parent: PodRef | None
    alerts: tuple[str, ...]
    devices: int | None

    @property
    def ref(self) -> PodRef:
        return PodRef(id=self.id, name=self.name)


def name_of(node: Node) -> str | None:
    """Return the name that the customer gave, else Plume's, else the serial number."""
    return node.nickname or node.default_name or node.key


def names_of(nodes: Sequence[Node]) -> dict[str, str]:
    """Return the names by id; of two nodes with one id, always the same one's."""
    named = sorted((node.key, name_of(node) or node.key) for node in nodes if node.key)
    return dict(named)


def pods_of(nodes: Sequence[Node], now: datetime) -> tuple[Pod, ...]:
    """Return all pods: the gateway first, then by name."""
    roles = roles_of(nodes)
    names = names_of(nodes)
    pods = [pod_of(node, role, names, now) for node, role in zip(nodes, roles, strict=True)]
    return tuple(sorted(pods, key=place_of))


def place_of(pod: Pod) -> tuple[bool, str, str, str]:
    """Return where a pod stands in a list, the same for any order of Plume's."""
    name = pod.name or "\U0010ffff"
    return pod.role != "gateway", name.casefold(), pod.id or "", pod.model_dump_json()


def pod_of(node: Node, role: Role, names: dict[str, str], now: datetime) -> Pod:
    return Pod(
        id=node.key,
        name=name_of(node),
        role=role,
        connected=node.connected,
        connection_word=node.connection_word,
        since=believable(node.connection_state_change_at, now),
        health=_health(node),
        backhaul=_BACKHAULS.get(node.backhaul_type, "other") if node.backhaul_type else None,
        backhaul_word=node.backhaul_type,
        parent=_parent(node.parent, names),
        alerts=node.alerts,
        devices=node.connected_device_count,
    )


def _health(node: Node) -> HealthReading | None:
    if node.health is None or (node.health.status is None and node.health.score is None):
        return None
    return HealthReading(
        grade=_GRADES.get(node.health.status or ""),
        word=node.health.status,
        score=plausible(node.health.score),
        is_last=node.connected is False,
    )


def _parent(hop: Hop | None, names: dict[str, str]) -> PodRef | None:
    if hop is None or (hop.id is None and hop.nickname is None):
        return None
    return PodRef(id=hop.id, name=names.get(hop.id or "") or hop.nickname or hop.id)


def roles_of(nodes: Sequence[Node]) -> list[Role]:
    """Tell gateway and pods apart; all that have no parent are unknown where nothing tells.

    A pod that is down can look like a gateway (no way to the root is a sign of both), so the
    node with the most signs is it, and among equals those that are up.
    """
    roots = {node.leaf_to_root[-1].id for node in nodes if node.leaf_to_root} - {None}
    signs = [_signs(node, roots) for node in nodes]
    most = max(signs, default=0)
    if not most:
        return ["pod" if node.leaf_to_root else "unknown" for node in nodes]
    chosen = [count == most for count in signs]
    if any(found and node.connected for found, node in zip(chosen, nodes, strict=True)):
        chosen = [found and bool(node.connected) for found, node in zip(chosen, nodes, strict=True)]
    return ["gateway" if found else "pod" for found in chosen]


def _signs(node: Node, roots: set[str | None]) -> int:
    """Count what says that a node is the gateway. Source: API notes 2, "Node"."""
    if node.leaf_to_root:
        return 0
    return sum(
        (
            # The pair that the notes prefer outweighs the other signs together.
            5 * (node.leaf_to_root == () and node.backhaul_type == "ethernet"),
            2 * (node.key is not None and node.key in roots),  # others say that they reach it
            node.leaf_to_root == () and (node.backhaul_type != "wifi" or node.connected is True),
            node.residential_gateway is True,
            node.network_mode == "router",
            node.speed_test is not None and node.speed_test.gateway is True,
        )
    )
