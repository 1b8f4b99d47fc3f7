import pytest

from app.commands.base import Allowance
from app.commands.status import session_block
from tests.fakes import NOW, Dialogue, call, conversation, exchanges, message, session


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (-5, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "1 minute"),
        (3_599, "59 minutes"),
        (3_600, "1 hour"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_the_age_is_told_in_the_largest_unit(seconds: float, age: str) -> None:
    made = call(message("/status"), session=session(started_at=NOW - seconds))

    block = session_block(made, conversation().services)

    assert f"\n- Age: {age}\n" in block


@pytest.mark.parametrize(
    ("allowance", "told"),
    [
        (Allowance(60, 59, 0.0), "60 messages a minute, 59 left"),
        (Allowance(60, 0, 0.2), "60 messages a minute, 0 left, one more in 1 s"),
        (Allowance(20, 3, 41.0), "20 messages a minute, 3 left, one more in 41 s"),
    ],
)
def test_the_limit_says_what_is_left_and_when_there_is_more(
    allowance: Allowance, told: str
) -> None:
    block = session_block(call(message(""), allowance=allowance), conversation().services)

    assert block.endswith(f"- Limit: {told}")


async def test_the_message_itself_is_counted_and_history_is_what_the_model_sees() -> None:
    talk = Dialogue(conversation(), history=exchanges(40))

    heard = await talk.hear("/status")

    assert "\n- Messages: 1\n- History: 30 of 30 messages\n" in heard
