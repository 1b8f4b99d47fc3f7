"""Run service and bot in one container, under supervisord: `python both.py`.

Supervisord starts both, restarts what crashes, and on SIGTERM stops the bot, then the service.
By itself it would also wait for ever beside a service that cannot start, and end with 0.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from supervisor.medusa.asyncore_25 import ExitNow  # type: ignore[import-untyped]
from supervisor.options import ServerOptions  # type: ignore[import-untyped]
from supervisor.states import SupervisorStates  # type: ignore[import-untyped]
from supervisor.supervisord import Supervisor  # type: ignore[import-untyped]

NOT_CONFIGURED = 78  # EX_CONFIG of sysexits.h: trying again is no use
CONFIGURATION = Path(__file__).with_name("supervisord.conf")


class Both(Supervisor):  # type: ignore[misc]
    """Ends everything when the service says that it is not configured."""

    def hopeless(self) -> bool:
        service = self.process_groups["service"].processes["service"]
        return bool(service.exitstatus == NOT_CONFIGURED)

    def tick(self, now: float | None = None) -> None:
        """Look, once in every turn of supervisord's loop."""
        super().tick(now)
        if self.hopeless():
            self.options.mood = SupervisorStates.SHUTDOWN


def main() -> int:
    os.environ["BOTH_PYTHON"] = sys.executable
    options = ServerOptions()
    pid_file = Path(tempfile.gettempdir()) / "supervisord.pid"
    options.realize(["--configuration", str(CONFIGURATION), "--pidfile", str(pid_file)])
    options.first = True
    options.test = False
    both = Both(options)
    with contextlib.suppress(ExitNow):  # how supervisord ends
        both.main()
    return NOT_CONFIGURED if both.hopeless() else 0


if __name__ == "__main__":
    sys.exit(main())
