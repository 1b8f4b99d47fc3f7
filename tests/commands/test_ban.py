from dataclasses import replace

import pytest

from app import texts
from app.commands.base import Ban
from tests.fakes import TELEGRAM, Dialogue, conversation

ADMIN, OTHER_ADMIN = "u1", "42"


@pytest.fixture
def dialogue() -> Dialogue:
    platform = replace(TELEGRAM, admins=frozenset({ADMIN, OTHER_ADMIN}))
    return Dialogue(conversation(), platform)


@pytest.mark.parametrize(("name", "banned"), [("ban", True), ("unban", False)])
async def test_an_administrator_says_who_may_talk(
    dialogue: Dialogue, name: str, *, banned: bool
) -> None:
    outcome = await dialogue.say(f"/{name} 123456789")

    assert outcome.ban == Ban("123456789", banned)
    assert outcome.reply.success
    assert "123456789" in outcome.reply.response


@pytest.mark.parametrize("name", ["ban", "unban"])
@pytest.mark.parametrize("words", ["", "@mina", "-4001", "0", "007", "12 34", "1" * 21, "٣"])
async def test_nobody_is_meant_but_by_a_number(dialogue: Dialogue, name: str, words: str) -> None:
    outcome = await dialogue.say(f"/{name} {words}")

    assert outcome.ban is None
    assert outcome.reply.response == texts.BAN_USE.format(name=name)


@pytest.mark.parametrize("name", ["ban", "unban"])
async def test_others_decide_nothing(dialogue: Dialogue, name: str) -> None:
    outcome = await dialogue.say(f"/{name} 123456789", user_id="u2")

    assert outcome.ban is None
    assert outcome.reply.error == "command_not_allowed"


async def test_an_administrator_is_not_locked_out(dialogue: Dialogue) -> None:
    banned = await dialogue.say(f"/ban {OTHER_ADMIN}")
    freed = await dialogue.say(f"/unban {OTHER_ADMIN}")

    assert (banned.ban, banned.reply.error) == (None, "command_not_allowed")
    assert freed.ban == Ban(OTHER_ADMIN, banned=False)
