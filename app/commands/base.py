"""What a command is, what it gets and what it gives back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from app import texts
from app.llm.base import Say, Tokens, Turn
from app.llm.catalogue import Catalogue
from app.panoptes.panoptes import Panoptes
from app.platforms.platform import Platform
from app.sessions.connections import Person
from app.sessions.dialogues import Dialogue
from app.sessions.history import Exchange
from app.sessions.profiles import Profile
from app.sessions.sessions import Session
from wire.message import Message
from wire.reply import Reply


@dataclass(frozen=True, slots=True)
class Allowance:
    """Messages per minute; `left` of them now, the next one free in `reset` seconds."""

    limit: int
    left: int
    reset: float


@dataclass(frozen=True, slots=True)
class Call:
    """One message on its way to a reply.

    `words` is what follows the command's name, or the whole text where there is no command;
    what looked like a credential is already withheld. `history` begins with the oldest.
    `say` takes the pieces of an answer as they come, where somebody watches. `dialogue` is the
    question that waits here; `typed` is the text as it came, for commands that take secrets.
    """

    message: Message
    words: str
    platform: Platform
    session: Session
    profile: Profile
    history: Sequence[Exchange]
    allowance: Allowance
    now: float
    say: Say | None = None
    dialogue: Dialogue | None = None
    typed: str = ""

    @property
    def person(self) -> Person:
        return Person(self.platform.name, self.message.user_id)

    @property
    def private(self) -> bool:
        return self.message.chat_type != "group"

    @property
    def model(self) -> str:
        return self.platform.model_for(self.profile.model)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a model said. `notes` are ours and follow `text`; the model never sees them again."""

    text: str
    notes: str
    model: str
    tokens: Tokens | None = None
    truncated: bool = False
    trimmed: bool = False
    declined: bool = False
    told: str = ""  # the replacement that the notes, or earlier ones, told of


@dataclass(frozen=True, slots=True)
class Ban:
    """Somebody may no longer talk here, or may again."""

    user_id: str
    banned: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply and what is to be kept with it, in one unit of work.

    `forget`: the `history` of this session, or everything stored about the `person`.
    `dialogue` is the question that waits from now on, None for none; `keep` leaves it as it was.
    """

    reply: Reply
    spoken: Spoken | None = None
    exchange: Exchange | None = None
    profile: Profile | None = None
    forget: Literal["nothing", "history", "person"] = "nothing"
    ban: Ban | None = None
    dialogue: Dialogue | Literal["keep"] | None = "keep"


class Assistant(Protocol):
    async def speak(self, call: Call, turns: Sequence[Turn], task: str = "") -> Spoken:
        """Let the model of `call` go on after `turns`, with `task` as its instruction.

        Raises:
            ModelError: see `app.errors`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What commands may use."""

    assistant: Assistant
    catalogue: Catalogue
    commands: Sequence["Command"]
    panoptes: Panoptes | None = None

    def allowed(
        self, platform: Platform, user_id: str = "", *, private: bool = True
    ) -> list["Command"]:
        """Return the commands that somebody has, in the order in which help shows them."""
        return [
            command
            for command in self.commands
            if command.allowed(platform, user_id, private=private)
        ]


def may_choose(platform: Platform) -> bool:
    """Tell whether people of `platform` can choose the model that answers them."""
    return platform.model_switching and platform.allows("model")


class Command(ABC):
    """`summary` feeds /help and menus. One that is `always` on needs no configuration.

    `also` are other words that people try for it, which no list shows.
    """

    name: ClassVar[str]
    also: ClassVar[frozenset[str]] = frozenset()
    summary: ClassVar[str]
    usage: ClassVar[str] = ""
    always: ClassVar[bool] = False
    refusal: ClassVar[str] = ""  # why it is off, where the platform does not allow it
    for_admins: ClassVar[bool] = False
    networks: ClassVar[bool] = False  # one of the group that looks at networks
    only_private: ClassVar[bool] = False
    takes_secrets: ClassVar[bool] = False

    def allowed(self, platform: Platform, user_id: str = "", *, private: bool = True) -> bool:
        """Decide, for every place that asks, whether somebody on a platform has this command."""
        if self.for_admins and user_id not in platform.admins:
            return False
        if self.networks:
            here = private or (platform.networks_in_groups and not self.only_private)
            return platform.networks and here
        return self.for_admins or self.always or platform.allows(self.name)

    def why_not(self, platform: Platform) -> str:
        """Return why somebody does not have this command."""
        if not self.networks or self.for_admins:
            return self.refusal
        return texts.NETWORKS_PRIVATE if platform.networks else texts.NETWORKS_OFF

    @abstractmethod
    async def run(self, call: Call, services: Services) -> Outcome: ...


class Asking(Command):
    """A command that asks back. Its question waits in the session until it is answered."""

    @abstractmethod
    async def hear(self, call: Call, dialogue: Dialogue, services: Services) -> Outcome:
        """Take `call.words` as the answer to what `dialogue` asked."""

    @abstractmethod
    def question(self, dialogue: Dialogue) -> str:
        """Return the question, to ask it once more."""
