"""What all commands with a report share: whose location, which words, which buttons."""

from abc import abstractmethod
from typing import Generic, TypeVar

from app.commands.base import Call, Outcome
from app.commands.networks.base import NetworkCommand, Rows
from app.errors import NothingSelected
from app.network.report import Report
from app.panoptes.access import Sight
from app.panoptes.panoptes import Panoptes
from app.sessions.places import Chosen
from wire.reply import Image, Reply

R = TypeVar("R", bound=Report)


async def chosen(call: Call, panoptes: Panoptes) -> tuple[Sight, Chosen]:
    """Return what the person may see, and the location that they chose.

    Raises:
        NotConnected, NothingSelected: the person has to do something first.
    """
    sight = await panoptes.access.sight(call.person)
    place = await panoptes.access.chosen(call.person)
    if place is None:
        raise NothingSelected
    return sight, place


class ReportCommand(NetworkCommand, Generic[R]):
    """Fetches a report, words it, and offers what to look at next. Buttons redraw in place."""

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        sight, place = await chosen(call, panoptes)
        report = await self.fetch(call, panoptes, sight, place)
        reply = Reply(
            response=self.word(report, place.customer),
            buttons=self.following(report),
            images=await self.picture(report, panoptes),
            actions=("replace",),
        )
        return Outcome(reply)

    @abstractmethod
    async def fetch(self, call: Call, panoptes: Panoptes, sight: Sight, place: Chosen) -> R: ...

    @abstractmethod
    def word(self, report: R, customer: str) -> str:
        """Return the report as Markdown."""

    @abstractmethod
    def following(self, report: R) -> Rows: ...

    async def picture(self, report: R, panoptes: Panoptes) -> tuple[Image, ...]:
        """Return the chart of a report, if it has one and one can be drawn."""
        return ()
