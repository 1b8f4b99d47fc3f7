"""How readings are said: numbers with their unit, times in the zone of the location."""

from datetime import datetime

from app import texts, words
from app.network.report import PodRef, Report
from app.network.zones import offset_word, zone_of

UNKNOWN = words.UNKNOWN_VALUE
DAY, HOUR, MINUTE = 86_400, 3_600, 60


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
    name = texts.plain(ref.name or ref.id or "") if ref else ""
    return f"**{name}**" if name else words.A_POD


def head(report: Report, customer: str, title: str) -> str:
    """Return the first lines of every report: what it is, and of which location."""
    name = texts.plain(report.site.name or "") or words.UNNAMED
    whose = words.OF_CUSTOMER.format(customer=texts.plain(customer)) if customer.strip() else ""
    return f"{title}\n🏠 **{name}**{whose}"


def foot(report: Report) -> str:
    """Return the last lines of every report: when it was read, and what nobody could tell."""
    zone = zone_of(report.zone)
    read = words.READ_AT.format(
        time=time_of(report.read_at, report.zone),
        zone=texts.plain(report.zone),
        offset=offset_word(report.read_at, zone),
    )
    missing = ", ".join(words.UNKNOWNS[name] for name in report.unknown)
    return read + (words.NOT_TOLD.format(missing=missing) if missing else "")


def since(at: datetime | None, zone: str, now: datetime) -> str:
    """Return since when something is so, and for how long."""
    if at is None:
        return ""
    return words.SINCE.format(time=time_of(at, zone), lasting=lasting((now - at).total_seconds()))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004
