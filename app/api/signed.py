"""Calls that are signed after Standard Webhooks: by whom nothing but the body has to be trusted.

A sender signs its id, its time and the bytes of the body with a secret that never travels. So a
call that somebody recorded is worth nothing: its time runs out, and its id was seen.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from standardwebhooks import Webhook

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
TOLERANCE: Final = 300  # seconds that the sender's clock may be off, either way
MOST_SIGNATURES: Final = 8  # a secret that replaces another makes two

_ID: Final = re.compile(r"[!-~]{1,256}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


class Signatures:
    """The secrets, as `whsec_…`. Any of them will do: one may be replacing the other."""

    def __init__(self, secrets: Sequence[str]) -> None:
        # Only where somebody signs: what is not imported takes no time to start and no memory.
        from standardwebhooks import Webhook  # noqa: PLC0415

        self._secrets: list[Webhook] = [Webhook(secret) for secret in secrets]

    def claim(self, headers: Headers, now: float) -> "Claim | None":
        """Return what is claimed of a body that need not have been read; None is refused.

        `now` is the Unix time in seconds. The library asks the clock itself when it verifies,
        and fails in other ways than by its own exception on odd headers: so it only signs here.
        """
        found = [headers.getlist(name) for name in (ID, TIMESTAMP, SIGNATURE)]
        if any(len(values) != 1 for values in found):
            return None
        (webhook_id,), (timestamp,), (signatures,) = found
        if not _ID.fullmatch(webhook_id) or not _TIMESTAMP.fullmatch(timestamp):
            return None
        if abs(now - int(timestamp)) > TOLERANCE:
            return None
        parts = signatures.split(" ")
        if len(parts) > MOST_SIGNATURES:
            return None
        shown = [_bytes(part.removeprefix("v1,")) for part in parts if part.startswith("v1,")]
        return Claim(webhook_id, int(timestamp), shown, self._secrets)


class Claim:
    """That a body, whose headers are fine, was signed by one of the secrets."""

    def __init__(
        self, webhook_id: str, timestamp: int, shown: Sequence[bytes], secrets: "Sequence[Webhook]"
    ) -> None:
        self.webhook_id = webhook_id
        self._at = datetime.fromtimestamp(timestamp, UTC)
        self._shown = shown
        self._secrets = secrets

    def holds(self, body: bytes) -> bool:
        """Tell whether it is true, in the same time whichever secret and signature fit."""
        try:
            text = body.decode()
        except UnicodeDecodeError:  # what is signed is text
            return False
        found = False
        for secret in self._secrets:
            mine = _bytes(secret.sign(self.webhook_id, self._at, text).removeprefix("v1,"))
            for shown in self._shown:
                found |= compare_digest(mine, shown)
        return found


def is_signed(headers: Headers) -> bool:
    return SIGNATURE in headers


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
