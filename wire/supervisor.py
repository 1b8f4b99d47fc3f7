"""Between both programs and systemd, or whoever else started them: secrets in, news out.

It stands here although it is no message between service and bot: `wire` is the one package that
both may import, and it needs the standard library alone. A copy in each would be mended once.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

MICROSECONDS = 1_000_000
HANDED_OVER = "CREDENTIALS_DIRECTORY"  # systemd's name; Compose and Kubernetes may set it too


class CredentialUnreadable(Exception):
    """A file that was handed over is no text, or not for us. The text names it."""


def credentials(names: Iterable[str]) -> dict[str, str]:
    """Return the settings among `names` that were handed over as files, by lower-case name.

    A file is called as its setting, in upper or lower case. One that is empty counts as not
    there: systemd cannot leave out what is absent, and Compose does not.

    Raises:
        CredentialUnreadable: one of them cannot be read.
    """
    folder, wanted = os.environ.get(HANDED_OVER, ""), {name.lower() for name in names}
    found = {}
    with suppress(FileNotFoundError, NotADirectoryError):
        for file in sorted(Path(folder).iterdir()) if folder else ():
            if file.name.lower() not in wanted:
                continue
            try:
                text = file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                reason = f"{file.name.upper()}: its file in {HANDED_OVER} cannot be read as text"
                raise CredentialUnreadable(reason) from None
            if text:
                found[file.name.lower()] = text
    return found


class Supervisor:
    """Says nothing, and costs nothing, where nobody listens.

    `interval` is how often to say that all is well, in seconds: twice within the time after which
    the supervisor would end us. None where it does not want to hear that.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is no file: it is one of Linux's abstract names.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        ours = pid in {"", str(os.getpid())}
        wanted = name and ours and usec.isdecimal() and int(usec) > 0
        self.interval = int(usec) / MICROSECONDS / 2 if wanted else None

    def tell(self, status: str = "", **facts: int) -> None:
        """Say `READY=1` and the like, and in words what we do."""
        if not self._address:
            return
        said = [f"{name}={value}" for name, value in facts.items()]
        said += [f"STATUS={status}"] if status else []
        # Whoever is not there cannot hear, and must not make us wait.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.settimeout(0)
            door.sendto("\n".join(said).encode(), self._address)
