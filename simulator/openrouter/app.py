"""The HTTP side: OpenRouter's endpoints, a strict OpenAI twin, and the switchboard."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from simulator.openrouter import checks, failure
from simulator.openrouter.accounts import described_generation, described_key, problem_of_key
from simulator.openrouter.catalogue import FAULT_PREFIX, described
from simulator.openrouter.completion import Answer, Call, Dialect, answered, usage
from simulator.openrouter.failure import Failure, Refused, bad
from simulator.openrouter.faults import FAULTS, MARK, is_refusal, perform
from simulator.openrouter.model import answer
from simulator.openrouter.world import CHAT, Generation, OpenRouterWorld, Recorded
from simulator.script import Play, Script

Endpoint = Callable[[Request], Awaitable[Response]]


def create_openrouter(world: OpenRouterWorld) -> Starlette:
    """Return the app: `/api/v1`, `/openai/v1` and, for other processes, `/_sim`.

    It has to run on `simulator.sockets.OpenProtocol`, or faults of the socket are a 500.
    """
    return Starlette(
        routes=[
            Mount("/api/v1", routes=_api(_Door(world, "openrouter"))),
            Mount("/openai/v1", routes=_openai(_Door(world, "openai"))),
            Mount("/_sim", routes=_switchboard(world)),
        ]
    )


def _api(door: "_Door") -> list[Route]:
    return [
        Route(CHAT, door.chat, methods=["POST"]),
        Route("/models", door.guarded("/models", door.models)),
        Route("/model/{slug:path}", door.guarded("/model", door.model)),
        Route("/key", door.guarded("/key", door.key)),
        Route("/credits", door.guarded("/credits", door.credits)),
        Route("/generation", door.guarded("/generation", door.generation)),
    ]


def _openai(door: "_Door") -> list[Route]:
    return [
        Route(CHAT, door.chat, methods=["POST"]),
        Route("/models", door.guarded("/models", door.poor_models)),
    ]


class _Door:
    """One prefix of the API."""

    def __init__(self, world: OpenRouterWorld, dialect: Dialect) -> None:
        self._world = world
        self._dialect = dialect

    async def chat(self, request: Request) -> Response:
        raw = await request.body()
        try:
            body = json.loads(raw)
        except ValueError:
            body = raw.decode(errors="replace")
        self._record(request, body)
        try:
            self._let_in(request)
            call, script = self._answered(body)
        except Refused as refused:
            return self._refuse(refused.failure)
        return Play(script, self._keep(call))

    def guarded(self, at: str, endpoint: Callable[[Request], Response]) -> Endpoint:
        """Put the check of the key, the log and queued faults before an endpoint."""

        async def call(request: Request) -> Response:
            self._record(request, None)
            try:
                self._let_in(request)
                if name := self._world.take_fault(at):
                    return Play(perform(name, self._call({}, checks.DEFAULT_MODEL)), _ignore)
                return endpoint(request)
            except Refused as refused:
                return self._refuse(refused.failure)

        return call

    def _record(self, request: Request, body: Any) -> None:
        headers = dict(request.headers)
        if "authorization" in headers:
            headers["authorization"] = "[redacted]"
        self._world.requests.append(
            Recorded(request.method, request.url.path, headers, body, self._world.clock())
        )

    def _let_in(self, request: Request) -> None:
        keys = self._world.keys | self._world.management_keys
        if problem := problem_of_key(request.headers.get("authorization"), keys):
            raise Refused(Failure(401, problem, "authentication"))

    def _refuse(self, told: Failure) -> Response:
        return JSONResponse(told.body(self._dialect), told.status, dict(told.headers))

    def _call(self, body: dict[str, Any], slug: str) -> Call:
        entry = checks.resolve(self._world, slug)
        said = Answer("")
        tokens = 1
        if body:
            tokens = checks.suits(entry, body)
            said = answer(body, entry)
        return Call(
            self._world,
            body,
            entry,
            said,
            self._world.new_id(),
            int(self._world.clock()),
            tokens,
            self._dialect,
        )

    def _answered(self, raw: Any) -> tuple[Call, Script]:
        """Try the models in their order; the error of the last one counts."""
        body = checks.check(raw)
        if self._dialect == "openai":
            checks.check_openai(body)
        queued = self._world.take_fault(CHAT) or _worded_fault(body)
        slugs = checks.candidates(body)
        for number, slug in enumerate(slugs, 1):
            last = number == len(slugs)
            try:
                call = self._call(body, slug)
                self._check_credit(call)
            except Refused:
                if last:
                    raise
                continue
            named = slug.removeprefix(FAULT_PREFIX) if slug.startswith(FAULT_PREFIX) else None
            if named and is_refusal(named) and not last:
                continue
            fault = queued or named
            return call, perform(fault, call) if fault else answered(call)
        raise bad("No models provided")

    def _check_credit(self, call: Call) -> None:
        left = self._world.credits - self._world.used
        if left <= 0:
            raise Refused(failure.no_credit())
        asked = call.body.get("max_tokens") or call.entry.max_output
        price = float(call.entry.cost(0, 1)[1])
        if asked * price > left:
            raise Refused(failure.cannot_afford(asked, int(left / price)))

    def _keep(self, call: Call) -> Callable[[bool], None]:
        """Note the generation; the function says how it ended."""
        world = self._world
        noted = Generation(
            call.id,
            call.model,
            call.entry.provider,
            call.streams,
            world.clock(),
            usage(call),
            call.answer.finish,
            call.answer.native or call.answer.finish,
            call.body.get("user"),
            call.body.get("session_id"),
        )
        world.generations[call.id] = noted

        def ended(client_left: bool) -> None:  # noqa: FBT001  (the only thing it tells)
            noted.ended = world.clock()
            # Only a stream can be cancelled; a plain answer is made and paid for to its end.
            noted.cancelled = client_left and call.streams
            if noted.cancelled:
                world.cancelled.append(call.id)
            world.used += noted.usage.get("cost", 0.0)

        return ended

    def models(self, _: Request) -> Response:
        listed = [described(it, n) for n, it in enumerate(self._world.catalogue.values())]
        body = {"data": listed, "total_count": len(listed), "links": {"next": None}}
        return JSONResponse(body)

    def model(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        try:
            return JSONResponse({"data": described(checks.resolve(self._world, slug))})
        except Refused as refused:
            # A chat with an unknown model is a 400, but this resource is not found.
            raise Refused(Failure(404, str(refused), "not_found")) from refused

    def poor_models(self, _: Request) -> Response:
        """Return the list as OpenAI-compatible servers do: names alone."""
        listed = [
            {"id": slug, "object": "model", "created": 0, "owned_by": slug.split("/")[0]}
            for slug in self._world.catalogue
        ]
        return JSONResponse({"object": "list", "data": listed})

    def key(self, request: Request) -> Response:
        return JSONResponse(described_key(self._world, _key(request)))

    def credits(self, request: Request) -> Response:
        if _key(request) not in self._world.management_keys:
            message = "Only management keys can perform this operation"
            raise Refused(Failure(403, message, "permission_denied"))
        told = {"total_credits": self._world.credits, "total_usage": self._world.used}
        return JSONResponse({"data": told})

    def generation(self, request: Request) -> Response:
        noted = self._world.generations.get(request.query_params.get("id", ""))
        age = None if noted is None else self._world.clock() - (noted.ended or float("inf"))
        if noted is None or age is None or age < self._world.index_delay:
            raise Refused(Failure(404, "Generation not found", "not_found"))
        return JSONResponse(described_generation(noted))


def _ignore(client_left: bool) -> None:  # noqa: FBT001  (as `Play` calls it)
    """Nothing is kept of requests that are no chat."""


def _key(request: Request) -> str:
    return request.headers["authorization"].split()[-1]


def _worded_fault(body: dict[str, Any]) -> str | None:
    said = [message for message in body["messages"] if message["role"] == "user"]
    marks = [MARK.search(text) for text in checks.texts(said[-1])] if said else []
    return next((mark[1] for mark in marks if mark), None)


def _switchboard(world: OpenRouterWorld) -> list[Route]:
    async def faults(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse({name: fault.about for name, fault in FAULTS.items()})
        asked = await request.json()
        try:
            world.next(asked["name"], int(asked.get("times", 1)), asked.get("at", CHAT))
        except KeyError:
            return JSONResponse({"error": "There is no such fault."}, 404)
        return Response(status_code=204)

    async def requests(_: Request) -> Response:
        return JSONResponse([asdict(request) for request in world.requests])

    async def reset(_: Request) -> Response:
        world.reset()
        return Response(status_code=204)

    return [
        Route("/faults", faults, methods=["GET", "POST"]),
        Route("/requests", requests),
        Route("/reset", reset, methods=["POST"]),
    ]
