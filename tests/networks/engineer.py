"""A support engineer on the internal platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from simulator.plume import PARTNER, PlumeWorld
from tests.api.service import BOT, Service, bearer, said


@dataclass
class Engineer:
    service: Service
    user_id: str = "5"

    async def say(self, text: str, **change: Any) -> dict[str, Any]:
        """Return the whole answer to a message, refusals included."""
        message = said(text, user_id=self.user_id, chat_id=f"chat-{self.user_id}", **change)
        heard = await self.service.post(message)
        answer: dict[str, Any] = heard.json()
        return answer

    async def press(self, answer: dict[str, Any], label: str) -> dict[str, Any]:
        """Press the first button whose label holds `label`.

        Raises:
            StopIteration: there is none.
        """
        buttons = (button for row in answer["buttons"] for button in row)
        send = next(button["send"] for button in buttons if label in button["label"])
        return await self.say(send, pressed_message_id="1")

    async def sign_in(self) -> None:
        await self.say("/setup")
        await self.say(PARTNER.header)
        done = await self.say(PARTNER.id)
        assert done["success"], done

    async def choose(self, world: PlumeWorld, scenario: str, which: int = 0) -> dict[str, Any]:
        home = world.place(scenario, which)
        return await self.say(f"/locations {home.customer.id} {home.id}")


class Telegrammer(Engineer):
    """Talks as somebody on Telegram: the bot vouches for who it is."""

    async def say(self, text: str, **change: Any) -> dict[str, Any]:
        message = said(
            text, platform="telegram", user_id=self.user_id, chat_id=self.user_id, **change
        )
        heard = await self.service.post(message, BOT)
        answer: dict[str, Any] = heard.json()
        return answer

    async def ask(self, report: str, **query: str) -> httpx.Response:
        asked: Mapping[str, str] = {"user_id": self.user_id, **query}
        url = f"/network/{report}"
        return await self.service.http.get(url, params=asked, headers=bearer(BOT))


def labels(answer: dict[str, Any]) -> list[str]:
    return [button["label"] for row in answer["buttons"] for button in row]
