"""`make demo`: the product beside a simulated outside world, until Ctrl-C.

It starts the product as an operator would, from its command line, and imports nothing of it.
Keys, data and logs are kept in `.demo/`, so that a second start goes on where the first ended.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from simulator.plume import PARTNER, addresses
from simulator.telegram import TOKEN

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
PORT, CHAT_PORT = 8001, 9099
START_SECONDS = 30.0
STOP_SECONDS = 30.0

READY = """
Arash is up: the real service and the real bot, beside a simulated Telegram, OpenRouter and
Plume Cloud. No account is needed.

  Chat        {page}        press Start, write something
  API pages   {url}/docs        press Authorize, paste the key
  key         {key}

  curl -s {url}/message -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"platform": "internal", "user_id": "me", "chat_id": "demo",
         "message_id": "'$(date +%s%N)'", "text": "Hello! What can you do?"}}'

  The same with `curl -N` and `-H 'Accept: text/event-stream'` streams the answer.

  Networks    say /setup in the chat and paste these two, then /locations and a name, such as
              Ada Example (all is well), Ben Broken (a pod is down), Pia Palace (40 pods):

    {header}
    {partner}

  Say /help for the commands. Log: {log}. Ctrl-C ends everything.
"""


def main() -> int:
    """Run until a signal, or until one of the processes ends by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        return _run(stack)
    print("\nEverything has ended.")  # noqa: T201
    return 0


def _run(stack: contextlib.ExitStack) -> int:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    key = f"sk-or-v1-{secrets.token_hex(16)}"
    world = stack.enter_context(
        _process(
            *("-m", "simulator", "--port", str(_free_port(CHAT_PORT)), "--key", key),
            stdout=subprocess.PIPE,
        )
    )
    upstream = _told(world)
    if upstream is None:
        return _gave_up("The simulator did not start.")
    outside = upstream.removesuffix("/api/v1")
    plume = addresses(f"{outside}/plume")
    if not (FOLDER / ".env").exists():
        with _process("-m", "app.admin", "env", stdout=subprocess.DEVNULL) as making:
            making.wait()
    port = _free_port(PORT)
    url = f"http://127.0.0.1:{port}"
    service = stack.enter_context(
        _process(
            str(ROOT / "run_service.py"),
            API_PORT=str(port),
            OPENROUTER_SERVICE_URL=upstream,
            OPENROUTER_API_KEY=key,
            PLUME_SSO_URL=plume.sso,
            PLUME_API_BASE=plume.api,
            PLUME_REPORTS_BASE=plume.reports,
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_BASE=outside,
        )
    )
    if not _ready(url, service):
        return _gave_up("The service did not start; the lines above say why.")
    bot = stack.enter_context(
        _process(
            str(ROOT / "run_telegram_bot.py"),
            SERVICE_URL=url,
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_BASE=outside,
            LOG_LEVEL="WARNING",
        )
    )
    log = FOLDER / "logs" / "arash_bot_service.log"
    told = {
        "page": f"{outside}/",
        "url": url,
        "key": _key("INTERNAL_API_KEY"),
        "log": log,
        "header": PARTNER.header,
        "partner": PARTNER.id,
    }
    print(READY.format(**told), flush=True)  # noqa: T201
    while all(process.poll() is None for process in (world, service, bot)):
        time.sleep(0.2)
    return _gave_up("A process ended by itself, so everything ends.")


@contextlib.contextmanager
def _process(
    *arguments: str, stdout: int | None = None, **settings: str
) -> Iterator[subprocess.Popen[str]]:
    """Run Python in the demo's folder, and end it on leaving."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    process = subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, *arguments], cwd=FOLDER, env=environment, stdout=stdout, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout:
            process.stdout.close()


def _told(world: "subprocess.Popen[str]") -> str | None:
    """Return the provider's address, which the simulator prints first."""
    line = world.stdout.readline().split() if world.stdout else []
    return line[-1] if line else None


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as door:
            return int(door.getsockname()[1])
    raise SystemExit("No port is free.")


def _ready(url: str, service: "subprocess.Popen[str]") -> bool:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and service.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=1):  # noqa: S310 - loopback
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _key(name: str) -> str:
    lines = (FOLDER / ".env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))


def _gave_up(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201
    return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
