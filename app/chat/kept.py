"""A message as it is kept until it is answered, and where its answer belongs."""

import base64
import hashlib
from collections.abc import Sequence

import orjson

from app.llm.base import Picture
from app.sessions.sessions import Place
from app.storage.deliveries import Target
from app.storage.sealed import Sealer
from wire.message import Attachment, Message

INBOX = "inbox"  # the caller of a turn whose answer is delivered


def request_of(
    sealer: Sealer, message: Message, pictures: Sequence[Picture] = ()
) -> tuple[bytes, bytes]:
    """Return what is kept of a message, its pictures as they were prepared, and its fingerprint."""
    body = message.model_dump_json(exclude={"attachments"}).encode()
    mark = hashlib.sha256(body)
    for part in message.attachments:
        mark.update(part.model_dump_json().encode())
    kinds = [part.model_dump(exclude={"data"}) for part in message.attachments]
    images = [(each.media_type, base64.b64encode(each.data).decode()) for each in pictures]
    return orjson.dumps((body.decode(), kinds, images)), sealer.fingerprint(mark.digest())


def read(request: bytes) -> tuple[Message, tuple[Picture, ...]]:
    """Return the message, its attachments without their data, and the pictures."""
    body, kinds, images = orjson.loads(request)
    message = Message.model_validate_json(body)
    if kinds:
        parts = tuple(Attachment.model_validate(kind) for kind in kinds)
        message = message.model_copy(update={"attachments": parts})
    return message, tuple(Picture(kind, base64.b64decode(data)) for kind, data in images)


def target_of(message: Message) -> Target:
    """Return where the answer to a message goes."""
    source = None if message.pressed_message_id else message.message_id
    if source is not None and source.startswith("album-"):
        source = None  # the album is a turn, and has no message of its own
    return Target(message.platform, message.chat_id, message.thread_id, source, message.user_id)


def place_of(message: Message) -> Place:
    return Place(message.platform, message.chat_id, message.thread_id or "", message.user_id)
