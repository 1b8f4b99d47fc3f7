"""Ask a container how it is: `python health.py service`, `bot`, or both names. 0 is well.

The service is asked over HTTP. The bot has no door; it is well while it holds a connection to
the service, on which it waits for answers to carry.
"""

import os
import sys
import urllib.request
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

SERVICE = f"http://127.0.0.1:{os.environ.get('API_PORT', '8001')}"
SECONDS = 4.0
ESTABLISHED = "01"  # of the column `st`, see proc_net_tcp in the kernel's documentation


def service_is_well() -> bool:
    # Whatever a proxy is set for leads elsewhere.
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with ask.open(f"{SERVICE}/health/live", timeout=SECONDS) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def bot_is_well(tables: tuple[str, ...] = ("/proc/net/tcp", "/proc/net/tcp6")) -> bool:
    url = urlsplit(os.environ.get("SERVICE_URL", SERVICE))
    port = url.port or (443 if url.scheme == "https" else 80)
    lines = [line.split() for table in tables for line in _lines(Path(table))]
    return any(peer.endswith(f":{port:04X}") and st == ESTABLISHED for _, _, peer, st, *_ in lines)


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.exists() else []


CHECKS = {"bot": bot_is_well, "service": service_is_well}

if __name__ == "__main__":
    # The bot first: the question to the service is a connection to it as well.
    sys.exit(not all(CHECKS[name]() for name in sorted(sys.argv[1:])))
