"""`doctor`: looks at every piece, side by side, and names the broken one with the next step."""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dotenv import dotenv_values

from app import starting
from app.admin import screen
from app.admin.checks import here, plume, provider, redis, service, storage, telegram
from app.admin.findings import Case, Clocks, Finding, State, broken
from app.admin.threads import in_thread
from app.redaction import Redactor
from app.settings import ELSEWHERE, Settings, SettingsRefused, read_settings
from app.storage.sealed import KeyRefused, Sealer, read_keys
from wire.supervisor import CredentialUnreadable, credentials

SECONDS = 12.0  # for each check; they run side by side
Check = Callable[[Case], Awaitable[list[Finding]]]
CHECKS: Mapping[str, Check] = {
    "settings": here.settings,
    "storage": storage.storage,
    "service": service.service,
    "way of the bot": service.bot,
    "OpenRouter": provider.provider,
    "Telegram": telegram.telegram,
    "Plume": plume.plume,
    "Redis": redis.redis,
    "disk": here.disk,
}
MARKS = {State.FINE: "✓", State.DOUBTFUL: "!", State.BROKEN: "✗"}
STYLES = {State.FINE: "green", State.DOUBTFUL: "yellow", State.BROKEN: "bold red"}


async def diagnose(
    env_file: Path = Path(".env"),
    *,
    seconds: float = SECONDS,
    clocks: Clocks | None = None,
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    environment: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return what was found, in the order of the checks.

    It takes `seconds` at the most, twice that with a large database. `clocks`, `free` (bytes of a
    folder) and `environment` are for tests.
    """
    try:
        settings, reasons = await asyncio.wait_for(in_thread(lambda: _read(env_file)), seconds)
    except TimeoutError:
        # A large database; the service looks through all of it at every start.
        settings, reasons = _alone(env_file), []
    found = [here.refused(reason) for reason in reasons]
    if settings is None:
        return found
    case = _case(settings, env_file, clocks or Clocks(), free, environment)
    heard = await asyncio.gather(
        *(_checked(name, check, case, seconds) for name, check in CHECKS.items())
    )
    found += [finding for each in heard for finding in each] + await here.clocks(case)
    # Whoever refused a setting has said so; that it is fine otherwise is no news then.
    pieces = {it.piece for it in found if it.state is State.BROKEN}
    redact = Redactor(settings.secrets())
    return [
        Finding(it.piece, it.state, redact(it.what), redact(it.next))
        for it in found
        if not (it.state is State.FINE and it.piece in pieces)
    ]


def show(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"piece": it.piece, "state": it.state.value, "what": it.what, "next": it.next}
            for it in findings
        ]
        print(json.dumps({"healthy": healthy(findings), "checks": rows}, indent=2))  # noqa: T201 - asked for
        return
    for it in findings:
        screen.say(f"{MARKS[it.state]} {it.piece}: {it.what}", STYLES[it.state])
        if it.next:
            screen.say(f"    → {it.next}")


def healthy(findings: Sequence[Finding]) -> bool:
    return all(it.state is not State.BROKEN for it in findings)


def _read(env_file: Path) -> tuple[Settings | None, list[str]]:
    """Return the settings, if they can be used, and every reason not to start with them."""
    try:
        return starting.read(env_file, to_start=False), []
    except SettingsRefused as refused:
        # Of a machine that is not fit, the settings can still be fine.
        return _alone(env_file), refused.reasons


def _alone(env_file: Path) -> Settings | None:
    with suppress(SettingsRefused):
        return read_settings(env_file)
    return None


def _case(
    settings: Settings,
    env_file: Path,
    clocks: Clocks,
    free: Callable[[Path], int],
    environment: Mapping[str, str] | None,
) -> Case:
    sealer = None
    with suppress(KeyRefused):  # a reason not to start, which is said
        sealer = Sealer(read_keys(settings.keys.encryption_key_file))
    stored = asyncio.get_running_loop().create_future()
    return Case(settings, _elsewhere(env_file, environment), env_file, sealer, clocks, free, stored)


def _elsewhere(env_file: Path, environment: Mapping[str, str] | None) -> dict[str, str]:
    """Return what the bot reads besides, from where it reads it."""
    found = {name: default for name, (default, _) in ELSEWHERE.items()}
    written = dotenv_values(env_file) if env_file.is_file() else {}
    for given in (written, os.environ if environment is None else environment):
        found |= {name: str(value) for name, value in given.items() if name in ELSEWHERE}
    with suppress(CredentialUnreadable):
        handed = credentials(ELSEWHERE)
        found |= {name.upper(): value for name, value in handed.items()}
    return found


async def _checked(name: str, check: Check, case: Case, seconds: float) -> list[Finding]:
    try:
        return await asyncio.wait_for(check(case), seconds)
    except TimeoutError:
        what = f"no answer within {seconds:g} s"
        return [broken(name, what, "it is too slow, or frozen: look there, and at the network")]
    except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
        # Not its text, which may hold anything.
        return [broken(name, f"this check failed ({type(error).__name__})", "report it as a bug")]
    finally:
        if name == "storage" and not case.stored.done():
            case.stored.set_result(None)
