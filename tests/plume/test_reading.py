"""Reading what nobody documents: whatever comes, unknown stays unknown."""

import contextlib
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices

from app.plume import models, parse, reading
from app.plume.models import AlertedNode, Device, Location, Node, OnlineSample, WifiNetwork
from app.plume.reading import Part, UnexpectedShape
from tests.plume.clouds import UNHURRIED

PARTS = [
    each
    for each in vars(models).values()
    if isinstance(each, type) and issubclass(each, Part) and each is not Part
]
READERS: dict[str, Callable[[object], object]] = {
    name: getattr(parse, name)
    for name in (
        "number_of", "customer", "customers", "node_owner", "location_owner", "location",
        "locations", "nodes", "devices", "networks", "ssid", "capabilities", "alerts", "wan_rows",
        "online", "speeds", "reboots", "outages", "saturation", "quality", "request_id",
    )
}  # fmt: skip
AT = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)
KEYS = sorted(
    {name for part in PARTS for field in part.model_fields.values() for name in [field.alias or ""]}
    | {"nodes", "devices", "data", "items", "results", "fifteenMins", "locationState", "count",
       "outages", "connectionState", "leafToRoot", "alerts", "type", "value", "timestamp"}
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["connected", "online", "2026-11-20T20:15:00.000Z", "1e999", "-1", "true"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=25,
)


def aliases(part: type[Part], name: str) -> set[str]:
    """Return every name under which a field may come."""
    field = part.model_fields[name]
    found = {name, field.alias or name}
    if isinstance(field.validation_alias, AliasChoices):
        found |= {str(choice) for choice in field.validation_alias.choices}
    elif isinstance(field.validation_alias, str):
        found.add(field.validation_alias)
    return found


# What one field is made of beside its own.
MADE_OF = {
    "connection_word": {"connectionState"},
    "since": {"alerts"},
    "kind": {"category"},
}


def test_every_reader_is_tried() -> None:
    lists = {"listed", "rows_of", "held", "held_or_empty"}
    public = {
        name
        for name, each in vars(parse).items()
        if callable(each)
        and not name.startswith("_")
        and getattr(each, "__module__", "") == parse.__name__
    }

    assert public - lists == set(READERS)


@pytest.mark.parametrize("name", READERS)
@UNHURRIED
@given(body=JSON)
def test_any_json_is_read_or_of_an_unexpected_shape(name: str, body: Any) -> None:
    with contextlib.suppress(UnexpectedShape):
        READERS[name](body)


@pytest.mark.parametrize("part", PARTS)
@UNHURRIED
@given(data=st.data())
def test_what_is_not_told_is_none_never_zero_or_false(
    part: type[Part], data: st.DataObject
) -> None:
    names = sorted(set().union(*(aliases(part, name) for name in part.model_fields)))
    body = data.draw(st.dictionaries(st.sampled_from(names), st.none() | JSON))

    found = part.model_validate(body)

    for name in part.model_fields:
        known = aliases(part, name) | MADE_OF.get(name, set())
        if all(body.get(alias) is None for alias in known):
            assert getattr(found, name) in (None, ()), name


@UNHURRIED
@given(JSON)
def test_numbers_are_finite_counts_whole_and_times_aware(value: Any) -> None:
    number, count, moment = reading.number(value), reading.count(value), reading.moment(value)

    assert number is None or math.isfinite(number)
    assert count is None or count >= 0
    assert moment is None or moment.utcoffset() is not None
    if isinstance(value, bool | list | dict | None):
        assert (number, count, moment) == (None, None, None)


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-20T20:15:00.000Z", "2026-11-20T20:15:00Z", "2026-11-20T13:15:00.000-0700",
        "2026-11-20T13:15:00-07:00", "2026-11-20T20:15:00", " 2026-11-20T20:15:00.000Z ",
        1795205700, 1795205700000, "1795205700", "1795205700000", 1795205700.0,
        "2026-11-20T20:15:00.000000000Z",
    ],
)  # fmt: skip
def test_a_time_is_read_in_every_known_form(said: object) -> None:
    assert reading.moment(said) == AT


@pytest.mark.parametrize(
    "said",
    ["", "soon", "2026-13-01", 0, -1, True, None, [], 10**30, "9" * 16, "0001-01-01T00:00+14:00"],
)
def test_what_is_no_time_is_unknown(said: object) -> None:
    assert reading.moment(said) is None


@pytest.mark.parametrize("said", ["nan", "inf", "-Infinity", "1e999", "", "x", True, [1], {}, None])
def test_what_is_no_number_is_unknown(said: object) -> None:
    assert reading.number(said) is None
    assert reading.count(said) is None


@pytest.mark.parametrize(("said", "number"), [(0, 0.0), ("0", 0.0), (-51, -51.0), ("44.5", 44.5)])
def test_a_number_may_come_as_a_text(said: object, number: float) -> None:
    assert reading.number(said) == number


@pytest.mark.parametrize(
    "body",
    [[], {"nodes": []}, {"nodes": {"nodes": []}}, {"data": []}, {"items": []}, {"results": []},
     {"nodes": None, "data": []}],
)  # fmt: skip
def test_an_empty_list_is_no_nodes(body: object) -> None:
    assert parse.nodes(body) == ()


@pytest.mark.parametrize(
    "body",
    [None, {}, {"nodes": None}, {"nodes": {}}, {"nodes": {"nodes": {"nodes": {"nodes": []}}}}, 1,
     "[]", ["GW4F00A1"], [[{}]], {"other": []}, {"error": {}}, {"nodes": "none"}],
)  # fmt: skip
def test_an_unknown_shape_is_an_error_and_never_no_nodes(body: object) -> None:
    with pytest.raises(UnexpectedShape):
        parse.nodes(body)


def test_a_pod_does_not_become_a_gateway_by_a_way_that_cannot_be_read() -> None:
    def way(said: Any) -> Any:
        hops = Node.model_validate({"id": "PD1", "leafToRoot": said}).leaf_to_root
        return hops if hops is None else [hop.id for hop in hops]

    unreadable: list[Any] = [None, "GW1", [1], [None], {}, 0]

    assert way([]) == []
    assert way([{"id": "GW1"}]) == ["GW1"]
    assert way(["GW1"]) == ["GW1"]
    assert [way(said) for said in unreadable] == [None] * 6


@pytest.mark.parametrize(
    ("said", "state"),
    [("connected", True), ("Connected", True), ("ONLINE", True), ("disconnected", False),
     ("offline", False), ("", None), (None, None), ("rebooting", None), (0, None), ({}, None)],
)  # fmt: skip
def test_an_unknown_state_is_not_offline(said: object, state: bool | None) -> None:  # noqa: FBT001
    assert Node.model_validate({"connectionState": said}).connected is state
    assert Device.model_validate({"connectionState": said}).connected is state


@pytest.mark.parametrize(
    ("said", "value"),
    [("online", "online"), ("ONLINE", "online"), (True, "online"), (1, "online"), ("1", "online"),
     ("offline", "offline"), (False, "offline"), (0, "offline"), (0.0, "offline"),
     ("flapping", "intermittent"), (5, "intermittent"), (None, None), ("", None)],
)  # fmt: skip
def test_a_gap_in_the_history_is_no_outage(said: object, value: str | None) -> None:
    assert OnlineSample.model_validate({"value": said}).value == value


@pytest.mark.parametrize(
    ("body", "level"),
    [({"serviceLevel": {"status": "fullService"}}, "fullservice"), ({"serviceLevel": {}}, None),
     ({"serviceLevel": "noService"}, "noservice"), ({"serviceLevel": None}, None), ({}, None)],
)  # fmt: skip
def test_a_missing_service_level_is_unknown(body: Any, level: str | None) -> None:
    assert Location.model_validate(body).service_level == level


@pytest.mark.parametrize(
    ("body", "enabled"),
    [({"enable": True}, True), ({"enabled": False}, False), ({"enable": 0}, False),
     ({"enable": None, "enabled": True}, True), ({}, None), ({"enable": "yes"}, None)],
)  # fmt: skip
def test_a_network_is_on_off_or_unknown(body: Any, enabled: bool | None) -> None:  # noqa: FBT001
    assert WifiNetwork.model_validate(body).enabled is enabled


def test_alerts_come_as_words_or_as_objects() -> None:
    said = ["poorHealth", {"type": "a"}, {"name": "b"}, {}, None, 7]

    assert Node.model_validate({"alerts": said}).alerts == ("poorHealth", "a", "b", "7")
    alert = {"type": "a", "createdAt": "2026-11-20T20:15:00.000Z"}
    assert AlertedNode.model_validate({"alerts": [alert, {"type": "b"}]}).since == AT


@pytest.mark.parametrize("body", [{}, {"count": 0}, {"outages": []}, {"statsDateRange": {}}])
def test_no_outages_are_none(body: object) -> None:
    assert parse.outages(body) == ()


@pytest.mark.parametrize("body", [{"count": 2}, {"outages": 2}, None, {"message": "no"}])
def test_outages_that_are_not_told_are_an_error(body: object) -> None:
    with pytest.raises(UnexpectedShape):
        parse.outages(body)


@pytest.mark.parametrize("body", [{}, {"nodes": None}, {"other": []}, []])
def test_alerts_that_are_not_told_are_not_none(body: object) -> None:
    with pytest.raises(UnexpectedShape):
        parse.alerts(body)


@pytest.mark.parametrize("body", [{}, {"id": 0}, {"message": "gone"}, []])
def test_an_owner_that_is_not_told_is_not_nobody(body: object) -> None:
    with pytest.raises(UnexpectedShape):
        parse.node_owner(body)


@pytest.mark.parametrize("wrapper", ["data", "item", "result", "node"])
def test_the_owner_of_a_node_is_found_in_its_wrapper(wrapper: str) -> None:
    found = parse.node_owner({wrapper: {"serialNumber": "PD1", "customerId": "c"}})

    assert (found.serial_number, found.customer_id) == ("PD1", "c")
