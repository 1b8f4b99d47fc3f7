"""What a bot says about itself: commands by scope, name and descriptions by language."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.telegram.failure import Json, bad

if TYPE_CHECKING:
    from simulator.telegram.world import TelegramWorld

MOST_COMMANDS = 100
LONGEST_DESCRIPTION = 256  # of a command
SCOPES = {
    "default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat",
    "chat_administrators", "chat_member",
}  # fmt: skip
# What the methods call it, its field, and its longest form.
TEXTS = {
    "Name": ("name", 64),
    "Description": ("description", 512),
    "ShortDescription": ("short_description", 120),
}
Key = tuple[str, int, int, str]


def _key(asked: Json) -> Key:
    scope = asked.get("scope") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind not in SCOPES:
        raise bad("can't parse BotCommandScope: Unsupported type specified")
    try:
        chat, user = int(scope.get("chat_id") or 0), int(scope.get("user_id") or 0)
    except (TypeError, ValueError):
        raise bad("chat not found") from None
    return str(kind), chat, user, str(asked.get("language_code") or "")


def set_commands(world: "TelegramWorld", asked: Json) -> bool:
    commands = asked.get("commands")
    if not isinstance(commands, list):
        raise bad("can't parse commands: expected an Array of BotCommand")
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    world.commands[_key(asked)] = [_command(it) for it in commands]
    world.events.tell(None, "commands", {})
    return True


def _command(said: Any) -> Json:
    if not isinstance(said, dict):
        raise bad("can't parse BotCommand: expected an Object")
    name = str(said.get("command") or "").removeprefix("/").lower()
    about = str(said.get("description") or "").strip()
    if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
        raise bad("BOT_COMMAND_INVALID")
    if not 1 <= len(about) <= LONGEST_DESCRIPTION:
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": about}


def get_commands(world: "TelegramWorld", asked: Json) -> list[Json]:
    return world.commands.get(_key(asked), [])


def delete_commands(world: "TelegramWorld", asked: Json) -> bool:
    world.commands.pop(_key(asked), None)
    world.events.tell(None, "commands", {})
    return True


def menu(world: "TelegramWorld", *, chat: int, person: int, language: str) -> list[Json]:
    """Return the commands that a person sees in a chat: the narrowest scope that has any."""
    everywhere = "all_private_chats" if chat > 0 else "all_group_chats"
    scopes = [("chat_member", chat, person), ("chat", chat, 0), (everywhere, 0, 0)]
    for scope in [*scopes, ("default", 0, 0)]:
        for spoken in (language, ""):
            if found := world.commands.get((*scope, spoken)):
                return found
    return []


def _texts() -> dict[str, Callable[["TelegramWorld", Json], Any]]:
    made: dict[str, Callable[[TelegramWorld, Json], Any]] = {}
    for title, (field, longest) in TEXTS.items():

        def tell(world: "TelegramWorld", asked: Json, field: str = field) -> Json:
            spoken = str(asked.get("language_code") or "")
            default = world.name if field == "name" else ""
            found = world.texts.get((field, spoken)) or world.texts.get((field, ""), default)
            return {field: found}

        def put(
            world: "TelegramWorld", asked: Json, field: str = field, longest: int = longest
        ) -> bool:
            text = str(asked.get(field) or "")
            if len(text) > longest:
                raise bad(f"bot {field.replace('_', ' ')} is too long")
            key = (field, str(asked.get("language_code") or ""))
            if text:
                world.texts[key] = text
            else:
                world.texts.pop(key, None)
            world.events.tell(None, "people", {})
            return True

        made |= {f"setMy{title}": put, f"getMy{title}": tell}
    return made


METHODS: dict[str, Callable[["TelegramWorld", Json], Any]] = {
    "setMyCommands": set_commands,
    "getMyCommands": get_commands,
    "deleteMyCommands": delete_commands,
    **_texts(),
}
