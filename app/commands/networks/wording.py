"""How readings are said: numbers with their unit, times in the zone of the location."""

import re
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from unicodedata import bidirectional

from app import texts, words
from app.commands.networks.base import counted
from app.network.report import PodRef, Report, Span, Unknown
from app.network.zones import offset_word, zone_of

UNKNOWN = words.UNKNOWN_VALUE
DAY, HOUR, MINUTE = 86_400, 3_600, 60
MOST_GAPS = 3
# What Telegram makes a link of by itself, or a command that one tap sends. In code it does not.
_LINKED = re.compile(r"[@#$/+]\w|\w[.:]\S")


def name(said: str | None, *, bold: bool = False) -> str:
    """Return a name from a network, safe to put into Markdown; empty where nothing is seen of it.

    Such names are data: none of them may become markup, a link or a command.
    """
    flat = texts.flat(said or "")
    if not flat:
        return ""
    if _LINKED.search(flat):
        drawn = exact(flat)
    else:
        drawn = f"**{texts.plain(flat)}**" if bold else texts.plain(flat)
    # Isolated, or one such name turns the whole line around.
    turned = any(bidirectional(sign) in {"R", "AL"} for sign in flat)
    return f"\N{FIRST STRONG ISOLATE}{drawn}\N{POP DIRECTIONAL ISOLATE}" if turned else drawn


def exact(said: str) -> str:
    """Return a text as code, to be copied: no sign of it is another one, not even a backtick."""
    flat = texts.flat(said)
    fence = "`" * (max(map(len, re.findall("`+", flat)), default=0) + 1)
    blank = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{blank}{flat}{blank}{fence}"


def owned(location: str, customer: str) -> str:
    """Return how a location is called and whose it is."""
    where = name(location, bold=True) or f"**{words.UNNAMED}**"
    owner = name(customer)
    return where + (words.OF_CUSTOMER.format(customer=owner) if owner else "")


def listed(names: Iterable[str]) -> str:
    """Return `a, b and c`."""
    *before, last = names
    return words.AND.format(before=", ".join(before), last=last) if before else last


def time_of(at: datetime | None, zone: str, *, year: bool = False) -> str:
    """Return a time as the clock on the wall there shows it."""
    if at is None:
        return UNKNOWN
    local = at.astimezone(zone_of(zone))
    return local.strftime(f"%-d %b{' %Y' if year else ''} %H:%M")


def clock_of(at: datetime | None, zone: str) -> str:
    return UNKNOWN if at is None else at.astimezone(zone_of(zone)).strftime("%H:%M")


def lasting(seconds: float | None) -> str:
    """Return a stretch of time in its two largest units."""
    if seconds is None:
        return UNKNOWN
    whole = round(seconds / MINUTE) * MINUTE if seconds >= MINUTE else 0
    if not whole:
        return words.UNDER_A_MINUTE
    days, rest = divmod(int(whole), DAY)
    hours, minutes = rest // HOUR, rest % HOUR // MINUTE
    parts = [(days, "d"), (hours, "h"), (0 if days else minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return UNKNOWN
    return words.AGO.format(time=lasting(max((now - at).total_seconds(), 0)))


def mbps(value: float | None) -> str:
    return UNKNOWN if value is None else f"{_short(value)} Mbps"


def gigabytes(mbytes: float | None) -> str:
    """Return a volume; 1 GB is 1,000 MB."""
    if mbytes is None:
        return UNKNOWN
    return f"{_short(mbytes)} MB" if mbytes < 1_000 else f"{_short(mbytes / 1_000)} GB"  # noqa: PLR2004


def percent(value: float | None, digits: int = 1) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f} %"


def whole(value: float | None, unit: str) -> str:
    return UNKNOWN if value is None else f"{value:.0f} {unit}"


def pod(ref: PodRef | None) -> str:
    """Return the name of a pod, bold, safe to put into Markdown."""
    if ref is None:
        return words.A_POD
    return name(ref.name, bold=True) or name(ref.id, bold=True) or words.A_POD


def alert(said: str) -> str:
    """Return what Plume complains of, as a word where there is one."""
    return words.ALERTS.get(said.lower()) or texts.code(said)


def head(report: Report, customer: str, title: str) -> str:
    """Return the first lines of every report: what it is, and of which location."""
    lines = f"{title}\n🏠 {owned(report.site.name or '', customer)}"
    if report.outdated is None:
        return lines
    because = words.OUTDATED_BUSY if report.outdated.because == "plume_busy" else words.OUTDATED
    return because.format(time=lasting(report.outdated.age)) + "\n\n" + lines


def foot(report: Report, but: Container[Unknown] = ()) -> str:
    """Return the last lines of every report: when it was read, and what nobody could tell.

    `but` is what was said already.
    """
    offset = offset_word(report.read_at, zone_of(report.zone))
    read = words.READ_AT.format(
        time=time_of(report.read_at, report.zone),
        zone=texts.plain(report.zone),
        offset="" if offset == report.zone else words.OFFSET.format(offset=offset),
    )
    missing = ", ".join(words.UNKNOWNS[each] for each in report.unknown if each not in but)
    return read + (words.NOT_TOLD.format(missing=missing) if missing else "")


def at_or_now(at: datetime, report: Report) -> str:
    """Return a time, or that it is the one at which the report was read."""
    return words.NOW if at >= report.read_at else time_of(at, report.zone)


def down(at: datetime | None, report: Report) -> dict[str, str]:
    """Return the words for what is down, and since when if that is known."""
    when = since(at, report.zone, report.read_at)
    return {
        key: lately.format(since=when) if when else plain
        for key, (plain, lately) in words.DOWN.items()
    }


def span(found: Span, zone: str) -> str:
    """Return a stretch of time; its day is said once."""
    start, end = (at.astimezone(zone_of(zone)) for at in (found.start, found.end))
    until = clock_of if start.date() == end.date() else time_of
    return words.SPAN.format(start=time_of(found.start, zone), end=until(found.end, zone))


def gaps(spans: Sequence[Span], zone: str) -> str:
    """Return when nothing was read: each gap, or of many how much it was."""
    if len(spans) <= MOST_GAPS:
        return words.GAPS.format(gaps=listed(span(each, zone) for each in spans))
    longest = max(spans, key=lambda each: each.seconds)
    return words.GAPS_MANY.format(
        count=counted(len(spans), "gap"),
        lasting=lasting(sum(each.seconds for each in spans)),
        longest=span(longest, zone),
    )


def since(at: datetime | None, zone: str, now: datetime) -> str:
    """Return since when something is so, and for how long."""
    if at is None:
        return ""
    return words.SINCE.format(time=time_of(at, zone), lasting=lasting((now - at).total_seconds()))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004
