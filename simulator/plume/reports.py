"""The Reports API of one location: the line, its history, speed tests, reboots, health."""

from datetime import UTC, date, datetime

from simulator.plume.asked import CL, GL, Asked, Table
from simulator.plume.dice import between
from simulator.plume.equipment import DAY, MINUTE, Node, nodes_at, reboots_between, serial_of
from simulator.plume.failure import Json, refused
from simulator.plume.history import outages, states
from simulator.plume.nodes import FIRMWARE
from simulator.plume.shapes import At, date_range, listed
from simulator.plume.speedtests import SpeedTest, tests_between
from simulator.plume.traffic import quarters, saturation, summed

QUARTERS_A_DAY = 96
HISTORY_OF_REBOOTS = 90  # days
STEPS = {"15m": 15 * MINUTE, "3h": 180 * MINUTE}
WORDS: dict[str, dict[str, object]] = {
    "upper": {"online": "ONLINE", "offline": "OFFLINE", "intermittent": "FLAPPING"},
    "booleans": {"online": True, "offline": False, "intermittent": None},
    "numbers": {"online": 1, "offline": 0, "intermittent": None},
}


def _wan_stats(asked: Asked) -> Json:
    """Answer rows of quarters, hours or days; which key the longer ones have is a switch."""
    place, switches = asked.place(), asked.world.switches
    period = asked.query.get("period")
    keys = {
        "daily": ("fifteenMins", 1, 1),
        "weekly": (switches.weekly_key, 7, 4),
        "monthly": (switches.monthly_key, 30, QUARTERS_A_DAY),
    }
    if period not in keys:
        raise refused(422, "invalid period", "REP00001")
    key, days, size = keys[period]
    rows = summed(quarters(asked.world, place, days * QUARTERS_A_DAY), size)
    return listed(key, rows, switches.wan_rows, switches.wan_order)


def _online_stats(asked: Asked) -> Json:
    place, switches = asked.place(), asked.world.switches
    start, end = asked.window()
    words = WORDS.get(switches.online_words, {})
    rows = [
        {**row, "value": words.get(row["value"], row["value"])}
        for row in states(asked.world, place, start, end)
    ]
    found = listed("locationState", rows, switches.online_rows, switches.online_order)
    return {**date_range(start, end, switches), **found, "id": 0}


def _saturation_rows(asked: Asked) -> list[Json]:
    place = asked.place()
    return saturation(quarters(asked.world, place, QUARTERS_A_DAY), place.plan.line)


def _highest(asked: Asked) -> Json:
    rows = _saturation_rows(asked)
    return {
        key: max((row[key] for row in rows if row[key] is not None), default=None)
        for key in ("rxMaxPercentage", "txMaxPercentage")
    }


def _wan_history(asked: Asked) -> Json:
    names = {"rxMbytes": "rxMb", "txMbytes": "txMb"}
    rows = quarters(asked.world, asked.place(), QUARTERS_A_DAY)
    return {"items": [{names.get(key, key): row[key] for key in row} for row in rows]}


def _outages(asked: Asked) -> Json:
    place = asked.place()
    start, end = asked.number("startTimestamp") / 1000, asked.number("endTimestamp") / 1000
    if asked.query.get("type") not in {"monthly", "yearly"} or end <= start:
        raise refused(422, "invalid type")
    now = asked.now
    spans = outages(asked.world, place, start, end)
    if asked.flag("countOnly"):
        return {"count": len(spans)}
    told = [
        {"start": At(begins), "end": At(ends) if ends < now else None} for begins, ends in spans
    ]
    return {"count": len(spans), "outages": told}


def _results(asked: Asked) -> Json:
    """Answer the speed tests of a node; only the gateway has any."""
    node = asked.node()
    start, end = asked.window()
    tests = _ended(asked, node, start) if node.is_gateway else []
    done = [it for it in tests if not it.failed]
    shown: Json = {
        **date_range(start, end, asked.world.switches),
        "downloadSpeeds": [{"timestamp": At(it.ended), "value": it.download} for it in done],
        "uploadSpeeds": [{"timestamp": At(it.ended), "value": it.upload} for it in done],
    }
    if asked.flag("showFailedSpeedTests"):
        failed = [{"timestamp": At(it.ended), "status": "failed"} for it in tests if it.failed]
        shown["failedSpeedTests"] = failed
    return shown


def _result(asked: Asked) -> Json:
    node = asked.node()
    for test in _ended(asked, node, asked.now - 30 * DAY):
        if test.id == asked.args["r"]:
            return {"requestId": test.id, **test.told(asked.now)}
    raise refused(404, "There is no such result.")


def _ended(asked: Asked, node: Node, since: float) -> list[SpeedTest]:
    tests = tests_between(asked.world, node.place, node.serial, since)
    return [test for test in tests if test.ended <= asked.now]


def _health(asked: Asked) -> Json:
    place, (start, end) = asked.place(), _dates(asked)
    step = STEPS.get(asked.query.get("granularity", ""))
    if step is None:
        raise refused(422, "invalid granularity")
    asked.number("timezoneOffset", 0)
    many = int((min(end, asked.now) - start) // step)
    return {
        "nodes": [
            {
                "nodeId": node.serial,
                "health": [_sample(node, start + i * step) for i in range(many)],
            }
            for node in nodes_at(asked.world, place)
        ]
    }


def _sample(node: Node, at: float) -> Json:
    if not node.up and at >= node.since:
        return {"timestamp": At(at), "status": None, "score": None}
    score = max(0.0, min(5.0, node.score + between(-0.4, 0.4, *node.key, int(at))))
    words = ((4.5, "excellent"), (3.3, "good"), (2.0, "fair"), (-1.0, "poor"))
    status = next(word for limit, word in words if score > limit)
    return {"timestamp": At(at), "status": status, "score": round(score, 1)}


def _dates(asked: Asked) -> tuple[float, float]:
    try:
        first, last = (date.fromisoformat(asked.query[key]) for key in ("startDate", "endDate"))
    except (KeyError, ValueError):
        raise refused(422, "invalid date") from None
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() for day in (first, last)
    )
    if not 0 <= end - start <= 31 * DAY:
        raise refused(422, "invalid date range")
    return start, end + DAY


def _reboots(asked: Asked) -> Json:
    """Answer reboots, newest first; `startAt` and `endAt` are ISO, the last day by default."""
    place = asked.place()
    start = _moment(asked, "startAt", asked.now - DAY)
    end = _moment(asked, "endAt", asked.now)
    limit = int(asked.number("limit", 100))
    found = reboots_between(asked.world, place, max(start, end - HISTORY_OF_REBOOTS * DAY), end)
    if only := asked.query.get("nodeId"):
        found = [it for it in found if it.serial == only]
    if asked.query.get("order", "desc").lower() != "asc":
        found = found[::-1]
    models = {node.serial: node.model for node in nodes_at(asked.world, place)}
    return {
        "items": [
            {
                "occurredAt": At(it.at),
                "nodeId": it.serial,
                "reason": it.reason,
                "rebootType": "reboot",
                "firmwareVersion": FIRMWARE,
                "model": models[it.serial],
            }
            for it in found[:limit]
        ]
    }


def _moment(asked: Asked, name: str, usual: float) -> float:
    said = asked.query.get(name)
    if said is None:
        return usual
    if said.isdecimal():
        return int(said) / 1000
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        raise refused(422, f"invalid {name}") from None


def _app_results(asked: Asked) -> Json:
    place = asked.place()
    serial = serial_of(place, 0)
    tests = tests_between(asked.world, place, serial, asked.now - 30 * DAY)
    done = [it for it in tests if it.ended <= asked.now and not it.failed]
    return {"recentSpeedTest": done[-1].told(asked.now) if done else None}


REPORTS: Table = {
    f"GET reports/{CL}/wanStats": _wan_stats,
    f"GET reports/{CL}/wanSaturation": lambda asked: (
        _highest(asked) | {"items": _saturation_rows(asked)}
    ),
    f"GET reports/{GL}/wan-saturation": _highest,
    f"GET reports/{GL}/wan-saturation/history": lambda asked: {"items": _saturation_rows(asked)},
    f"GET reports/{GL}/wan-stats/history": _wan_history,
    f"GET reports/{CL}/onlineStats": _online_stats,
    f"GET reports/{CL}/networkOutages/stats": _outages,
    f"GET reports/{CL}/nodes/health": _health,
    f"GET reports/{CL}/nodes/{{n}}/results": _results,
    f"GET reports/{CL}/nodes/{{n}}/results/{{r}}": _result,
    f"GET api/{CL}/nodes/{{n}}/speedTestResults": _results,
    f"GET api/{CL}/nodes/{{n}}/speedTestResults/{{r}}": _result,
    f"GET reports/{CL}/appResults": _app_results,
    f"GET reports/{CL}/reboots": _reboots,
    f"GET reports/{GL}/reboot/history": _reboots,
}
