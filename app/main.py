"""The one place that opens, wires and closes everything."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

from fastapi import FastAPI
from limits import parse
from loguru import logger
from slowapi import Limiter
from starlette.middleware.cors import CORSMiddleware

from app import __version__, background, metrics, tracing
from app.api import docs, messages, problems, webhook
from app.api import metrics as numbers
from app.api.auth import Keys
from app.api.edge import Edge
from app.api.health import Health
from app.api.network import network_router
from app.api.parts import Parts
from app.api.public import public_router
from app.api.sessions import sessions_router
from app.bell import Bell
from app.chat.alerts import Alerts
from app.chat.assistant import ModelAssistant
from app.chat.conversation import Conversation
from app.chat.inbox import Inbox
from app.chat.lanes import Lanes
from app.chat.limits import WINDOW_SECONDS, Limits, LocalLimits
from app.chat.memory import Memory
from app.chat.outbox import Outbox
from app.chat.pictures import Pictures
from app.chat.processor import Processor
from app.chat.spending import Spending
from app.chat.stops import Stops
from app.commands import COMMANDS
from app.commands.base import Services
from app.configured import (
    bot_of,
    callers_of,
    catalogue_of,
    platforms_of,
    signatures_of,
    webhook_secret_of,
)
from app.drawing import Drawing
from app.http import open_client
from app.images import Images
from app.llm.catalogue import Catalogue
from app.llm.meter import Meter
from app.llm.openrouter import OpenRouter, open_http
from app.llm.patience import Patience
from app.llm.watched import Watched
from app.panoptes.access import Access
from app.panoptes.panoptes import Draw, Panoptes
from app.panoptes.reports import Reports
from app.platforms.files import TelegramFiles
from app.platforms.platform import Platform
from app.plume.budget import Budget
from app.plume.client import Plume
from app.plume.desk import Cloud
from app.settings import (
    ModelSettings,
    PlumeSettings,
    ServiceSettings,
    Settings,
    TelegramSettings,
)
from app.storage import turns
from app.storage.opening import open_store
from app.storage.sealed import Sealer, read_keys
from app.storage.store import Store

if TYPE_CHECKING:
    from app.sharing.sharing import Sharing

SETTLE_SECONDS = 30.0  # after the longest call, to write down what it cost
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
    redis = settings.storage.redis_url
    sharing = _sharing(redis.get_secret_value()) if redis is not None else None
    logins = parse(service.login_rate_limit)
    attempts = _limits(sharing, "login", logins.get_expiry())
    keys = Keys(callers_of(settings.keys), attempts, logins.amount, service.trusted_proxies)
    limiter = Limiter(key_func=keys.address)
    app = FastAPI(
        title=docs.TITLE,
        version=__version__,
        lifespan=lambda app: _open(app, settings, keys, sharing, clock, patience, draw),
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
    app.include_router(numbers.router)
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
    sharing: "Sharing | None",
    clock: Callable[[], float],
    patience: Patience,
    draw: Draw | None,
) -> AsyncIterator[None]:
    sealer = Sealer(read_keys(settings.keys.encryption_key_file))
    catalogue = catalogue_of(settings.models, settings.platforms)
    platforms = platforms_of(settings.platforms, settings.telegram, settings.plume)
    async with contextlib.AsyncExitStack() as stack:
        _tell(stack, settings.service, catalogue, platforms)
        url = settings.storage.database_url.get_secret_value()
        store = await stack.enter_async_context(open_store(url))
        alerts = Alerts(store, sealer, clock, platforms["telegram"].admins)
        spending = _spending(store, clock, settings.models, patience, alerts)
        provider = await _provider(stack, settings.models, patience, spending, catalogue)
        model = Watched(provider, bell=alerts)
        memory = Memory(store, sealer, catalogue, settings.platforms.session_timeout_minutes * 60)
        tell = sharing.bus.publish if sharing is not None else None
        lanes = Lanes(store, sealer, clock, tell or _nobody)
        assistant = ModelAssistant(model, catalogue, settings.models.max_tokens, _pseudonym(sealer))
        image_bytes = settings.images.max_image_size_mb * MEGABYTE
        outbox = Outbox(store, sealer, clock, alerts, tell or _nobody)
        files = _files(stack, settings.telegram)
        plume = await _plume(stack, settings.plume, clock, sharing)
        panoptes = None
        if plume is not None:
            access = Access(store, sealer, plume, clock, alerts)
            if draw is None:
                draw = (await stack.enter_async_context(Drawing())).draw
            panoptes = Panoptes(access, Reports(access), lambda: inbox.bot.name, draw)
        processor = Processor(
            platforms=platforms,
            memory=memory,
            lanes=lanes,
            limits=_limits(sharing, "messages", WINDOW_SECONDS),
            pictures=Pictures(
                stack.enter_context(Images()),
                image_bytes if settings.images.enable_image_processing else 0,
                files,
            ),
            conversation=Conversation(Services(assistant, catalogue, COMMANDS, panoptes)),
            outbox=outbox,
            stops=Stops(store, tell),
            clock=clock,
            slow=patience.note,
        )
        inbox = Inbox(platforms, processor, outbox, bot_of(settings.telegram), alerts)
        app.state.parts = Parts(
            processor=processor,
            memory=memory,
            platforms=platforms,
            keys=keys,
            health=Health(store, catalogue, model, plume.watch if plume else None, spending),
            open_stats=settings.service.open_stats,
            open_sessions=not settings.service.production,
            open_metrics=not settings.service.production,
            body_cap=TEXT_CAP + image_bytes * 4 // 3,
            inbox=inbox,
            outbox=outbox,
            panoptes=panoptes,
            webhook_secret=webhook_secret_of(settings.telegram),
            signatures=signatures_of(settings.platforms),
        )
        await _share(stack, sharing, lanes, outbox, processor, plume, alerts)
        await _take_up(stack, store, lanes)
        loops = {
            "lanes": lanes.keep(processor.resume),
            "sweep": background.sweep(memory, clock),
            "outbox": outbox.care(),
            "loop": numbers.watch_loop(),
        }
        if alerts.sends:
            loops["alerts"] = alerts.keep()
        # A gateway's list says little: names of its own, no abilities, wildcards left out.
        if provider is not None and settings.models.openrouter_dialect == "openrouter":
            loops["models"] = background.learn(provider, catalogue, clock, alerts)
        if files is not None:
            loops["bot"] = background.introduce(files, inbox)
        stack.push_async_callback(_stopped, lanes)
        await stack.enter_async_context(background.running(alerts, **loops))
        stack.callback(outbox.close)
        logger.info("service.started", version=__version__, ai=model.configured)
        yield


async def _stopped(lanes: Lanes) -> None:
    if lanes.draining:  # otherwise it was no end in good order
        await lanes.leave()
    logger.info("service.stopped")


def _sharing(url: str) -> "Sharing":
    # 8 MB, which one instance alone does without.
    from app.sharing.sharing import Sharing  # noqa: PLC0415

    return Sharing(url)


def _limits(sharing: "Sharing | None", name: str, seconds: float) -> Limits:
    return LocalLimits(seconds) if sharing is None else sharing.limits(name, seconds)


def _nobody(_topic: str, _told: str) -> bool:
    return False


async def _take_up(stack: contextlib.AsyncExitStack, store: Store, lanes: Lanes) -> None:
    await stack.enter_async_context(store.present(lanes.owner))
    # Where nobody else can be alive, what was being answered is taken up at once.
    if not store.shared and (freed := await store.run(turns.release)):
        logger.info("turns.taken_up", turns=freed)


async def _share(
    stack: contextlib.AsyncExitStack,
    sharing: "Sharing | None",
    lanes: Lanes,
    outbox: Outbox,
    processor: Processor,
    plume: Plume | None,
    alerts: Bell,
) -> None:
    if sharing is None:
        return
    sharing.link.bell = alerts
    metrics.watch_redis(lambda: sharing.link.here)
    stack.callback(metrics.watch_redis, None)
    bus = sharing.bus
    bus.on("queued", lambda _: lanes.woken(), missed=lanes.woken)
    bus.on("awaited", lambda told: lanes.awaited(int(told)))
    bus.on("ended", lambda told: lanes.ended(int(told)))
    bus.on("delivery", lambda _: outbox.woken(), missed=outbox.woken)
    bus.on("stop", processor.stops.asked)
    if plume is not None:
        bus.on("plume.paused", lambda told: plume.budget.paused_elsewhere(float(told)))
    await stack.enter_async_context(sharing.opened())


def _tell(
    stack: contextlib.AsyncExitStack,
    settings: ServiceSettings,
    catalogue: Catalogue,
    platforms: Mapping[str, Platform],
) -> None:
    metrics.know(__version__, catalogue.names, platforms)
    if collector := settings.otel_exporter_otlp_endpoint:
        stack.push_async_callback(tracing.start(collector, __version__))


async def _provider(
    stack: contextlib.AsyncExitStack,
    settings: ModelSettings,
    patience: Patience,
    spending: Spending,
    catalogue: Catalogue,
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
    meter = Meter(spending, catalogue, settings.replacement_max_price) if spending.limit else None
    return OpenRouter(http, dialect=settings.openrouter_dialect, patience=patience, meter=meter)


def _spending(
    store: Store,
    clock: Callable[[], float],
    settings: ModelSettings,
    patience: Patience,
    bell: Bell,
) -> Spending:
    longest = patience.total + SETTLE_SECONDS
    return Spending(store, clock, settings.daily_spend_limit_usd, longest, bell)


async def _plume(
    stack: contextlib.AsyncExitStack,
    settings: PlumeSettings,
    clock: Callable[[], float],
    sharing: "Sharing | None",
) -> Plume | None:
    if not settings.plume_enabled:
        return None
    cloud = Cloud(
        str(settings.plume_sso_url),
        str(settings.plume_api_base),
        str(settings.plume_reports_base),
        settings.plume_reports_client_id,
    )
    shared = None if sharing is None else sharing.grants()
    calls = settings.plume_calls_per_second
    budget = Budget(clock=time.monotonic, per_second=calls, shared=shared)
    metrics.watch_plume(lambda: budget.left, lambda: budget.paused)
    http = await stack.enter_async_context(open_client())
    return Plume(http, cloud, budget=budget, now=clock)


def _files(stack: contextlib.AsyncExitStack, settings: TelegramSettings) -> TelegramFiles | None:
    token = settings.telegram_bot_token
    if token is None:
        return None
    files = TelegramFiles(str(settings.telegram_api_base), token.get_secret_value())
    stack.push_async_callback(files.close)
    return files


def _pseudonym(sealer: Sealer) -> Callable[[str], str]:
    return lambda name: sealer.fingerprint(name.encode()).hex()[:32]
