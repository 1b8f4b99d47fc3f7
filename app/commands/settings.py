import functools
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import replace

from app import texts
from app.commands.base import Call, Command, Outcome, Services
from app.commands.languages import language
from app.sessions.profiles import Profile
from wire.reply import Button, Reply

DEFAULT = "default"


class Refused(Exception):
    """A value that a setting cannot take."""


class Settings(Command):
    name = "settings"
    usage = "[setting] [value]"
    summary = "language and length of answers, streaming, time zone"
    refusal = texts.PRIVATE_ONLY

    async def run(self, call: Call, services: Services) -> Outcome:
        if not call.words:
            return Outcome(_shown(call.profile))
        name, *rest = call.words.split(maxsplit=1)
        name, value = name.lower(), rest[0] if rest else ""
        if name not in _CHANGES:
            return _refused(texts.SETTINGS_UNKNOWN.format(name=texts.code(name)), call.profile)
        change, expected = _CHANGES[name]
        if not value:
            text = texts.SETTINGS_WHICH.format(name=name, expected=expected)
            return _refused(text, call.profile)
        try:
            profile = change(call.profile, "" if value.lower() == DEFAULT else value)
        except Refused:
            text = texts.SETTINGS_VALUE.format(
                name=name.capitalize(), value=texts.code(value), expected=expected
            )
            return _refused(text, call.profile)
        return Outcome(_shown(profile, f"{texts.SETTINGS_KEPT}\n\n"), profile=profile)


def _language(profile: Profile, value: str) -> Profile:
    chosen = language(value)
    if value and chosen is None:
        raise Refused
    return replace(profile, language=chosen)


def _length(profile: Profile, value: str) -> Profile:
    match value.lower():
        case "":
            return replace(profile, length=None)
        case "short" | "normal" | "long" as chosen:
            return replace(profile, length=chosen)
        case _:
            raise Refused


def _streaming(profile: Profile, value: str) -> Profile:
    choices = {"": None, texts.ON: True, texts.OFF: False}
    if value.lower() not in choices:
        raise Refused
    return replace(profile, streaming=choices[value.lower()])


def _time_zone(profile: Profile, value: str) -> Profile:
    if value and value.lower() not in _zones():
        raise Refused
    return replace(profile, time_zone=_zones().get(value.lower()))


@functools.cache
def _zones() -> Mapping[str, str]:
    # Looking for them reads the disk for up to 30 ms.
    return {zone.lower(): zone for zone in zoneinfo.available_timezones()}


Change = Callable[[Profile, str], Profile]
_CHANGES: Mapping[str, tuple[Change, str]] = {
    "language": (_language, texts.SETTINGS_LANGUAGE),
    "length": (_length, texts.SETTINGS_LENGTH),
    "streaming": (_streaming, texts.SETTINGS_STREAMING),
    "timezone": (_time_zone, texts.SETTINGS_ZONE),
}


def _shown(profile: Profile, before: str = "") -> Reply:
    streaming = profile.streaming is not False
    text = texts.SETTINGS.format(
        language=profile.language or texts.AS_YOU_WRITE,
        length=profile.length or "normal",
        streaming=texts.ON if streaming else texts.OFF,
        time_zone=profile.time_zone or "UTC",
    )
    lengths = tuple(
        Button(label=name.capitalize(), send=f"/settings length {name}")
        for name in ("short", "normal", "long")
    )
    other = texts.OFF if streaming else texts.ON
    stream = Button(label=f"Streaming {other}", send=f"/settings streaming {other}")
    return Reply(response=before + text, buttons=(lengths, (stream,)))


def _refused(text: str, profile: Profile) -> Outcome:
    reply = _shown(profile, f"{text}\n\n")
    return Outcome(reply.model_copy(update={"success": False, "error": "setting_refused"}))
