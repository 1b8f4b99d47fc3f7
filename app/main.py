"""The one place that opens, wires and closes everything."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import FastAPI
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from loguru import logger
from slowapi import Limiter
from sqlalchemy.engine import make_url
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.api import docs, messages, problems, webhook
from app.api.auth import Caller, Keys
from app.api.edge import Edge
from app.api.health import Health
from app.api.network import network_router
from app.api.parts import Parts
from app.api.public import public_router
from app.api.sessions import sessions_router
from app.chat.assistant import ModelAssistant
from app.chat.conversation import Conversation
from app.chat.inbox import Inbox
from app.chat.lanes import Lanes
from app.chat.limits import Limits
from app.chat.memory import Memory
from app.chat.outbox import Outbox
from app.chat.processor import Processor
from app.commands import COMMANDS
from app.commands.base import Services
from app.drawing import Drawing
from app.errors import AppError
from app.http import open_client
from app.images import Images
from app.llm import defaults
from app.llm.catalogue import Catalogue, parse_aliases, parse_replacements
from app.llm.openrouter import OpenRouter, open_http
from app.llm.patience import Patience
from app.llm.watched import Watched
from app.panoptes.access import Access
from app.panoptes.panoptes import Draw, Panoptes
from app.panoptes.reports import Reports
from app.platforms.files import TelegramFiles
from app.platforms.platform import Platform, models_of
from app.platforms.telegram import Bot
from app.plume.budget import Budget
from app.plume.client import Plume
from app.plume.desk import Cloud
from app.settings import (
    KeySettings,
    ModelSettings,
    PlatformSettings,
    PlumeSettings,
    Settings,
    TelegramSettings,
)
from app.storage import turns
from app.storage.sealed import Sealer, read_keys
from app.storage.sqlite import open_sqlite

SWEEP_EVERY = 60.0  # seconds
LEARN_EVERY = 86_400.0
LEARN_AGAIN = 600.0  # after a failure
LOOK_AGAIN = 30.0
MEGABYTE = 1024 * 1024
TEXT_CAP = 256 * 1024  # bytes of a body beside its pictures


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    draw: Draw | None = None,
) -> FastAPI:
    """Return the service. Entering its lifespan opens everything, leaving it closes it.

    Charts are drawn by a process of their own, unless `draw` is given.

    Raises (on entering):
        StorageRefused, NewerDatabase, KeyRefused: the text says why.
    """
    service = settings.service
    attempts = MovingWindowRateLimiter(MemoryStorage())
    keys = Keys(
        _callers(settings.keys), attempts, parse(service.login_rate_limit), service.trusted_proxies
    )
    limiter = Limiter(key_func=keys.address)
    app = FastAPI(
        title=docs.TITLE,
        version=__version__,
        lifespan=lambda app: _open(app, settings, keys, clock, patience, draw),
        docs_url=None,
        redoc_url=None,
        openapi_url=docs.OPENAPI if service.docs else None,
        redirect_slashes=False,
    )
    app.openapi = lambda: docs.document(app)  # type: ignore[method-assign]
    app.state.limiter = limiter
    problems.install(app)
    if service.docs:
        docs.install(app)
    app.include_router(messages.router)
    app.include_router(webhook.router)
    app.include_router(network_router())
    app.include_router(sessions_router(limiter, service.http_rate_limit))
    app.include_router(public_router(limiter, service.http_rate_limit))
    if service.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["X-Request-ID", "Retry-After", *messages.LIMIT_HEADERS],
        )
    app.add_middleware(Edge)
    return app


@contextlib.asynccontextmanager
async def _open(
    app: FastAPI,
    settings: Settings,
    keys: Keys,
    clock: Callable[[], float],
    patience: Patience,
    draw: Draw | None,
) -> AsyncIterator[None]:
    sealer = Sealer(read_keys(settings.keys.encryption_key_file))
    catalogue = _catalogue(settings.models, settings.platforms)
    platforms = _platforms(settings.platforms, settings.telegram, settings.plume)
    async with contextlib.AsyncExitStack() as stack:
        store = stack.enter_context(open_sqlite(make_url(settings.storage.database_url)))
        provider = await _provider(stack, settings.models, patience)
        model = Watched(provider)
        memory = Memory(store, sealer, catalogue, settings.platforms.session_timeout_minutes * 60)
        lanes = Lanes(store, sealer, clock)
        assistant = ModelAssistant(model, catalogue, settings.models.max_tokens, _pseudonym(sealer))
        image_bytes = settings.images.max_image_size_mb * MEGABYTE
        outbox = Outbox(store, sealer, clock)
        files = _files(stack, settings.telegram)
        plume = await _plume(stack, settings.plume, clock)
        panoptes = None
        if plume is not None:
            access = Access(store, sealer, plume, clock)
            if draw is None:
                draw = (await stack.enter_async_context(Drawing())).draw
            panoptes = Panoptes(access, Reports(access), lambda: inbox.bot.name, draw)
        processor = Processor(
            platforms=platforms,
            memory=memory,
            lanes=lanes,
            limits=Limits(),
            images=stack.enter_context(Images()),
            max_image_bytes=image_bytes if settings.images.enable_image_processing else 0,
            conversation=Conversation(Services(assistant, catalogue, COMMANDS, panoptes)),
            outbox=outbox,
            files=files,
            clock=clock,
        )
        inbox = Inbox(platforms, processor, outbox, _bot(settings.telegram))
        secret = settings.telegram.telegram_webhook_secret
        app.state.parts = Parts(
            processor=processor,
            memory=memory,
            platforms=platforms,
            keys=keys,
            health=Health(store, catalogue, model, plume.watch if plume else None),
            open_stats=settings.service.open_stats,
            open_sessions=not settings.service.production,
            body_cap=TEXT_CAP + image_bytes * 4 // 3,
            inbox=inbox,
            outbox=outbox,
            panoptes=panoptes,
            webhook_secret=secret.get_secret_value() if secret else "",
        )
        # Nobody else is alive on this database: what was being answered is taken up at once.
        if freed := await store.run(turns.release):
            logger.info("turns.taken_up", turns=freed)
        background = [
            asyncio.create_task(lanes.keep(processor.resume)),
            asyncio.create_task(_sweep(memory, clock)),
            asyncio.create_task(outbox.care()),
        ]
        # A gateway's list says little: names of its own, no abilities, wildcards left out.
        if provider is not None and settings.models.openrouter_dialect == "openrouter":
            background.append(asyncio.create_task(_learn(provider, catalogue, clock)))
        for task in background:
            task.add_done_callback(_ended)
        if files is not None:
            background.append(asyncio.create_task(_introduce(files, inbox)))
        logger.info("service.started", version=__version__, ai=model.configured)
        try:
            yield
        finally:
            outbox.close()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            logger.info("service.stopped")


def _ended(task: "asyncio.Task[None]") -> None:
    # They run for as long as the service does; one that ends by itself must not do so in silence.
    if not task.cancelled():
        logger.opt(exception=task.exception()).critical("background.ended")


def _callers(keys: KeySettings) -> Mapping[str, Caller]:
    admin = keys.admin_api_key
    callers = {
        keys.internal_api_key.get_secret_value(): Caller("internal", admin=admin is None),
        keys.bot_api_key.get_secret_value(): Caller("telegram"),
    }
    if admin is not None:
        callers[admin.get_secret_value()] = Caller("", admin=True)
    return callers


def _platforms(
    settings: PlatformSettings, telegram: TelegramSettings, plume: PlumeSettings
) -> Mapping[str, Platform]:
    return {
        "telegram": Platform(
            name="telegram",
            networks=plume.plume_enabled,
            networks_in_groups=plume.network_in_groups,
            public=True,
            models=(settings.telegram_model,),
            rate_limit=settings.telegram_rate_limit,
            max_history=settings.telegram_max_history,
            commands=frozenset(settings.telegram_commands),
            daily_turns=telegram.telegram_daily_turns,
            allowed_users=frozenset(map(str, telegram.telegram_allowed_users)),
            admins=frozenset(map(str, telegram.telegram_admin_users)),
        ),
        "internal": Platform(
            name="internal",
            networks=plume.plume_enabled,
            networks_in_groups=plume.network_in_groups,
            public=False,
            models=models_of(
                settings.internal_default_model, settings.internal_models or defaults.MODELS
            ),
            rate_limit=settings.internal_rate_limit,
            max_history=settings.internal_max_history,
        ),
    }


def _catalogue(models: ModelSettings, platforms: PlatformSettings) -> Catalogue:
    return Catalogue(
        models=models_of(
            platforms.internal_default_model,
            [*(platforms.internal_models or defaults.MODELS), platforms.telegram_model],
        ),
        aliases=parse_aliases(defaults.ALIASES) | parse_aliases(models.model_aliases),
        replacements=parse_replacements(defaults.REPLACEMENTS)
        | parse_replacements(models.model_replacements),
        max_price=models.replacement_max_price,
    )


async def _provider(
    stack: contextlib.AsyncExitStack, settings: ModelSettings, patience: Patience
) -> OpenRouter | None:
    key = settings.openrouter_api_key
    if key is None and settings.openrouter_dialect == "openrouter":
        logger.warning("llm.off", reason="OPENROUTER_API_KEY is not set")
        return None
    http = open_http(
        str(settings.openrouter_service_url),
        key.get_secret_value() if key else "",
        dialect=settings.openrouter_dialect,
    )
    await stack.enter_async_context(http)
    return OpenRouter(http, dialect=settings.openrouter_dialect, patience=patience)


async def _plume(
    stack: contextlib.AsyncExitStack, settings: PlumeSettings, clock: Callable[[], float]
) -> Plume | None:
    if not settings.plume_enabled:
        return None
    cloud = Cloud(
        str(settings.plume_sso_url),
        str(settings.plume_api_base),
        str(settings.plume_reports_base),
        settings.plume_reports_client_id,
    )
    budget = Budget(clock=time.monotonic, per_second=settings.plume_calls_per_second)
    http = await stack.enter_async_context(open_client())
    return Plume(http, cloud, budget=budget, now=clock)


def _files(stack: contextlib.AsyncExitStack, settings: TelegramSettings) -> TelegramFiles | None:
    token = settings.telegram_bot_token
    if token is None:
        return None
    files = TelegramFiles(str(settings.telegram_api_base), token.get_secret_value())
    stack.push_async_callback(files.close)
    return files


def _bot(settings: TelegramSettings) -> Bot:
    """Return who the bot is, as far as its token says; Telegram tells the name."""
    token = settings.telegram_bot_token
    if token is None:
        return Bot()
    return Bot(token.get_secret_value().partition(":")[0], asked=True)


async def _introduce(files: TelegramFiles, inbox: Inbox) -> None:
    while True:
        try:
            inbox.bot = await files.me()
        except AppError as error:
            logger.warning("telegram.unknown_bot", cause=error.cause)
            # Nobody waits any longer: who names us in a group is not heard until we know.
            inbox.bot = replace(inbox.bot, asked=False)
            await asyncio.sleep(LOOK_AGAIN)
        else:
            return


def _pseudonym(sealer: Sealer) -> Callable[[str], str]:
    return lambda name: sealer.fingerprint(name.encode()).hex()[:32]


async def _sweep(memory: Memory, clock: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY)
        try:
            gone, old = await memory.sweep(clock())
        except AppError as error:
            logger.warning("sweep.failed", cause=error.cause)
        else:
            if gone or old:
                logger.info("sweep.done", sessions=gone, turns=old)


async def _learn(provider: OpenRouter, catalogue: Catalogue, clock: Callable[[], float]) -> None:
    while True:
        try:
            cards = await provider.models()
            catalogue.learn(cards, datetime.fromtimestamp(clock(), UTC).date())
        except AppError as error:
            logger.warning("models.unknown", cause=error.cause)
            await asyncio.sleep(LEARN_AGAIN)
            continue
        gone = [model for model in catalogue.models if catalogue.is_gone(model)]
        logger.info("models.learned", known=len(cards), gone=", ".join(gone))
        await asyncio.sleep(LEARN_EVERY)
