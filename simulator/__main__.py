"""`python -m simulator`: the outside world on a loopback port."""

import argparse
import contextlib
import ipaddress
import socket
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette

from simulator.openrouter import OpenRouterWorld, create_openrouter
from simulator.plume import PARTNER, PlumeWorld, plume_routes
from simulator.sockets import OpenProtocol
from simulator.telegram import TOKEN, TelegramWorld, telegram_routes

PORT = 9099


def _loopback(host: str) -> str:
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = host == "localhost"
    if not inside:
        raise argparse.ArgumentTypeError("the simulator has no secrets to keep: loopback only")
    return host


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--host", type=_loopback, default="127.0.0.1")
    parser.add_argument("--key", help="the API key to take (default: sk-or-v1-simulated)")
    return parser.parse_args(given)


def create_world(key: str | None) -> Starlette:
    """Return all that is simulated as one app: Telegram with its page, OpenRouter, Plume."""
    world = OpenRouterWorld(first_token=0.4, between_tokens=0.02)
    if key:
        world.keys = {key}
    outside = create_openrouter(world)
    # First: OpenRouter's own switches lie at /_sim, and those of the others below it.
    telegram = telegram_routes(TelegramWorld.from_now_on(TOKEN))
    outside.router.routes[:0] = [*telegram, *plume_routes(PlumeWorld(), "/plume")]
    return outside


def main() -> None:
    chosen = arguments()
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    # Bound before the line is printed: who reads it may call at once, and port 0 is known.
    with socket.create_server((chosen.host, chosen.port), family=family, backlog=2048) as door:
        host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
        base = f"http://{host}:{door.getsockname()[1]}"
        print(f"OpenRouter: {base}/api/v1", flush=True)  # noqa: T201
        print(f"Telegram: {base} (token {TOKEN}, chat page {base}/)", flush=True)  # noqa: T201
        plume = f"{base}/plume (partner id {PARTNER.id}, {PARTNER.header})"
        print(f"Plume: {plume}", flush=True)  # noqa: T201
        config = uvicorn.Config(
            create_world(chosen.key),
            http=OpenProtocol,
            ws="none",
            log_level="warning",
            timeout_graceful_shutdown=1,  # streams and long polls have no end
        )
        # uvicorn raises Ctrl-C again when it has ended.
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[door])


if __name__ == "__main__":
    main()
