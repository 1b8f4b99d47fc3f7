"""The secret scan of `make check`: every file that git tracks, or would.

A made-up secret that a test needs is marked `# pragma: allowlist secret` on its line.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
# Detectors of a form, not of mere randomness: hashes and ids of tests are random too.
DETECTORS = (
    "AWSKeyDetector",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "JwtTokenDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "SlackDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
)
OWN = {"name": "OurKeys", "path": f"file://{Path(__file__).with_name('our_keys.py')}"}
PLUGINS = [{"name": name} for name in DETECTORS] + [OWN]
MARKED = "detect_secrets.filters.allowlist.is_line_allowlisted"
# Hashes and nothing else.
LOCKS = {"requirements.txt", "requirements-container.txt", "requirements-dev.txt"}


def found(files: Iterable[Path]) -> Iterator[str]:
    """Yield one line per finding: where, and of which kind. Never the secret."""
    with transient_settings({"plugins_used": PLUGINS, "filters_used": [{"path": MARKED}]}):
        for file in files:
            for secret in scan_file(str(file)):
                yield f"{file}:{secret.line_number}: {secret.type}"


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if name not in LOCKS and (ROOT / name).is_file()]


def main() -> int:
    everything = files()
    lines = list(found(everything))
    print("\n".join([*lines, f"secret scan: {len(everything)} files, {len(lines)} findings"]))
    return 1 if lines or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
