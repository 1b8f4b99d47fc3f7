"""The whole reply of every command on both platforms, compared with stored ones."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from app.commands import COMMANDS
from app.llm.cards import ModelCard
from app.llm.catalogue import Catalogue
from app.llm.defaults import CARDS
from app.sessions.profiles import Profile
from tests.fakes import PLATFORMS, Dialogue, ScriptedModel, catalogue, conversation, exchanges
from tests.stored import GOLDEN, same_as_stored

TODAY = date(2026, 9, 22)
GONE = {
    "google/gemini-2.0-flash-001",
    "openai/gpt-5-chat",
    "x-ai/grok-4",
    "deepseek/deepseek-chat-v3-0324",
}
NOTHING_CHOSEN = Profile()


@dataclass(frozen=True)
class Scene:
    said: str
    history: int = 0
    profile: Profile = NOTHING_CHOSEN
    gone: bool = False
    message: tuple[tuple[str, str], ...] = ()
    platforms: tuple[str, ...] = ("telegram", "internal")


INTERNAL = ("internal",)
SCENES = {
    "start": Scene("/start"),
    "start-gone": Scene("/start", gone=True),
    "help": Scene("/help"),
    "status": Scene("/status", history=2),
    "status-gone": Scene("/status", gone=True),
    "session": Scene("/session"),
    "translate-usage": Scene("/translate"),
    "translate-usage-language": Scene("/translate german", message=(("language", "fa"),)),
    "translate": Scene("/translate german Good morning"),
    "model": Scene("/model"),
    "model-gone": Scene("/model", gone=True, platforms=INTERNAL),
    "model-alias": Scene("/model claude"),
    "model-full-id": Scene("/model openai/gpt-4.1", platforms=INTERNAL),
    "model-friendly": Scene("/model llama 4 MAVERICK", platforms=INTERNAL),
    "model-same": Scene("/model gpt5", platforms=INTERNAL),
    "model-near": Scene("/model cluade", platforms=INTERNAL),
    "model-unknown": Scene("/model *qqqq*`_x_", platforms=INTERNAL),
    "model-choose-gone": Scene("/model grok", gone=True, platforms=INTERNAL),
    "model-choose-lost": Scene("/model deepseek", gone=True, platforms=INTERNAL),
    "models": Scene("/models"),
    "models-gone": Scene(
        "/models", profile=Profile(model="x-ai/grok-4"), gone=True, platforms=INTERNAL
    ),
    "clear": Scene("/clear", history=2),
    "clear-nothing": Scene("/clear", platforms=INTERNAL),
    "summarize": Scene("/summarize", history=2),
    "summarize-nothing": Scene("/summarize", platforms=INTERNAL),
    "settings": Scene("/settings"),
    "settings-language": Scene("/settings language FRANÇAIS", platforms=INTERNAL),
    "settings-length": Scene("/settings length Short", platforms=INTERNAL),
    "settings-streaming": Scene("/settings streaming off", platforms=INTERNAL),
    "settings-timezone": Scene("/settings timezone europe/berlin", platforms=INTERNAL),
    "settings-default": Scene(
        "/settings language default", profile=Profile(language="German"), platforms=INTERNAL
    ),
    "settings-unknown": Scene("/settings colour `red`", platforms=INTERNAL),
    "settings-no-value": Scene("/settings language", platforms=INTERNAL),
    "settings-bad-language": Scene("/settings language klingon", platforms=INTERNAL),
    "settings-bad-length": Scene("/settings length huge", platforms=INTERNAL),
    "settings-bad-streaming": Scene("/settings streaming maybe", platforms=INTERNAL),
    "settings-bad-timezone": Scene("/settings timezone Mars/Olympus", platforms=INTERNAL),
    "forget": Scene("/forget"),
    "forget-yes": Scene("/forget YES"),
    "cancel": Scene("/cancel"),
    "cancel-as-stop": Scene("/stop"),
    "ban": Scene("/ban 5"),
    "unban": Scene("/unban 5"),
    "unknown": Scene("/frobnicate now"),
    "unknown-near": Scene("/transalte german hello"),
    "unknown-markup": Scene("/*bold*`code`[x](tg://user?id=1)"),
    "slash-alone": Scene("/"),
    "slash-blank": Scene("/ status"),
    "voice": Scene("", message=(("type", "voice"),)),
    "secret": Scene("Basic dXNlcjpwYXNzd29yZDEyMzQ1Ng=="),
}
CASES = [(name, platform) for name, scene in SCENES.items() for platform in scene.platforms]


def with_gone() -> Catalogue:
    """Return a catalogue whose list lacks `GONE`; the stand-in of DeepSeek is none."""
    known = catalogue()
    known.learn([card for card in CARDS.values() if card.id not in GONE], TODAY)
    return known


def dialogue(platform: str, scene: Scene) -> Dialogue:
    known = with_gone() if scene.gone else catalogue()
    model = ScriptedModel("Guten Morgen")
    talk = Dialogue(conversation(model, known), PLATFORMS[platform], profile=scene.profile)
    talk.history = exchanges(scene.history)
    return talk


@pytest.mark.parametrize(("name", "platform"), CASES)
async def test_the_whole_reply_is_the_stored_one(name: str, platform: str) -> None:
    scene = SCENES[name]

    fields: dict[str, Any] = dict(scene.message)
    outcome = await dialogue(platform, scene).say(scene.said, **fields)

    same_as_stored(f"{platform}/{name}", outcome.reply)


def test_no_stored_reply_is_left_without_its_test() -> None:
    stored = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("*/*.json")}

    assert stored == {f"{platform}/{name}.json" for name, platform in CASES}


def test_every_command_has_a_scene_on_every_platform() -> None:
    shown = {(scene.said.split()[0], name) for scene in SCENES.values() if scene.said
             for name in scene.platforms}  # fmt: skip

    # Those that look at networks have theirs in tests/networks, beside a Plume Cloud.
    talking = [each for each in COMMANDS if not each.networks]
    assert shown >= {(f"/{each.name}", name) for each in talking for name in PLATFORMS}


def test_gone_models_are_listed_as_such() -> None:
    assert {m for m in PLATFORMS["internal"].models if with_gone().is_gone(m)} == GONE


@pytest.mark.parametrize("said", ["/start", "/status", "/model", "/model a/b", "/models"])
async def test_a_name_from_the_providers_list_is_no_markup(said: str) -> None:
    known = catalogue()
    known.learn([ModelCard("a/b", "Evil **bold** `x`\n# [y](http://z)")], TODAY)
    platform = replace(PLATFORMS["internal"], models=("a/b", "openai/gpt-4.1"))

    text = await Dialogue(conversation(known=known), platform).hear(said)

    assert r"Evil \*\*bold\*\* \`x\` # \[y](http://z)" in text
