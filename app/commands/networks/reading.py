"""What all commands with a report share: whose location, which words, which buttons."""

import base64
import re
from abc import abstractmethod
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from app.commands.base import Call, Outcome, Services
from app.commands.networks.base import NetworkCommand, Rows, button
from app.network.pictures import SpeedPicture, UptimePicture, WanPicture
from app.panoptes.access import Sight
from app.panoptes.panoptes import Panoptes
from app.sessions.places import Chosen
from wire.reply import Button, Image, Reply

R = TypeVar("R")
REFRESH = "refresh"
REFRESH_WORD = re.compile(rf"(?i)\s*\b{REFRESH}\s*$")


class View(NamedTuple):
    """Who looks at which location, and with what."""

    call: Call
    panoptes: Panoptes
    sight: Sight
    place: Chosen


async def view(call: Call, panoptes: Panoptes) -> View:
    """Return what the person may see, and the location that they chose.

    Raises:
        NotConnected, NothingSelected: the person has to do something first.
    """
    sight = await panoptes.access.sight(call.person)
    return View(call, panoptes, sight, await panoptes.access.chosen(call.person))


class ReportCommand(NetworkCommand, Generic[R]):
    """Fetches a report, words it, and offers what to look at next.

    A button with nothing behind the name leads to another report, in a message of its own. One
    with words (another page or window, or `refresh`) draws its own message anew.
    """

    async def run(self, call: Call, services: Services) -> Outcome:
        said = REFRESH_WORD.sub("", call.words)
        outcome = await super().run(replace(call, words=said), services)
        if not call.words:
            return outcome
        reply = outcome.reply.model_copy(update={"actions": ("replace",)})
        return replace(outcome, reply=reply)

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        seen = await view(call, panoptes)
        report = await self.fetch(seen)
        reply = Reply(
            response=self.word(report, seen),
            buttons=self.following(report, seen),
            images=await self.picture(report, seen),
        )
        return Outcome(reply)

    @abstractmethod
    async def fetch(self, seen: View) -> R:
        """Return the report.

        Raises:
            PlumeError: see `app.errors`.
        """

    @abstractmethod
    def word(self, report: R, seen: View) -> str:
        """Return the report as Markdown."""

    @abstractmethod
    def following(self, report: R, seen: View) -> Rows: ...

    def refresh(self, said: str = "") -> Button:
        return button("refresh", " ".join(f"/{self.name} {said} {REFRESH}".split()))

    async def picture(self, report: R, seen: View) -> tuple[Image, ...]:
        """Return the chart of a report, if it has one and one can be drawn."""
        return ()


async def drawn(
    seen: View, picture: WanPicture | UptimePicture | SpeedPicture, alt: str
) -> tuple[Image, ...]:
    """Return a picture; none where it cannot be drawn, as the words say it all too."""
    png = await seen.panoptes.draw(picture)
    if not png:
        return ()
    return (Image(media_type="image/png", data=base64.b64encode(png).decode(), alt=alt),)
