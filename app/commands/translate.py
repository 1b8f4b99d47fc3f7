from app import texts
from app.commands.base import Call, Command, Outcome, Services
from app.commands.conversation import spoken
from app.commands.languages import language
from app.llm.base import Turn
from wire.reply import Reply

DEFAULT = "English"


class Translate(Command):
    name = "translate"
    usage = "[language] [text]"
    summary = "translate a text, or the message you reply to"

    async def run(self, call: Call, services: Services) -> Outcome:
        own = call.profile.language or language(call.message.language or "") or DEFAULT
        target, text = _read(call.words)
        text = text or (call.message.reply_to_text or "").strip()
        if not text:
            return Outcome(
                Reply(
                    response=texts.TRANSLATE_USE.format(language=own),
                    success=False,
                    error="command_usage",
                )
            )
        task = texts.TRANSLATE_TASK.format(language=target or own)
        return spoken(await services.assistant.speak(call, [Turn("user", text)], task))


def _read(words: str) -> tuple[str | None, str]:
    first, rest = _split(words)
    if first.lower() == "to" and rest:
        first, rest = _split(rest)
    target = language(first.rstrip(":,"))
    return (None, words) if target is None else (target, rest)


def _split(words: str) -> tuple[str, str]:
    """Return the first word and the rest, whose own lines stay as they are."""
    first, *rest = words.split(maxsplit=1) or ("",)
    return first, rest[0] if rest else ""
