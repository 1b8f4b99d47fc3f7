"""Charts as PNG, for a phone. Importing this imports matplotlib: only the drawing process does."""

from app.network.charts.speed import speed_chart
from app.network.charts.uptime import uptime_chart
from app.network.charts.wan import wan_chart
from app.network.pictures import SpeedPicture, UptimePicture, WanPicture


def chart(picture: WanPicture | UptimePicture | SpeedPicture) -> bytes:
    """Return the PNG of a picture, 1080 pixels wide."""
    if isinstance(picture, WanPicture):
        return wan_chart(picture)
    return uptime_chart(picture) if isinstance(picture, UptimePicture) else speed_chart(picture)
