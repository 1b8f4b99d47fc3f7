"""What a turn finds when it begins and leaves when it ends, each in one unit of work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from app.commands.base import Call, Outcome
from app.errors import InProgress
from app.llm.catalogue import Catalogue
from app.platforms.platform import Platform
from app.sessions import (
    audits,
    connections,
    dialogues,
    history,
    places,
    profiles,
    sessions,
    usage,
)
from app.sessions.dialogues import Dialogue
from app.sessions.history import Exchange
from app.sessions.profiles import Profile
from app.sessions.sessions import Place, Session
from app.sessions.usage import Use
from app.storage import alerts, deliveries, inbox, spends, turns, webhooks
from app.storage.sealed import Sealer
from app.storage.store import Store
from app.storage.turns import Key
from wire.answer import Answer, AnswerData, Usage

Deliver = Callable[[Connection, Answer], None]


@dataclass(frozen=True, slots=True)
class Context:
    session: Session
    profile: Profile
    history: Sequence[Exchange]
    dialogue: Dialogue | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """`lifetime`: seconds of silence after which a session is forgotten."""

    store: Store
    sealer: Sealer
    catalogue: Catalogue
    lifetime: float

    def session(self, db: Connection, place: Place, now: float) -> Session:
        return sessions.at(db, place, now, self.lifetime)

    def context(self, db: Connection, session: Session, platform: Platform) -> Context:
        return Context(
            session,
            profiles.of(db, platform.name, session.place.user_id),
            history.latest(db, self.sealer, session.id, platform.max_history // 2),
            dialogues.of(self.sealer, session),
        )

    async def recall(
        self, place: Place, platform: Platform, now: float, number: int = 0
    ) -> Context:
        """Return what a turn finds: in session `number`, which may have moved, or at its place."""

        def unit(db: Connection) -> Context:
            session = sessions.numbered(db, number) or self.session(db, place, now)
            return self.context(db, session, platform)

        return await self.store.run(unit)

    async def keep(
        self,
        turn: int,
        key: Key,
        owner: str,
        call: Call,
        outcome: Outcome,
        now: float,
        deliver: Deliver | None = None,
    ) -> Answer:
        """Commit the reply with everything that changed, and return the answer.

        `deliver` sends the answer on its way, in the same unit of work.

        Raises:
            InProgress: the lease was lost, and another process answers.
        """
        answer = self._answer(call, outcome)
        reply = answer.model_dump_json().encode()
        used = _used(call.platform.name, outcome)

        def unit(db: Connection) -> bool:
            if not turns.finish(db, self.sealer, turn, key, owner, reply):
                return False
            self._remember(db, call, outcome, used, now)
            if deliver is not None:
                deliver(db, answer)
            # Last: everybody's messages meet in this row, and wait there for the commit.
            usage.add(db, used, now)
            return True

        if not await self.store.run(unit):
            raise InProgress(retry_after=1)
        return answer

    async def give_up(self, turn: int, key: Key, owner: str) -> None:
        await self.store.run(lambda db: turns.finish(db, self.sealer, turn, key, owner, reply=None))

    async def sweep(self, now: float) -> tuple[int, int]:
        """Delete expired sessions and old turns; return how many of each."""
        gone = await self.store.run(partial(sessions.sweep, now=now, lifetime=self.lifetime))
        old = await self.store.run(partial(turns.sweep, now=now))
        await self.store.run(partial(deliveries.sweep, now=now))
        for repository in (inbox, connections, audits, spends, alerts, webhooks):
            await self.store.run(partial(repository.sweep, now=now))
        return gone, old

    def _answer(self, call: Call, outcome: Outcome) -> Answer:
        said, reply = outcome.spoken, outcome.reply
        tokens = said.tokens if said else None
        data = AnswerData(
            session_id=call.session.public_id,
            platform=call.platform.name,
            model=said.model if said else self.catalogue.serving(call.model),
            requested_model=call.model,
            message_count=call.session.message_count + 1,
            usage=None
            if tokens is None
            else Usage(
                prompt_tokens=tokens.prompt,
                completion_tokens=tokens.completion,
                total_tokens=tokens.total,
                cost=tokens.cost_usd,
            ),
            truncated=bool(said and said.truncated),
            trimmed=bool(said and said.trimmed),
            declined=bool(said and said.declined),
        )
        return Answer(
            response=reply.response,
            success=reply.success,
            error=reply.error,
            buttons=reply.buttons,
            images=reply.images,
            actions=reply.actions,
            data=data,
        )

    def _remember(
        self, db: Connection, call: Call, outcome: Outcome, used: Use, now: float
    ) -> None:
        session, platform, person = call.session, call.platform, call.message.user_id
        if outcome.forget == "person":
            turns.forget_person(db, platform.name, person)
            deliveries.forget_person(db, platform.name, person)
            inbox.forget_person(db, platform.name, person)
            sessions.forget_person(db, platform.name, person)
            profiles.forget(db, platform.name, person)
            connections.forget_person(db, call.person)
            places.forget_person(db, call.person)
            return
        if outcome.ban is not None:
            ban = inbox.ban if outcome.ban.banned else inbox.unban
            ban(db, platform.name, outcome.ban.user_id, now)
        if outcome.profile is not None:
            profiles.keep(db, platform.name, person, outcome.profile)
        told = outcome.spoken.told if outcome.spoken else session.told
        kept = sessions.count(
            db,
            session.id,
            now,
            prompt=used.prompt_tokens,
            completion=used.completion_tokens,
            cost_usd=used.cost_usd,
            told=told,
        )
        if not kept:
            return  # somebody deleted the session meanwhile: what was said goes with it
        if outcome.dialogue != "keep":
            dialogues.keep(db, self.sealer, session, outcome.dialogue)
        if outcome.forget == "history":
            history.clear(db, session.id)
        if outcome.exchange is not None and platform.max_history > 1:
            history.add(db, self.sealer, session.id, outcome.exchange, platform.max_history // 2)


def _used(platform: str, outcome: Outcome) -> Use:
    said = outcome.spoken
    if said is None or (tokens := said.tokens) is None:
        return Use(platform, said.model if said else "", 1, 0, 0, 0.0)
    prompt, completion = tokens.prompt or 0, tokens.completion or 0
    return Use(platform, said.model, 1, prompt, completion, tokens.cost_usd or 0.0)
