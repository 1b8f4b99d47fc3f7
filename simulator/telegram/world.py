"""The state of one simulated Telegram: one bot, its people and groups, and what goes wrong."""

import itertools
import math
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from simulator.telegram.chats import Chat, Kept, Person
from simulator.telegram.events import Events
from simulator.telegram.failure import Json, bad, forbidden, migrated, too_many
from simulator.telegram.faults import Fault, queued
from simulator.telegram.files import Files
from simulator.telegram.people import People
from simulator.telegram.updates import MESSAGE_LIFE, PRESS_LIFE, Updates
from simulator.telegram.webhook import Webhook

TOKEN = "4242:simulated"  # noqa: S105  (opens nothing but this simulator)
GROUP = -4001
EPOCH = 1_780_000_000  # 2026-05-28; message ids have 32 bits, so they count from here
CALLS_KEPT = 100_000
ALIVE = 8.0  # seconds after its last call in which the bot still counts as there
PEOPLE = (
    Person(1001, "Mina", "Rahimi", "mina_r", "fa"),
    Person(1002, "Jonas", "Weber", "jonasw", "en"),
    Person(1003, "Aisha", "Khan", "aishak", "en"),
)


@dataclass
class Call:
    """One call of the bot. Files are their names and sizes; the token is not kept.

    `at` is the world's clock in seconds; `status` the HTTP status, 0 while it runs or where the
    connection was reset instead.
    """

    method: str
    parameters: Json
    at: float
    status: int = 0

    @property
    def chat(self) -> int | None:
        try:
            return int(self.parameters.get("chat_id", ""))
        except (TypeError, ValueError):
            return None


@dataclass
class Press:
    """A pressed button. `answer` is what answerCallbackQuery said, None before it did."""

    id: str
    person: int
    chat: int
    message: int
    at: float
    answer: Json | None = None


@dataclass
class TelegramWorld:
    """Everything a test may set or look at. Times are seconds.

    `first_update` and `first_message` are where ids begin: a world that is made anew beside a
    service that remembers the old one must not begin at 1 again. `reads_all_in_groups` is the
    bot's privacy mode turned off. `limits_rates` turns on Telegram's own pace: calls per chat,
    `(how many, in how many seconds)`. `pace` holds back pollers that spin, as Telegram does.
    """

    token: str = TOKEN
    name: str = "Arash"
    username: str = "arash_sim_bot"
    clock: Callable[[], float] = time.time
    first_update: int = 1
    first_message: int = 1
    pace: bool = True
    reads_all_in_groups: bool = False
    revoked: bool = False
    limits_rates: bool = False
    private_rate: tuple[int, float] = (1, 0.95)  # a little less than 1 s: clocks are not one
    group_rate: tuple[int, float] = (20, 60.0)
    webhook_pause: float = 2.0  # before the second repeat of a delivery; doubles from there
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    faults: list[Fault] = field(default_factory=list)
    persons: dict[int, Person] = field(default_factory=lambda: {it.id: it for it in PEOPLE})
    chats: dict[int, Chat] = field(default_factory=dict)
    presses: dict[str, Press] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    commands: dict[tuple[str, int, int, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    events: Events = field(default_factory=Events)

    def __post_init__(self) -> None:
        self.updates = Updates(self._time, self.first_update, self.pace)
        self.people = People(self)
        self.webhook = Webhook(self)
        self._random = random.Random(1)  # noqa: S311  (ids, not secrets)
        self._recent: defaultdict[int, deque[float]] = defaultdict(deque)
        self._numbers = itertools.count(1)
        self._called = -math.inf
        if not self.chats:
            self._furnish()

    @classmethod
    def from_now_on(cls, token: str = TOKEN) -> Self:
        """Return a world whose ids follow those of any that was made some time before.

        A service that still remembers an earlier run would take ids from 1 for repeats.
        """
        now = int(time.time())
        return cls(token=token, first_update=now, first_message=now - EPOCH)

    def _furnish(self) -> None:
        for person in self.persons.values():
            self.chats[person.id] = self.new_chat(person.id, "private")
        members = list(self.persons)
        group = self.new_chat(GROUP, "group", "Night shift")
        group.members = members
        self.chats[GROUP] = group

    def new_chat(self, number: int, kind: str, title: str = "") -> Chat:
        return Chat(number, kind, title, next_id=self.first_message)

    def _time(self) -> float:
        # A test may give the world another clock later.
        return self.clock()

    @property
    def bot_id(self) -> int:
        return int(self.token.partition(":")[0])

    def bot(self) -> Json:
        first = self.texts.get(("name", ""), self.name)
        return {
            "id": self.bot_id, "is_bot": True, "first_name": first, "username": self.username,
        }  # fmt: skip

    @property
    def bot_is_there(self) -> bool:
        """Whether somebody polls, called a moment ago, or takes what the webhook brings."""
        if self.webhook.url:
            return self.webhook.works
        return self.updates.is_polled or time.monotonic() < self._called + ALIVE

    def now(self) -> int:
        return int(self.clock())

    def new_id(self) -> str:
        return str(self._random.randrange(10**17, 10**18))

    def new_group_id(self) -> int:
        return -(1_001_000_000_000 + next(self._numbers))

    # -- faults and limits ------------------------------------------------------------------

    def fail(self, method: str, fault: str, times: int = 1, chat: int | None = None) -> None:
        """Let the next `times` calls of a method (`*`: of any) fail so, in one chat or in all.

        Raises:
            KeyError: there is no such fault in `FAULTS`.
        """
        self.faults.append(queued(method, fault, times, chat))

    def take_fault(self, method: str, chat: int | None) -> Fault | None:
        for fault in self.faults:
            if fault.strikes(method, chat):
                fault.times -= 1
                if fault.times < 1:
                    self.faults.remove(fault)
                return fault
        return None

    def called(self, call: Call) -> None:
        self.calls.append(call)
        self._called = time.monotonic()

    def of(self, *methods: str, chat: int | None = None) -> list[Call]:
        """Return the recorded calls of these methods, in one chat or in all."""
        return [it for it in self.calls if it.method in methods and chat in {None, it.chat}]

    def spend(self, chat: int) -> None:
        """Count one call to a chat.

        Raises:
            Refused: 429, it is one too many.
        """
        if not self.limits_rates:
            return
        most, seconds = self.private_rate if chat > 0 else self.group_rate
        recent, now = self._recent[chat], self.clock()
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= most:
            raise too_many(max(1, math.ceil(recent[0] + seconds - now)))
        recent.append(now)

    # -- chats and messages -----------------------------------------------------------------

    def chat_of(self, said: Any) -> Chat:
        """Return the chat that a call means, where the bot may write.

        Raises:
            Refused: 400 not found or migrated, 403 blocked or kicked.
        """
        try:
            number = int(said)
        except (TypeError, ValueError):
            raise bad("chat_id is empty" if said in {None, ""} else "chat not found") from None
        chat = self.chats.get(number)
        if chat is None or (chat.is_private and not chat.messages):
            raise bad("chat not found")
        if chat.moved_to is not None:
            raise migrated(chat.moved_to)
        if chat.away:
            raise forbidden(chat.away)
        return chat

    def keep(self, chat: Chat, sender: int, content: Json, **more: Any) -> Kept:
        """Add a message to a chat and show it to everyone there."""
        message = Kept(chat.next_id, chat.id, sender, self.now(), content, **more)
        chat.next_id += 1
        chat.messages[message.id] = message
        if sender == self.bot_id:
            chat.typing = None
        else:
            chat.read[sender] = message.id
        self.show(message)
        return message

    def show(self, message: Kept) -> None:
        self.events.tell(message.chat, "message", self.json(message))

    def remove(self, message: Kept) -> None:
        self.chats[message.chat].messages.pop(message.id, None)
        self.events.tell(
            message.chat, "deleted", {"chat_id": message.chat, "message_id": message.id}
        )

    def author(self, message: Kept) -> Json:
        person = self.persons.get(message.sender)
        return person.json() if person else self.bot()

    def json(self, message: Kept, *, whole: bool = True) -> Json:
        """Return the `Message`. The one replied to is told without its own reply."""
        chat = self.chats[message.chat]
        told: Json = {
            "message_id": message.id,
            "from": self.author(message),
            "chat": chat.json(self.persons),
            "date": message.date,
        }
        if message.thread is not None:
            told |= {"message_thread_id": message.thread, "is_topic_message": True}
        if message.edited is not None:
            told["edit_date"] = message.edited
        if message.album:
            told["media_group_id"] = message.album
        answered = chat.messages.get(message.reply_to or 0)
        if whole and answered:
            told["reply_to_message"] = self.json(answered, whole=False)
        told |= message.content
        if message.markup:
            told["reply_markup"] = message.markup
        return told

    # -- updates ----------------------------------------------------------------------------

    def tell_message(self, message: Kept, kind: str = "message") -> None:
        """Queue a message for the bot."""
        self.updates.add(
            kind,
            self.json(message),
            queue=f"chat {message.chat}",
            born=message.date if kind == "message" else self.clock(),
            life=MESSAGE_LIFE,
        )

    def tell(self, kind: str, content: Json, queue: str, life: float = MESSAGE_LIFE) -> None:
        self.updates.add(kind, content, queue=queue, born=self.clock(), life=life)

    def answer_press(self, number: str, answer: Json) -> None:
        """Note what the bot says to a press, and show it.

        Raises:
            Refused: there was no such press, or it is too long ago.
        """
        press = self.presses.get(number)
        if press is None or self.clock() > press.at + PRESS_LIFE:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        press.answer = answer
        self.events.tell(press.chat, "answer", {"query_id": number, **answer}, only=press.person)
