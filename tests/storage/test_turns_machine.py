"""Any order of events on the table of turns, against a model of what was promised."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine

from app.errors import ConversationBusy, InProgress
from app.storage import turns as table
from app.storage.sealed import Sealer
from app.storage.tables import metadata
from app.storage.turns import LEASE_SECONDS, MOST_WAITING
from tests.storage.queue import MINE, NOW, THEIRS, Queue

OWNERS = st.sampled_from([MINE, THEIRS])
WHICH = st.integers(0, 30)


@dataclass
class Known:
    message: str
    conversation: int
    owner: str
    lease_until: float
    state: str
    attempts: int
    reply: bytes | None = None


class Turns(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        self.db = self.engine.connect()
        metadata.create_all(self.db)
        self.queue = Queue(self.db, Sealer([bytes(32)]))
        self.now = NOW
        self.rows: dict[int, Known] = {}

    def teardown(self) -> None:
        self.db.close()
        self.engine.dispose()

    def open_of(self, conversation: int) -> list[int]:
        return [
            turn
            for turn, row in self.rows.items()
            if row.conversation == conversation and row.state in {"waiting", "working"}
        ]

    def pick(self, which: int) -> int:
        return list(self.rows)[which % len(self.rows)]

    @rule(conversation=st.integers(1, 2), message=st.integers(0, 12), owner=OWNERS)
    def send(self, conversation: int, message: int, owner: str) -> None:
        name = f"{conversation}-{message}"
        before = next((t for t, row in self.rows.items() if row.message == name), None)
        row = self.rows.get(before) if before is not None else None
        try:
            reply = self.queue.known(name)
        except InProgress:
            assert row is not None
            assert row.state in {"waiting", "working"}
            return
        if reply is not None:
            assert row is not None
            assert (row.state, row.reply) == ("done", reply)
            return
        assert row is None or row.state == "failed"
        if before is not None:
            del self.rows[before]
        waiting = self.open_of(conversation)
        try:
            turn, working = self.queue.add(
                name, conversation=conversation, owner=owner, now=self.now
            )
        except ConversationBusy:
            assert len(waiting) == MOST_WAITING
            return
        assert len(waiting) < MOST_WAITING
        assert turn > max(self.rows, default=0)
        assert working == (not waiting)
        lease = self.now + LEASE_SECONDS
        state = "working" if working else "waiting"
        self.rows[turn] = Known(name, conversation, owner, lease, state, int(working))

    @precondition(lambda self: self.rows)
    @rule(which=WHICH, owner=OWNERS)
    def take(self, which: int, owner: str) -> None:
        turn = self.pick(which)
        row = self.rows[turn]
        first = self.open_of(row.conversation)[:1] == [turn]
        expired = row.lease_until <= self.now
        free = expired or (row.owner == owner and row.state == "waiting")

        taken = self.queue.take(turn, owner, self.now)

        assert (taken is not None) == (first and free)
        if taken is not None:
            row.owner, row.state, row.attempts = owner, "working", row.attempts + 1
            row.lease_until = self.now + LEASE_SECONDS
            assert taken.attempts == row.attempts
            assert taken.request == f"request of {row.message}".encode()

    @precondition(lambda self: self.rows)
    @rule(which=WHICH, owner=OWNERS, reply=st.none() | st.binary(max_size=3))
    def finish(self, which: int, owner: str, reply: bytes | None) -> None:
        turn = self.pick(which)
        row = self.rows[turn]
        # Who waits gives up without a reply.
        reply = None if row.state == "waiting" else reply
        mine = row.owner == owner and row.state in {"waiting", "working"}

        assert self.queue.finish(turn, owner, reply) == mine
        if mine:
            row.state, row.reply = ("failed" if reply is None else "done"), reply

    @rule(owner=OWNERS, held=st.sets(WHICH, max_size=5))
    def renew(self, owner: str, held: set[int]) -> None:
        table.renew(self.db, list(held), owner, self.now)
        for turn in held & self.rows.keys():
            row = self.rows[turn]
            if row.owner == owner and row.state in {"waiting", "working"}:
                row.lease_until = self.now + LEASE_SECONDS

    @rule(seconds=st.sampled_from([1.0, LEASE_SECONDS / 2, LEASE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        freed = table.release(self.db)
        waiting = [*self.open_of(1), *self.open_of(2)]
        assert freed == len(waiting)
        for turn in waiting:
            self.rows[turn].lease_until = 0.0

    @invariant()
    def only_the_first_of_a_conversation_is_worked(self) -> None:
        working = defaultdict(list)
        for turn, row in self.rows.items():
            found = self.queue.row(turn)
            assert (found["state"], found["owner"]) == (row.state, row.owner)
            assert (found["request"] is not None) == (row.state in {"waiting", "working"})
            if found["state"] == "working":
                working[row.conversation].append(turn)
        for conversation, turns in working.items():
            assert turns == self.open_of(conversation)[:1]

    @invariant()
    def orphans_are_what_anybody_may_take(self) -> None:
        firsts = [turn for each in (1, 2) for turn in self.open_of(each)[:1]]
        free = [turn for turn in firsts if self.rows[turn].lease_until <= self.now]
        assert table.orphans(self.db, self.now, 9) == sorted(free)


Turns.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTurns = Turns.TestCase
