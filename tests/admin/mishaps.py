"""Ways in which a whole that was well is spoilt, for `doctor` to find out."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from simulator.telegram.faults import queued
from tests.admin.clinic import MODEL, Clinic

HOOK = "https://arash.example.org/webhook/telegram"
WEBHOOK = {
    "TELEGRAM_WEBHOOK_URL": HOOK,
    "TELEGRAM_WEBHOOK_SECRET": "hook-0123456789abcdefghijklmnopqr",
}
# Spoils a clinic; the folder is one of the test's own.
Change = Callable[[Clinic, Path], object]


def env(**changed: str) -> Change:
    """Return a change of lines in `.env`."""
    return lambda clinic, _: clinic.changed.update(changed)


def in_the_database(statement: str) -> Change:
    def change(clinic: Clinic, place: Path) -> None:
        with closing(sqlite3.connect(clinic.copied(place / "data"))) as db, db:
            db.execute(statement)

    return change


def webhook(url: str) -> Change:
    def change(clinic: Clinic, _: Path) -> None:
        clinic.telegram.webhook.url = url

    return change


def others_key(clinic: Clinic, place: Path) -> None:
    clinic.other_key(place)


def readable_key(clinic: Clinic, place: Path) -> None:
    clinic.other_key(place, clinic.key_file.read_text()).chmod(0o644)


def key_beside_the_data(clinic: Clinic, place: Path) -> None:
    copy = clinic.copied(place / "data")
    clinic.other_key(copy.parent, clinic.key_file.read_text())


def open_folder(clinic: Clinic, place: Path) -> None:
    clinic.copied(place / "data").parent.chmod(0o755)


def readable_database(clinic: Clinic, place: Path) -> None:
    clinic.copied(place / "data").chmod(0o644)


def damaged(clinic: Clinic, place: Path) -> None:
    copy = clinic.copied(place / "data")
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (copy.stat().st_size - 4096))


def readable_env(clinic: Clinic, _: Path) -> None:
    clinic.rights = 0o644


def other_program(clinic: Clinic, _: Path) -> None:
    clinic.changed["API_PORT"] = clinic.env["TELEGRAM_API_BASE"].rpartition(":")[2]


def key_withdrawn(clinic: Clinic, _: Path) -> None:
    clinic.openrouter.keys.clear()


def no_credit(clinic: Clinic, _: Path) -> None:
    clinic.openrouter.credits = 0.0


def little_credit(clinic: Clinic, _: Path) -> None:
    clinic.openrouter.credits = clinic.openrouter.used + 0.5


def frozen_provider(clinic: Clinic, _: Path) -> None:
    clinic.openrouter.next("silence", at="/key")
    clinic.seconds = 1.0


def model_retired(clinic: Clinic, _: Path) -> None:
    clinic.openrouter.retire(MODEL)


def no_token(clinic: Clinic, _: Path) -> None:
    clinic.telegram.revoked = True


def telegram_fails(clinic: Clinic, _: Path) -> None:
    clinic.telegram.faults.append(queued("getMe", "error:502", 1, None))


def webhook_elsewhere(clinic: Clinic, _: Path) -> None:
    clinic.changed |= WEBHOOK
    clinic.telegram.webhook.url = "https://old.example.org/webhook/telegram"


def webhook_fails(clinic: Clinic, _: Path) -> None:
    clinic.changed |= WEBHOOK
    hook = clinic.telegram.webhook
    hook.url, hook.last_error = HOOK, "Wrong response from the webhook: \x1b[31m401"
    hook.last_error_at = int(time.time())


def bot_away(clinic: Clinic, _: Path) -> None:
    for number in range(120):
        clinic.telegram.people.say(1001, f"hello {number}")


def sign_in_refused(clinic: Clinic, _: Path) -> None:
    clinic.plume.fail("*/token", "oauth:invalid_client", times=9)


def plume_fails(clinic: Clinic, _: Path) -> None:
    clinic.plume.fail("/api/*", "error:503", times=9)


def clock_fast(clinic: Clinic, _: Path) -> None:
    clinic.fast = 60.0


def disk_full(clinic: Clinic, _: Path) -> None:
    clinic.free = 50 * 1024**2


def disk_nearly_full(clinic: Clinic, _: Path) -> None:
    clinic.free = 500 * 1024**2
