"""The Bot API's methods: parameters in, result out."""

from collections.abc import Callable
from typing import Any

from simulator.telegram import settings
from simulator.telegram.bodies import Upload
from simulator.telegram.chats import TYPING_LIFE, Chat, Kept
from simulator.telegram.failure import SAME, Json, Refused, bad, webhook_set
from simulator.telegram.markup import inline
from simulator.telegram.texts import LONGEST_CAPTION, LONGEST_TEXT, formatted
from simulator.telegram.updates import MOST
from simulator.telegram.world import TelegramWorld

LONGEST_ANSWER = 200
DELETABLE = 48 * 3600  # seconds
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip
Method = Callable[[TelegramWorld, Json], Any]


def number(asked: Json, name: str, default: int = 0) -> int:
    """Return a whole number.

    Raises:
        Refused: it is none.
    """
    said = asked.get(name)
    if said in (None, ""):
        return default
    try:
        return int(said)
    except (TypeError, ValueError):
        raise bad(f'Parameter "{name}" must be a valid Integer') from None


def flag(asked: Json, name: str) -> bool:
    return str(asked.get(name, "")).lower() in {"true", "1", "yes", "y", "t"}


async def get_updates(world: TelegramWorld, asked: Json) -> list[Json]:
    if world.webhook.url:
        raise webhook_set()
    allow(world, asked)
    limit = max(1, min(number(asked, "limit", MOST) or MOST, MOST))
    timeout = max(0, number(asked, "timeout"))
    return await world.updates.take(number(asked, "offset"), limit, timeout)


def allow(world: TelegramWorld, asked: Json) -> None:
    """Remember which kinds are wanted. Left out means: as before."""
    kinds = asked.get("allowed_updates")
    if kinds is None:
        return
    if not isinstance(kinds, list):
        raise bad("can't parse allowed updates: expected an Array of String")
    world.updates.allowed = [str(kind) for kind in kinds]


def set_webhook(world: TelegramWorld, asked: Json) -> bool:
    if not asked.get("url"):
        return delete_webhook(world, asked)
    secret = str(asked.get("secret_token") or "")
    world.webhook.set(str(asked["url"]), secret, number(asked, "max_connections", 40))
    allow(world, asked)
    world.updates.end_poll("setWebhook")
    _drop(world, asked)
    return True


def delete_webhook(world: TelegramWorld, asked: Json) -> bool:
    world.webhook.stop()
    _drop(world, asked)
    return True


def _drop(world: TelegramWorld, asked: Json) -> None:
    if flag(asked, "drop_pending_updates"):
        world.updates.waiting.clear()


def get_me(world: TelegramWorld, _: Json) -> Json:
    return {
        **world.bot(),
        "can_join_groups": True,
        "can_read_all_group_messages": world.reads_all_in_groups,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def _target(world: TelegramWorld, asked: Json, content: Json) -> Json:
    """Send a message of the bot."""
    chat = world.chat_of(asked.get("chat_id"))
    thread = number(asked, "message_thread_id") or None
    if thread and thread not in chat.topics:
        raise bad("message thread not found")
    reply = asked.get("reply_parameters") or {}
    answered = number(reply, "message_id") or number(asked, "reply_to_message_id") or None
    if answered and answered not in chat.messages:
        if not flag(reply or asked, "allow_sending_without_reply"):
            raise bad("message to be replied not found")
        answered = None
    if answered and thread is None:
        thread = chat.messages[answered].thread
    markup = inline(asked.get("reply_markup"))
    kept = world.keep(chat, world.bot_id, content, reply_to=answered, thread=thread, markup=markup)
    return world.json(kept)


def _text(asked: Json) -> Json:
    _no_parse_mode(asked)
    entities = asked.get("entities")
    return formatted(str(asked.get("text") or ""), entities, longest=LONGEST_TEXT)


def _caption(asked: Json) -> Json:
    _no_parse_mode(asked)
    made = formatted(
        str(asked.get("caption") or ""),
        asked.get("caption_entities"),
        longest=LONGEST_CAPTION,
        empty_is_right=True,
    )
    names = {"text": "caption", "entities": "caption_entities"}
    return {names[name]: value for name, value in made.items() if value}


def _no_parse_mode(asked: Json) -> None:
    if asked.get("parse_mode"):
        # Telegram knows some; here nothing would judge what they make of a text.
        raise bad("unsupported parse_mode: the simulator takes entities")


def send_message(world: TelegramWorld, asked: Json) -> Json:
    world.chat_of(asked.get("chat_id"))
    return _target(world, asked, _text(asked))


def _photo(world: TelegramWorld, said: Any) -> list[Json]:
    if isinstance(said, Upload):
        return world.files.photo(said)
    known = world.files.find(_file_id(said))
    sizes = world.files.photos.get(known.id)
    return sizes or world.files.photo(Upload(known.name, known.media_type, known.content))


def _document(world: TelegramWorld, said: Any) -> Json:
    if isinstance(said, Upload):
        return world.files.document(said)
    known = world.files.find(_file_id(said))
    return {**known.json(), "file_name": known.name, "mime_type": known.media_type}


def _file_id(said: Any) -> str:
    text = str(said or "")
    if not text:
        raise bad("there is no photo in the request")
    if text.startswith(("http://", "https://")):
        # Telegram would fetch it; nothing here goes to other hosts.
        raise bad("failed to get HTTP URL content")
    return text


def send_photo(world: TelegramWorld, asked: Json) -> Json:
    world.chat_of(asked.get("chat_id"))
    return _target(world, asked, {"photo": _photo(world, asked.get("photo")), **_caption(asked)})


def send_document(world: TelegramWorld, asked: Json) -> Json:
    world.chat_of(asked.get("chat_id"))
    if not asked.get("document"):
        raise bad("there is no document in the request")
    file = _document(world, asked["document"])
    return _target(world, asked, {"document": file, **_caption(asked)})


def send_chat_action(world: TelegramWorld, asked: Json) -> bool:
    chat = world.chat_of(asked.get("chat_id"))
    action = str(asked.get("action") or "")
    if action not in ACTIONS:
        raise bad("wrong parameter action in request")
    thread = number(asked, "message_thread_id") or None
    chat.typing = (action, thread, world.clock() + TYPING_LIFE)
    told = {"chat_id": chat.id, "action": action, "thread": thread, "seconds": TYPING_LIFE}
    world.events.tell(chat.id, "typing", told)
    return True


def _own(world: TelegramWorld, asked: Json) -> Kept:
    """Return the message to edit."""
    if asked.get("inline_message_id"):
        raise bad("MESSAGE_ID_INVALID")
    chat = world.chat_of(asked.get("chat_id"))
    if not number(asked, "message_id"):
        raise bad("message identifier is not specified")
    message = chat.messages.get(number(asked, "message_id"))
    if message is None:
        raise bad("message to edit not found")
    if message.sender != world.bot_id:
        raise bad("message can't be edited")
    return message


def _change(world: TelegramWorld, message: Kept, content: Json, asked: Json) -> Json:
    markup = inline(asked.get("reply_markup"))
    if content == message.content and markup == message.markup:
        raise Refused(400, SAME)
    if content != message.content:
        message.edited = world.now()
    message.content, message.markup = content, markup
    world.show(message)
    return world.json(message)


def edit_text(world: TelegramWorld, asked: Json) -> Json:
    message = _own(world, asked)
    content = _text(asked)
    if not message.is_text:
        raise bad("there is no text in the message to edit")
    return _change(world, message, content, asked)


def edit_caption(world: TelegramWorld, asked: Json) -> Json:
    message = _own(world, asked)
    if message.is_text:
        raise bad("there is no caption in the message to edit")
    bare = {name: it for name, it in message.content.items() if not name.startswith("caption")}
    return _change(world, message, bare | _caption(asked), asked)


def edit_markup(world: TelegramWorld, asked: Json) -> Json:
    message = _own(world, asked)
    return _change(world, message, message.content, asked)


def edit_media(world: TelegramWorld, asked: Json) -> Json:
    message = _own(world, asked)
    media = asked.get("media")
    if not isinstance(media, dict):
        raise bad("can't parse media: expected an Object")
    said = media.get("media")
    if isinstance(said, str) and said.startswith("attach://"):
        said = asked.get(said.removeprefix("attach://"))
    content: Json
    if media.get("type") == "photo":
        content = {"photo": _photo(world, said)}
    elif media.get("type") == "document":
        content = {"document": _document(world, said)}
    else:
        raise bad("can't parse InputMedia: media type is not supported by the simulator")
    return _change(world, message, content | _caption(media), asked)


def delete_message(world: TelegramWorld, asked: Json) -> bool:
    chat = world.chat_of(asked.get("chat_id"))
    message = chat.messages.get(number(asked, "message_id"))
    if message is None:
        raise bad("message to delete not found")
    foreign = message.sender != world.bot_id and not chat.is_private and not chat.bot_is_admin
    if foreign or world.now() - message.date > DELETABLE:
        raise bad("message can't be deleted")
    world.remove(message)
    return True


def answer_callback(world: TelegramWorld, asked: Json) -> bool:
    text = str(asked.get("text") or "")
    if len(text) > LONGEST_ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": flag(asked, "show_alert")}
    world.answer_press(str(asked.get("callback_query_id") or ""), answer)
    return True


def get_file(world: TelegramWorld, asked: Json) -> Json:
    return world.files.link(str(asked.get("file_id") or ""), world.clock())


def get_chat(world: TelegramWorld, asked: Json) -> Json:
    return world.chat_of(asked.get("chat_id")).full(world.persons)


def leave_chat(world: TelegramWorld, asked: Json) -> bool:
    chat: Chat = world.chat_of(asked.get("chat_id"))
    if chat.is_private:
        raise bad("chat member status can't be changed in private chats")
    chat.away = f"bot is not a member of the {chat.type} chat"
    world.events.tell(chat.id, "chat", {"chat_id": chat.id})
    return True


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": lambda world, _: world.webhook.info(),
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "editMessageReplyMarkup": edit_markup,
    "editMessageMedia": edit_media,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback,
    "getFile": get_file,
    "getChat": get_chat,
    "leaveChat": leave_chat,
    **settings.METHODS,
}
