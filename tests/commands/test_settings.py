import pytest

from app.sessions.profiles import Profile
from tests.fakes import INTERNAL, Dialogue, ScriptedModel, conversation

ALL = Profile("openai/gpt-4.1", "French", "long", streaming=False, time_zone="Asia/Tehran")


@pytest.mark.parametrize(
    ("said", "profile"),
    [
        ("/settings language german", Profile(language="German")),
        ("/settings language\ngerman", Profile(language="German")),
        ("/SETTINGS Language  de-AT", Profile(language="German")),
        ("/settings length LONG", Profile(length="long")),
        ("/settings length normal", Profile(length="normal")),
        ("/settings streaming off", Profile(streaming=False)),
        ("/settings streaming On", Profile(streaming=True)),
        ("/settings timezone asia/tehran", Profile(time_zone="Asia/Tehran")),
        ("/settings timezone utc", Profile(time_zone="UTC")),
    ],
)
async def test_a_setting_is_kept(said: str, profile: Profile) -> None:
    talk = Dialogue(conversation())

    outcome = await talk.say(said)

    assert outcome.profile == profile
    assert outcome.reply.success


@pytest.mark.parametrize("name", ["language", "length", "streaming", "timezone"])
async def test_default_takes_one_setting_back_and_leaves_the_others(name: str) -> None:
    outcome = await Dialogue(conversation(), INTERNAL, ALL).say(f"/settings {name} Default")

    field = {"timezone": "time_zone"}.get(name, name)
    kept = outcome.profile
    assert kept is not None
    changed = {n for n in Profile.__slots__ if getattr(kept, n) != getattr(ALL, n)}
    assert changed == {field}
    assert getattr(kept, field) is None


@pytest.mark.parametrize(
    "words",
    ["language", "length", "streaming", "timezone", "length huge", "language klingon",
     "streaming maybe", "timezone ../../etc/passwd", "timezone Mars", "colour red", "`x`"],
)  # fmt: skip
async def test_nothing_changes_where_the_value_is_missing_or_unknown(words: str) -> None:
    outcome = await Dialogue(conversation(), INTERNAL, ALL).say(f"/settings {words}")

    assert outcome.profile is None
    assert (outcome.reply.success, outcome.reply.error) == (False, "setting_refused")


async def test_every_button_does_what_it_says() -> None:
    talk = Dialogue(conversation())
    buttons = [button for row in (await talk.say("/settings")).reply.buttons for button in row]

    outcomes = [await talk.say(button.send or "") for button in buttons]

    assert all(outcome.reply.success and outcome.profile for outcome in outcomes)
    assert talk.profile == Profile(length="long", streaming=False)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/settings language german", "Answer in German."),
        ("/settings length short", "Answer in at most three sentences."),
        ("/settings length long", "Answer in depth, with examples where they help."),
    ],
)
async def test_the_model_is_told_of_a_setting(said: str, told: str) -> None:
    model = ScriptedModel()
    talk = Dialogue(conversation(model))
    await talk.say("Before")

    await talk.say(said)
    await talk.say("After")

    before, after = (ask.system for ask in model.asked)
    assert told not in before
    assert told in after
