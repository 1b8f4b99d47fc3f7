"""What the service counts, for Prometheus. Here it is only defined; who meets it counts it.

Labels come from short lists: platforms, models of the catalogue, words of ours, templates of
routes. Nothing names a person, a chat or a network. A gauge of what this service does not have
(no Redis, no limit of spending) says NaN, which no alert takes for zero.
"""

import math
import platform as machine
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

M = TypeVar("M", Counter, Gauge, Histogram)

OTHER: Final = "other"
ANSWER_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
FIRST_TOKEN_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
UNIT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8)
LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

# The time at which each counter was made doubles the page and is read by nobody here.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(name, says, labels, registry=REGISTRY)


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    return Gauge(name, says, labels, registry=REGISTRY)


def _unknown(name: str, says: str) -> Gauge:
    gauge = _gauge(name, says)
    gauge.set(math.nan)
    return gauge


def _histogram(name: str, says: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, says, labels, buckets=buckets, registry=REGISTRY)


messages = _counter(
    "arash_messages_total", "Turns that ended: answered, refused or failed.", "platform", "outcome"
)
answer_seconds = _histogram(
    "arash_answer_seconds",
    "From taking a message to its committed answer, waiting included.",
    ANSWER_BUCKETS,
    "platform",
)
first_token_seconds = _histogram(
    "arash_first_token_seconds",
    "From asking a model to its first token, retries included.",
    FIRST_TOKEN_BUCKETS,
    "model",
)
upstream_errors = _counter(
    "arash_upstream_errors_total", "Calls of a model that brought no answer.", "kind", "model"
)
tokens = _counter(
    "arash_tokens_total", "Tokens, by the provider's count.", "platform", "model", "kind"
)
cost = _counter(
    "arash_cost_usd_total", "What answers cost, as the provider reports.", "platform", "model"
)
spend = _unknown("arash_spend_usd", "What the answers of the present day cost, by UTC.")
spend_held = _unknown("arash_spend_held_usd", "What answers that are being written may cost.")
spend_limit = _unknown("arash_spend_limit_usd", "DAILY_SPEND_LIMIT_USD.")

queue_depth = _gauge(
    "arash_queue_depth",
    "Turns (waiting, working) and deliveries (deliveries, later) of the whole database.",
    "platform",
    "queue",
)
queue_age = _gauge(
    "arash_queue_oldest_age_seconds", "Age of the oldest of a queue.", "platform", "queue"
)
deliveries = _counter(
    "arash_deliveries_total", "What was said of deliveries.", "platform", "outcome"
)
delivery_seconds = _histogram(
    "arash_delivery_seconds",
    "From taking a message to the arrival of its answer in the chat.",
    ANSWER_BUCKETS,
    "platform",
)
delivery_readers = _gauge(
    "arash_delivery_readers", "Who follows GET /deliveries at present.", "platform"
)
limits_hit = _counter("arash_limits_hit_total", "Refusals by a limit.", "kind")

plume_calls = _counter(
    "arash_plume_calls_total", "Calls of Plume Cloud, retries not counted.", "call", "outcome"
)
plume_left = _unknown("arash_plume_calls_left", "Calls that may go out within this second.")
plume_paused = _unknown("arash_plume_paused_seconds", "For how long no call goes out.")

http_requests = _counter(
    "arash_http_requests_total",
    "Requests by the template of their route and the class of their status.",
    "route",
    "method",
    "status",
)
connections = _gauge("arash_connections", "Open connections of clients.")
loop_lag = _histogram(
    "arash_event_loop_lag_seconds", "How late the event loop wakes who sleeps.", LAG_BUCKETS
)
storage_seconds = _histogram(
    "arash_storage_unit_seconds", "A unit of work, from asking to its commit.", UNIT_BUCKETS
)
storage_up = _unknown("arash_storage_up", "Whether the database answered the last scrape.")
redis_up = _unknown("arash_redis_up", "Whether Redis answers.")
ready = _unknown("arash_ready", "Whether it may be sent messages.")
build = _gauge("arash_build_info", "Which program this is.", "version", "python")


class Queue(NamedTuple):
    """`oldest` is the Unix time of its oldest entry."""

    platform: str
    name: str
    depth: int
    oldest: float


_models: set[str] = set()


def know(version: str, models: Iterable[str], platforms: Iterable[str]) -> None:
    """Say which program this is and which models may stand in a label.

    What has not happened yet on a platform is a zero from now on: else the first failure of a
    counter would be no increase.
    """
    build.labels(version, machine.python_version()).set(1)
    _models.update(models)
    for name in platforms:
        for outcome in ("answered", "refused", "failed"):
            of(messages, name, outcome)
        for outcome in ("placed", "sent", "refused", "later"):
            of(deliveries, name, outcome)
        of(answer_seconds, name)
        of(delivery_seconds, name)
        of(delivery_readers, name)
    for kind in ("person", "day", "door", "login", "spend", "budget"):
        of(limits_hit, kind)


@cache
def of(metric: M, *labels: str) -> M:
    """Return a metric with its labels, made once: to look them up takes longer than to count."""
    return metric.labels(*labels)


def model(name: str) -> str:
    """Return a model as a label: those that nobody configured are one."""
    return name if name in _models else OTHER


def used(platform: str, served: str, prompt: int, completion: int, cost_usd: float) -> None:
    """Count what an answer of a model took; see `model`."""
    of(tokens, platform, served, "prompt").inc(prompt)
    of(tokens, platform, served, "completion").inc(completion)
    of(cost, platform, served).inc(cost_usd)


def limited(kind: str) -> None:
    """Count a refusal: by person, day, door, login, spend or budget."""
    of(limits_hit, kind).inc()


def requested(route: object, method: str, status: int) -> None:
    """Count a request. `route` is what routing found, None where that is nothing of ours."""
    template = getattr(route, "path", OTHER)
    known = method if method in METHODS else OTHER
    of(http_requests, template, known, f"{status // 100}xx" if status else "cut").inc()


def spending(spent_usd: float, held_usd: float, limit_usd: float | None) -> None:
    """Show what the day cost, what it may still cost, and its limit; None: there is none."""
    spend.set(spent_usd)
    spend_held.set(held_usd)
    spend_limit.set(math.nan if limit_usd is None else limit_usd)


def watch_redis(up: Callable[[], bool] | None) -> None:
    """Show whether Redis answers, by asking `up` at each scrape; it must not wait."""
    redis_up.set_function((lambda: math.nan) if up is None else (lambda: float(up())))


def watch_plume(left: Callable[[], float], paused: Callable[[], float]) -> None:
    """Show the budget of Plume's calls: how many are left now, and the seconds of a pause."""
    plume_left.set_function(left)
    plume_paused.set_function(paused)


def show_queues(queues: Iterable[Queue] | None, now: float, empty: Mapping[str, object]) -> None:
    """Show what waits, with zeros for the platforms of `empty`; None: nobody knows."""
    queue_depth.clear()
    queue_age.clear()
    storage_up.set(queues is not None)
    if queues is None:
        return
    for name in empty:
        for queue in ("waiting", "working", "deliveries", "later"):
            queue_depth.labels(name, queue).set(0)
            queue_age.labels(name, queue).set(0)
    for found in queues:
        queue_depth.labels(found.platform, found.name).set(found.depth)
        queue_age.labels(found.platform, found.name).set(max(0.0, now - found.oldest))


def page(accept: str) -> tuple[bytes, str]:
    """Return all of it and its content type: OpenMetrics for who asks for that, else text."""
    # Not by the library's own choice, which fails on an Accept header that makes no sense.
    if "application/openmetrics-text" in accept:
        whole = openmetrics.generate_latest(REGISTRY)  # type: ignore[no-untyped-call]
        return whole, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4
