"""What is read of Telegram's updates; the rest of them passes by.

Source: Bot API, objects Update, Message, CallbackQuery, ChatMemberUpdated.
"""

from pydantic import BaseModel, ConfigDict, Field

LARGEST_ID = 2**63 - 1
LATEST = 2**37  # seconds since 1970; later years have five digits


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)


class User(Part):
    id: int
    is_bot: bool = False
    first_name: str = ""
    language_code: str | None = None


class Chat(Part):
    id: int
    type: str


class Photo(Part):
    file_id: str
    width: int
    height: int
    file_size: int | None = None


class Document(Part):
    file_id: str
    mime_type: str | None = None
    file_size: int | None = None


class Entity(Part):
    type: str
    user: User | None = None


class Quote(Part):
    text: str


class Quoted(Part):
    message_id: int
    from_: User | None = Field(default=None, alias="from")
    text: str | None = None
    caption: str | None = None


class Said(Quoted):
    # What else it holds says of which kind it is.
    model_config = ConfigDict(extra="allow")

    chat: Chat
    date: int = Field(ge=0, lt=LATEST)
    message_thread_id: int | None = None
    is_topic_message: bool = False
    sender_chat: Chat | None = None
    media_group_id: str | None = None
    reply_to_message: Quoted | None = None
    quote: Quote | None = None
    entities: list[Entity] = []
    caption_entities: list[Entity] = []
    photo: list[Photo] = []
    document: Document | None = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None


class Press(Part):
    id: str
    from_: User = Field(alias="from")
    message: Said | None = None
    data: str | None = None


class Member(Part):
    status: str
    is_member: bool = True


class Membership(Part):
    chat: Chat
    new_chat_member: Member


class Update(Part):
    update_id: int = Field(ge=0, le=LARGEST_ID)
    message: Said | None = None
    edited_message: Said | None = None
    callback_query: Press | None = None
    my_chat_member: Membership | None = None
