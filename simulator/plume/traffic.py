"""Traffic of the line, a row each quarter of an hour, by the day's rhythm of the place."""

from typing import TYPE_CHECKING

from simulator.plume.dice import number
from simulator.plume.failure import Json
from simulator.plume.history import SLOT, Span, covered, outages
from simulator.plume.people import Place
from simulator.plume.shapes import At

if TYPE_CHECKING:
    from simulator.plume.world import PlumeWorld

USE = 0.12  # of the line, on average, in the busiest hour at load 1
FIELDS = ("rxMbytes", "txMbytes", "rxMaxMbps", "txMaxMbps")


def quarters(world: "PlumeWorld", place: Place, many: int) -> list[Json]:
    """Return the last `many` whole quarters of an hour, oldest first; null while it was down."""
    if not place.plan.installed:
        return []
    end = world.time() // SLOT * SLOT
    spans = outages(world, place, end - many * SLOT, end)
    return [_row(place, end - turn * SLOT, spans) for turn in range(many, 0, -1)]


def summed(rows: list[Json], size: int) -> list[Json]:
    """Join `size` rows each into one: volumes are summed, rates are the highest."""
    return [_sum(rows[at : at + size]) for at in range(0, len(rows), size)]


def saturation(rows: list[Json], line: tuple[float, float]) -> list[Json]:
    """Return how full the line was at most in each row, in percent of it."""
    return [
        {
            "timestamp": row["timestamp"],
            "rxMaxPercentage": _percent(row["rxMaxMbps"], line[0]),
            "txMaxPercentage": _percent(row["txMaxMbps"], line[1]),
        }
        for row in rows
    ]


def _percent(rate: float | None, of: float) -> float | None:
    return None if rate is None else round(100 * rate / of, 1)


def _row(place: Place, at: float, spans: list[Span]) -> Json:
    down = covered(spans, at, at + SLOT) / SLOT
    if down > 0.99:  # noqa: PLR2004
        return {"timestamp": At(at), **dict.fromkeys(FIELDS)}
    # One draw of 64 bits, taken apart: this runs thousands of times for a month.
    bits = number(*place.key, int(at), "traffic")
    first, second, third, fourth = ((bits >> shift & 0xFFFF) / 0x10000 for shift in (0, 16, 32, 48))
    busy = place.city.rhythm(at) * place.plan.load * USE * (1 - down)
    line_down, line_up = place.plan.line
    received = min(0.97 * line_down, line_down * busy * (0.4 + 1.2 * first))
    sent = min(0.97 * line_up, line_up * busy * (0.08 + 0.5 * second**2))
    return {
        "timestamp": At(at),
        "rxMbytes": round(received * SLOT / 8, 1),
        "txMbytes": round(sent * SLOT / 8, 1),
        "rxMaxMbps": round(min(line_down, received * (1.3 + 1.5 * third)), 1),
        "txMaxMbps": round(min(line_up, sent * (1.3 + 1.5 * fourth)), 1),
    }


def _sum(rows: list[Json]) -> Json:
    joined: Json = {"timestamp": rows[0]["timestamp"]}
    for name in FIELDS:
        known = [row[name] for row in rows if row[name] is not None]
        add = max if "Max" in name else sum
        joined[name] = round(add(known), 1) if known else None
    return joined
