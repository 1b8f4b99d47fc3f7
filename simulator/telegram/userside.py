"""What a Telegram client would use, as JSON for tests and the page."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from simulator.telegram.bodies import Form, Upload, multipart, read
from simulator.telegram.chats import Chat
from simulator.telegram.events import Event
from simulator.telegram.failure import Json, Refused
from simulator.telegram.people import Impossible
from simulator.telegram.settings import menu
from simulator.telegram.world import TelegramWorld

PULSE = 1.0  # seconds between looks at whether the bot is there; also keeps the stream alive
Handler = Callable[[Request], Awaitable[Response]]


def userside(world: TelegramWorld) -> list[Route]:
    """Return the routes below `/_sim/telegram` that act as people."""
    side = _Side(world)
    user, chat = "/users/{user:int}", "/users/{user:int}/chats/{chat}"
    message = chat + "/messages/{message:int}"
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/users", side.users),
        ("POST", "/users", side.join),
        ("GET", user, side.overview),
        ("GET", user + "/events", side.events),
        ("POST", user + "/block", side.block),
        ("POST", user + "/unblock", side.unblock),
        ("POST", user + "/groups", side.found),
        ("GET", chat + "/messages", side.messages),
        ("POST", chat + "/messages", side.say),
        ("POST", chat + "/photos", side.photos),
        ("POST", chat + "/documents", side.document),
        ("POST", chat + "/voice", side.voice),
        ("POST", chat + "/stickers", side.sticker),
        ("POST", chat + "/read", side.read),
        ("POST", chat + "/topics", side.topic),
        ("POST", chat + "/bot", side.bot),
        ("PATCH", message, side.edit),
        ("POST", message + "/press", side.press),
        ("POST", "/chats/{chat}/migrate", side.migrate),
        ("GET", "/files/{id}", side.file),
    ]
    return [Route(path, _guarded(handler), methods=[method]) for method, path, handler in table]


def _guarded(handler: Handler) -> Handler:
    async def call(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return JSONResponse({"error": str(refused)}, refused.status)
        except Impossible as impossible:
            return JSONResponse({"error": str(impossible)}, 404)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"The request lacks something: {error!r}"}, 422)

    return call


class _Side:
    def __init__(self, world: TelegramWorld) -> None:
        self._world = world
        self._people = world.people

    # -- looking ----------------------------------------------------------------------------

    async def users(self, _: Request) -> Response:
        return JSONResponse([it.json() for it in self._world.persons.values()])

    async def overview(self, request: Request) -> Response:
        """Tell who the person is, who the bot is, and the chats with what is unread."""
        person = self._people.person(request.path_params["user"])
        chats = [self._chat(it, person.id) for it in self._people.chats(person.id)]
        return JSONResponse({"me": person.json(), "bot": self._bot(), "chats": chats})

    def _bot(self) -> Json:
        texts = self._world.texts
        return {
            **self._world.bot(),
            "description": texts.get(("description", ""), ""),
            "short_description": texts.get(("short_description", ""), ""),
            "is_there": self._world.bot_is_there,
        }

    def _chat(self, chat: Chat, person: int) -> Json:
        world = self._world
        last = max(chat.messages, default=0)
        seen = chat.read.get(person, 0)
        unread = sum(1 for it in chat.messages.values() if it.id > seen and it.sender != person)
        return {
            **chat.json(world.persons),
            "members": [world.persons[it].json() for it in chat.members],
            "topics": [{"id": number, "name": name} for number, name in chat.topics.items()],
            "last": world.json(chat.messages[last], whole=False) if last else None,
            "unread": unread,
            "away": chat.away,
            "typing": self._typing(chat),
            "commands": menu(
                world,
                chat=chat.id,
                person=person,
                language=world.persons[person].language_code,
            ),
        }

    def _typing(self, chat: Chat) -> Json | None:
        if chat.typing is None or chat.typing[2] < self._world.clock():
            return None
        return {"action": chat.typing[0], "thread": chat.typing[1]}

    async def messages(self, request: Request) -> Response:
        """Tell the messages of a chat in order, as the Bot API describes them."""
        chat = self._here(request)
        after = int(request.query_params.get("after", 0))
        everything = sorted(chat.messages.values(), key=lambda it: it.id)
        return JSONResponse([self._world.json(it) for it in everything if it.id > after])

    async def file(self, request: Request) -> Response:
        file = self._world.files.find(request.path_params["id"])
        picture = file.path.startswith("photos/")
        # Only what was drawn anew here is shown; the rest is saved, whatever it says it is.
        headers = {
            "Content-Disposition": "inline" if picture else "attachment",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=86400",
        }
        kind = "image/jpeg" if picture else "application/octet-stream"
        return Response(file.content, media_type=kind, headers=headers)

    async def events(self, request: Request) -> Response:
        """Stream what happens in this person's chats: messages, typing, answers to presses."""
        person = self._people.person(request.path_params["user"]).id
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._stream(person), media_type="text/event-stream", headers=headers
        )

    async def _stream(self, person: int) -> AsyncIterator[str]:
        shown: bool | None = None
        with self._world.events.listening() as queue:
            while True:
                there = self._world.bot_is_there
                # A comment now and then is how a connection that died is noticed.
                yield _event("bot", self._bot()) if there != shown else ": \n\n"
                shown = there
                try:
                    event = await asyncio.wait_for(queue.get(), PULSE)
                except TimeoutError:
                    continue
                while True:
                    if self._concerns(event, person):
                        yield _event(event[1], event[2])
                    if queue.empty():
                        break
                    event = queue.get_nowait()

    def _concerns(self, event: Event, person: int) -> bool:
        where, _, _, only = event
        if only not in {None, person}:
            return False
        chat = self._world.chats.get(where or 0)
        return chat is None or person in {chat.id, *chat.members}

    # -- acting -----------------------------------------------------------------------------

    def _here(self, request: Request) -> Chat:
        return self._people.chat(request.path_params["user"], _chat_id(request))

    def _told(self, message: Any) -> Response:
        return JSONResponse(self._world.json(message), 201)

    async def join(self, request: Request) -> Response:
        asked = await request.json()
        names = ("last_name", "username", "language_code")
        more = {name: str(asked[name]) for name in names if name in asked}
        person = self._people.join(str(asked["first_name"]), asked.get("id"), **more)
        return JSONResponse(person.json(), 201)

    async def say(self, request: Request) -> Response:
        """Send `{text, entities?, reply_to?, thread?}`."""
        asked = await request.json()
        chat = self._here(request)
        return self._told(
            self._people.say(
                request.path_params["user"],
                str(asked["text"]),
                chat.id,
                entities=asked.get("entities"),
                reply_to=asked.get("reply_to"),
                thread=asked.get("thread"),
            )
        )

    async def photos(self, request: Request) -> Response:
        """Send the parts `file` of a form as one picture or as an album."""
        form = await _form(request)
        sent = self._people.photos(
            request.path_params["user"],
            _files(form),
            self._here(request).id,
            caption=_text(form, "caption"),
            reply_to=_number(form, "reply_to"),
            thread=_number(form, "thread"),
        )
        return JSONResponse([self._world.json(it) for it in sent], 201)

    async def document(self, request: Request) -> Response:
        form = await _form(request)
        return self._told(
            self._people.document(
                request.path_params["user"],
                _files(form)[0],
                self._here(request).id,
                caption=_text(form, "caption"),
                reply_to=_number(form, "reply_to"),
                thread=_number(form, "thread"),
            )
        )

    async def voice(self, request: Request) -> Response:
        form = await _form(request)
        seconds = _number(form, "seconds") or 3
        user, chat = request.path_params["user"], self._here(request).id
        return self._told(self._people.voice(user, _files(form)[0], chat, seconds=seconds))

    async def sticker(self, request: Request) -> Response:
        asked = await request.json()
        user, chat = request.path_params["user"], self._here(request).id
        return self._told(self._people.sticker(user, str(asked.get("emoji", "👍")), chat))

    async def edit(self, request: Request) -> Response:
        asked = await request.json()
        user, message = request.path_params["user"], request.path_params["message"]
        return self._told(
            self._people.edit(user, message, str(asked["text"]), self._here(request).id)
        )

    async def press(self, request: Request) -> Response:
        """Press `{row, column}`, `{label}` or `{data}`; with `forged` the data is made up."""
        asked = await request.json()
        button = asked.get("data", asked.get("label"))
        pressed = self._people.press(
            request.path_params["user"],
            request.path_params["message"],
            button if button is not None else (int(asked["row"]), int(asked["column"])),
            self._here(request).id,
            forged=bool(asked.get("forged")),
        )
        return JSONResponse({"query_id": pressed.id}, 201)

    async def read(self, request: Request) -> Response:
        chat = self._here(request)
        chat.read[request.path_params["user"]] = max(chat.messages, default=0)
        return Response(status_code=204)

    async def block(self, request: Request) -> Response:
        self._people.block(request.path_params["user"])
        return Response(status_code=204)

    async def unblock(self, request: Request) -> Response:
        self._people.unblock(request.path_params["user"])
        return Response(status_code=204)

    async def found(self, request: Request) -> Response:
        """Make a group: `{title, members?, forum?}`."""
        asked = await request.json()
        members = [int(it) for it in asked.get("members", [])]
        forum = bool(asked.get("forum"))
        user = request.path_params["user"]
        group = self._people.found(user, str(asked["title"]), members, forum=forum)
        return JSONResponse(group.json(self._world.persons), 201)

    async def topic(self, request: Request) -> Response:
        asked = await request.json()
        user, chat = request.path_params["user"], _chat_id(request)
        return JSONResponse({"thread": self._people.open_topic(user, chat, asked["name"])}, 201)

    async def bot(self, request: Request) -> Response:
        """Bring the bot into a group or throw it out: `{present}`."""
        asked = await request.json()
        act = self._people.invite if asked["present"] else self._people.throw_out
        act(request.path_params["user"], self._here(request).id)
        return Response(status_code=204)

    async def migrate(self, request: Request) -> Response:
        group = self._people.migrate(_chat_id(request))
        return JSONResponse(group.json(self._world.persons), 201)


def _chat_id(request: Request) -> int:
    # Starlette's own `int` takes no group: their ids are negative.
    return int(request.path_params["chat"])


def _event(name: str, what: Json) -> str:
    return f"event: {name}\ndata: {json.dumps(what)}\n\n"


async def _form(request: Request) -> Form:
    return multipart(request, await read(request))


def _files(form: Form) -> list[Upload]:
    files = [it for it in form.get("file", []) if isinstance(it, Upload)]
    if not files:
        raise KeyError("file")
    return files


def _text(form: Form, name: str) -> str:
    return str(form.get(name, [""])[-1])


def _number(form: Form, name: str) -> int | None:
    said = _text(form, name)
    return int(said) if said else None
