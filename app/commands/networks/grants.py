from datetime import UTC, datetime
from typing import ClassVar

from app import texts, words
from app.commands.base import Call, Outcome
from app.commands.networks.base import NetworkCommand, refusal, rows
from app.panoptes.access import narrowed
from app.panoptes.finding import HEX_ID
from app.panoptes.panoptes import Panoptes
from app.sessions.connections import EVERYBODY, EVERYTHING, Person, Scope
from wire.reply import Reply

MOST_LINES = 20


class Refused(Exception):
    """What was typed cannot be granted."""


class Grant(NetworkCommand):
    name = "grant"
    usage = "<id> [customer <id>] [location <id>]"
    summary = "let a colleague look through my sign-in"
    for_admins: ClassVar[bool] = True
    refusal = texts.ADMINS_ONLY

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        who, *rest = call.words.split() or [""]
        try:
            scope = _scope(rest)
        except Refused:
            return refusal(words.GRANT_USE, "command_usage")
        if not _is_person(who):
            return refusal(words.GRANT_USE, "command_usage")
        await panoptes.access.grant(call.person, Person(call.platform.name, who), scope)
        text = words.GRANTED.format(who=_named(who), what=_what(scope))
        return Outcome(Reply(response=text, buttons=rows("grants", "locations")))


class Revoke(NetworkCommand):
    name = "revoke"
    usage = "<id>"
    summary = "end a colleague's access"
    for_admins: ClassVar[bool] = True
    refusal = texts.ADMINS_ONLY

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        if not _is_person(call.words):
            return refusal(words.REVOKE_USE, "command_usage")
        gone = await panoptes.access.revoke(call.person, Person(call.platform.name, call.words))
        text = words.REVOKED if gone else words.REVOKED_NOTHING
        reply = Reply(response=text.format(who=_named(call.words)), buttons=rows("grants"))
        return Outcome(reply)


class Grants(NetworkCommand):
    name = "grants"
    summary = "who looks through my sign-in, and at what"
    for_admins: ClassVar[bool] = True
    refusal = texts.ADMINS_ONLY

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        granted = await panoptes.access.granted(call.person)
        lines = [
            words.GRANTS_LINE.format(who=_named(each.person.user_id), what=_what(each.scope))
            for each in granted
        ]
        looked = await panoptes.access.audits(call.person, MOST_LINES)
        seen = [
            words.AUDIT_LINE.format(
                time=datetime.fromtimestamp(each.at, UTC).strftime("%d %b %H:%M UTC"),
                who=_named(each.user_id),
                action=texts.plain(each.action),
                where=f" {texts.code(each.location_id)}" if each.location_id else "",
            )
            for each in looked
        ]
        text = words.GRANTS.format(lines="\n".join(lines)) if lines else words.GRANTS_NOBODY
        audit = words.AUDIT.format(lines="\n".join(seen)) if seen else words.AUDIT_NOTHING
        return Outcome(Reply(response=f"{text}\n\n{audit}", buttons=rows("locations")))


class Invite(NetworkCommand):
    """A link that works once. Where the bot's name is unknown, the command to send instead."""

    name = "invite"
    usage = "[customer <id>] [location <id>]"
    summary = "make a link that lets one colleague look"
    for_admins: ClassVar[bool] = True
    only_private: ClassVar[bool] = True
    refusal = texts.ADMINS_ONLY

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        try:
            scope = _scope(call.words.split())
        except Refused:
            return refusal(words.GRANT_USE, "command_usage")
        token = await panoptes.access.invite(call.person, scope)
        link = panoptes.link(token)
        text = words.INVITED.format(what=_what(scope), link=texts.code(link, len(link)))
        return Outcome(Reply(response=text, buttons=rows("grants")))


def _scope(said: list[str]) -> Scope:
    kinds: dict[str, list[str]] = {"customer": [], "location": []}
    if len(said) % 2:
        raise Refused
    for kind, number in zip(said[::2], said[1::2], strict=True):
        if kind.lower() not in kinds or not HEX_ID.fullmatch(number):
            raise Refused
        kinds[kind.lower()].append(number.lower())
    return narrowed(EVERYTHING, customers=kinds["customer"], locations=kinds["location"])


def _is_person(said: str) -> bool:
    return said == EVERYBODY or (said.isascii() and said.isdigit() and len(said) <= 20)  # noqa: PLR2004


def _named(user_id: str) -> str:
    return words.EVERYBODY if user_id == EVERYBODY else texts.code(user_id)


def _what(scope: Scope) -> str:
    if scope.everything:
        return words.GRANT_EVERYTHING
    parts = [f"customer {texts.code(each)}" for each in sorted(scope.customers or ())]
    parts += [f"location {texts.code(each)}" for each in sorted(scope.locations or ())]
    return words.GRANT_SOME.format(parts=", ".join(parts))
