"""People on Telegram who say numbered things, and what stands in their chats in the end."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from app import texts
from panoptes_bot.render import WAITING
from simulator.telegram import GROUP, TelegramWorld
from simulator.telegram.chats import Kept

TOPICS = (11, 12)
WITH_TOPICS = 10  # of so many people one has topics
IN_GROUP = 2
UNANSWERED = 3  # messages of one conversation at a time; in the group it is one, for its pace
SLOW = 0.15  # of the messages are answered slowly
SLOWLY = "slowly"
LOOK_EVERY = 0.1  # seconds


@dataclass(slots=True)
class Said:
    """A message. `kills` of the service were before it; times are seconds."""

    id: int
    text: str
    at: float
    kills: int
    answered_at: float = 0.0
    answered_after: int = 0  # kills of the service


@dataclass(slots=True)
class Talk:
    """One conversation: of a person, in a chat or a topic of it."""

    world: TelegramWorld
    number: int
    person: int
    chat: int
    thread: int | None = None
    said: list[Said] = field(default_factory=list)

    def say(self, words: str, kills: int) -> None:
        text = f"t{self.number} n{len(self.said) + 1} {words}".strip()
        mention = f"@{self.world.username} " if self.chat < 0 else ""
        kept = self.world.people.say(self.person, mention + text, self.chat, thread=self.thread)
        self.said.append(Said(kept.id, text, time.monotonic(), kills))

    @property
    def key(self) -> tuple[str, str]:
        """What the service calls the chat and the person."""
        return str(self.chat), str(self.person)

    def look(self, kills: int) -> list[Said]:
        """Note what is answered by now; return what is not."""
        open_ = [said for said in self.said if not said.answered_at]
        if open_:
            answered = {it.reply_to for it in messages(self.world, self.chat) if is_final(it)}
            for said in open_:
                if said.id in answered:
                    said.answered_at, said.answered_after = time.monotonic(), kills
        return [said for said in open_ if not said.answered_at]

    async def go_on(
        self, random: Random, pause: float, over: Callable[[], bool], kills: Callable[[], int]
    ) -> None:
        """Say one thing after the other until it is over, with pauses of that length at most."""
        most = UNANSWERED if self.chat > 0 else 1
        while not over():
            if len(self.look(kills())) < most:
                self.say(SLOWLY if random.random() < SLOW else "", kills())
            await asyncio.sleep(random.uniform(LOOK_EVERY, pause))


def people_of(world: TelegramWorld, chats: int) -> list[Talk]:
    """Return conversations in so many chats: private ones, some with topics, and one group."""
    talks: list[Talk] = []

    def add(person: int, chat: int, thread: int | None = None) -> None:
        talks.append(Talk(world, len(talks) + 1, person, chat, thread))

    for number in range(1, chats):
        person = world.people.join(f"Person {number}").id
        if number % WITH_TOPICS:
            add(person, person)
            continue
        world.chats[person].topics = {thread: f"Topic {thread}" for thread in TOPICS}
        for thread in TOPICS:
            add(person, person, thread)
    for person in world.chats[GROUP].members[:IN_GROUP]:
        add(person, GROUP)
    return talks


def messages(world: TelegramWorld, chat: int) -> list[Kept]:
    """Return the bot's messages in a chat, in order."""
    kept = world.chats[chat].messages
    return [it for it in kept.values() if it.sender == world.bot_id]


def is_final(message: Kept) -> bool:
    """Tell whether a message of the bot shows an answer that nobody works on any more."""
    return message.content.get("text") != WAITING and not _may_be_stopped(message)


def strays(world: TelegramWorld) -> list[Kept]:
    """Return the messages that nobody will ever write an answer into, when all is quiet."""
    return [it for chat in world.chats for it in messages(world, chat) if not is_final(it)]


def is_apology(message: Kept) -> bool:
    return message.content.get("text") == texts.GAVE_UP


def answers_of(talk: Talk) -> Iterator[tuple[Said, list[Kept]]]:
    """Yield what was said with its final answers, which should be one."""
    found: dict[int | None, list[Kept]] = {}
    for message in messages(talk.world, talk.chat):
        if is_final(message):
            found.setdefault(message.reply_to, []).append(message)
    for said in talk.said:
        yield said, found.get(said.id, [])


def _may_be_stopped(message: Kept) -> bool:
    rows = (message.markup or {}).get("inline_keyboard", [])
    return any(key.get("callback_data") == "/stop" for row in rows for key in row)
