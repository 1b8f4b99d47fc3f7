"""What a chart is drawn from. Drawing itself is elsewhere: matplotlib is too big for everybody."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.network.report import Value
from app.network.speed import SpeedReport
from app.network.uptime import UptimeReport
from app.network.wan import WanReport
from app.plume.models import WanRow

Theme = Literal["light", "dark"]


class Legends(Value):
    """The words in a chart. Another language is another one of these."""

    wan: str = "Internet line, last 24 hours"
    uptime_3h: str = "Online, last 3 hours"
    uptime_24h: str = "Online, last 24 hours"
    uptime_7d: str = "Online, last 7 days"
    speed: str = "Speed tests"
    download: str = "Download"
    upload: str = "Upload"
    unit: str = "Mbps"
    peak: str = "peak"
    average: str = "average"
    p95: str = "p95"
    percentile: str = "95th percentile (p95)"
    line: str = "speed test"
    median: str = "median"
    test: str = "speed test"
    last: str = "last"
    failed: str = "failed test"
    no_readings: str = "no readings"
    nothing: str = "No readings in this time."
    online: str = "online"
    offline: str = "offline"
    intermittent: str = "intermittent"
    ongoing: str = "still"
    no_incidents: str = "No outage in the readings."
    more: str = "and {count} more"
    hours: str = "h"
    minutes: str = "min"
    days: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months: tuple[str, ...] = (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )  # fmt: skip


class WanPicture(Value):
    kind: Literal["wan"] = "wan"
    report: WanReport
    rows: tuple[WanRow, ...]
    theme: Theme = "light"
    legends: Legends = Legends()


class UptimePicture(Value):
    kind: Literal["uptime"] = "uptime"
    report: UptimeReport
    theme: Theme = "light"
    legends: Legends = Legends()


class SpeedPicture(Value):
    kind: Literal["speed"] = "speed"
    report: SpeedReport
    theme: Theme = "light"
    legends: Legends = Legends()


Picture = Annotated[WanPicture | UptimePicture | SpeedPicture, Field(discriminator="kind")]
PICTURES: TypeAdapter[WanPicture | UptimePicture | SpeedPicture] = TypeAdapter(Picture)
