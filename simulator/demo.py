"""`make demo`: the product beside a simulated outside world, until Ctrl-C.

It starts the product as an operator would, from its command line, and imports nothing of it.
Keys, data and logs are kept in `.demo/`, so that a second start goes on where the first ended.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.plume import PARTNER, addresses
from simulator.ports import free_port
from simulator.telegram import TOKEN

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
PORT, CHAT_PORT = 8001, 9099
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOOK_EVERY = 0.1
PEOPLE = "/_sim/telegram/users"

BEGIN = "Starting a simulated Telegram, OpenRouter and Plume Cloud, then the service and the bot …"
READY = """
Arash is up: the real service and the real bot, beside a simulated Telegram, OpenRouter and
Plume Cloud. No account is needed, and nothing leaves this machine.

  Chat page   {page}
              press Start; then write something, or send a picture
  API pages   {url}/docs
              press Authorize and paste the key
  Key         {key}

  From another terminal; with `curl -N` and `-H 'Accept: text/event-stream'` the answer streams:

  curl -s {url}/message -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"platform": "internal", "user_id": "me", "chat_id": "demo",
         "message_id": "'$(date +%s%N)'", "text": "Hello! What can you do?"}}'

  Networks    say /setup in the chat and paste these two, then /locations and a name, such as
              Ada Example (all is well), Ben Broken (a pod is down), Pia Palace (40 pods):

    {header}
    {partner}

  Logs        {logs}

Ctrl-C ends everything.
"""


def main() -> int:
    """Run until a signal, or until one of the processes ends by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    print(BEGIN, flush=True)  # noqa: T201
    try:
        with contextlib.ExitStack() as stack:
            _run(stack)
    except KeyboardInterrupt:
        print("\nEverything has ended.")  # noqa: T201
        return 0
    except _Ended as ended:
        print(f"{ended}\nEverything has ended.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


class _Ended(Exception):
    """A process ended by itself; the text is what it said last."""


@dataclass(frozen=True, slots=True)
class _Program:
    """One of the demo's processes. What it says on the way stands in a file beside its logs."""

    name: str
    process: "subprocess.Popen[str]"
    said: Path

    def check(self) -> None:
        if self.process.poll() is not None:
            said = self.said.read_text(errors="replace")[-2000:]
            raise _Ended(f"The {self.name} ended by itself. It said:\n{said}")


def _run(stack: contextlib.ExitStack) -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    (FOLDER / "logs").mkdir(mode=0o700, exist_ok=True)
    key = f"sk-or-v1-{secrets.token_hex(16)}"
    chat_port, port = free_port(CHAT_PORT), free_port(PORT)
    outside, url = f"http://127.0.0.1:{chat_port}", f"http://127.0.0.1:{port}"
    plume = addresses(f"{outside}/plume")
    telegram = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_BASE": outside}
    world = _start(stack, "simulator", "-m", "simulator", "--port", str(chat_port), "--key", key)
    _until(lambda: _told(f"{outside}{PEOPLE}"), world)
    if not (FOLDER / ".env").exists():
        making = _start(stack, "setup", "-m", "app", "env")
        making.process.wait()
    service = _start(
        stack,
        "service",
        str(ROOT / "run_service.py"),
        API_PORT=str(port),
        OPENROUTER_SERVICE_URL=f"{outside}/api/v1",
        OPENROUTER_API_KEY=key,
        PLUME_SSO_URL=plume.sso,
        PLUME_API_BASE=plume.api,
        PLUME_REPORTS_BASE=plume.reports,
        **telegram,
    )
    _until(lambda: _told(f"{url}/health/ready"), service)
    bot = _start(stack, "bot", str(ROOT / "run_telegram_bot.py"), SERVICE_URL=url, **telegram)
    # Whoever opens the page now shall not read that the bot is away.
    person = f"{outside}{PEOPLE}/{_told(f'{outside}{PEOPLE}')[0]['id']}"
    _until(lambda: _told(person)["bot"]["is_there"], bot)
    told = {"page": f"{outside}/", "url": url, "key": _key("INTERNAL_API_KEY")}
    partner = {"header": PARTNER.header, "partner": PARTNER.id, "logs": FOLDER / "logs"}
    print(READY.format(**told, **partner), flush=True)  # noqa: T201
    while True:
        for program in (world, service, bot):
            program.check()
        time.sleep(LOOK_EVERY)


def _start(stack: contextlib.ExitStack, name: str, *arguments: str, **settings: str) -> _Program:
    """Run Python in the demo's folder; leaving the stack ends it."""
    return stack.enter_context(_running(name, arguments, settings))


@contextlib.contextmanager
def _running(
    name: str, arguments: Sequence[str], settings: Mapping[str, str]
) -> Iterator[_Program]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    said = FOLDER / "logs" / f"{name}.out"
    with said.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            cwd=FOLDER,
            env=environment,
            stdout=output,
            stderr=output,
            text=True,
        )
    try:
        yield _Program(name, process, said)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _until(holds: Callable[[], object], program: _Program) -> None:
    """Wait for what a program does when it has started.

    Raises:
        _Ended: it does not.
    """
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        program.check()
        with contextlib.suppress(urllib.error.URLError, OSError):
            if holds():
                return
        time.sleep(LOOK_EVERY)
    program.process.kill()
    program.process.wait()
    program.check()


def _told(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - loopback
        return json.load(response)


def _key(name: str) -> str:
    lines = (FOLDER / ".env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
