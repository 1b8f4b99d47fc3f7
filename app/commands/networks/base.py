"""What the commands that look at networks have in common."""

from abc import abstractmethod
from typing import ClassVar

from app import texts, words
from app.commands.base import Call, Command, Outcome, Services
from app.errors import AppError, NotConnected, NothingSelected, PlumeError, PlumeSignInRefused
from app.panoptes.panoptes import Panoptes
from app.sessions.places import Chosen
from wire.reply import Button, Reply

Rows = tuple[tuple[Button, ...], ...]


def button(name: str, send: str | None = None, label: str | None = None) -> Button:
    """Return a button for a command, or for `send` under its label."""
    return Button(label=label or words.BUTTONS[name], send=send or f"/{name}")


def elsewhere() -> Button:
    return button("locations", label=words.CHANGE_LOCATION)


def rows(*names: str | Button) -> Rows:
    """Return buttons for commands, or those that are given, two in a row."""
    made = [button(name) if isinstance(name, str) else name for name in names]
    return tuple(tuple(made[start : start + 2]) for start in range(0, len(made), 2))


class NetworkCommand(Command):
    """A command that needs Plume. Whatever fails, it says what to do next."""

    networks: ClassVar[bool] = True

    async def run(self, call: Call, services: Services) -> Outcome:
        if services.panoptes is None:
            return refusal(texts.NETWORKS_OFF, "networks_off")
        try:
            return await self.look(call, services.panoptes)
        except (PlumeError, NotConnected, NothingSelected) as error:
            return Outcome(failure(error, call))

    @abstractmethod
    async def look(self, call: Call, panoptes: Panoptes) -> Outcome: ...


def failure(error: AppError, call: Call) -> Reply:
    """Word a failure, with the button that leads on."""
    match error:
        case NothingSelected():
            following: Rows = rows("locations")
        case NotConnected():
            following = rows("setup")
        case _:
            following = _after(error, call)
    return Reply(response=str(error), success=False, error=error.code, buttons=following)


def _after(error: AppError, call: Call) -> Rows:
    if isinstance(error, PlumeSignInRefused) and not error.retryable:
        return rows("setup")
    again = button("again", call.message.text) if error.retryable and call.message.text else None
    others = button("locations")
    return ((again, others),) if again else ((others,),)


def refusal(text: str, error: str, buttons: Rows = ()) -> Outcome:
    return Outcome(Reply(response=text, success=False, error=error, buttons=buttons))


def customer_name(number: str, name: str) -> str:
    """Return how a customer is called, safe to put into Markdown."""
    return texts.plain(name) or words.UNNAMED_CUSTOMER.format(number=texts.code(number[-6:]))


def location_name(number: str, name: str) -> str:
    return texts.plain(name) or words.UNNAMED_LOCATION.format(number=texts.code(number[-6:]))


def place_name(place: Chosen) -> tuple[str, str]:
    """Return the names of a location and its customer."""
    return (
        location_name(place.location_id, place.location),
        customer_name(place.customer_id, place.customer),
    )


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 pod`, `2 pods`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
