"""Columns that nobody reads without the key.

A sealed value is one byte of form, four of key id, twelve of nonce, then AES-256-GCM of the
value. The place it belongs to (table and row) is authenticated with it, so that a value moved
to another row does not open.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORM = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
ID_BYTES = 4
FINGERPRINT_BYTES = 32


class KeyRefused(Exception):
    """The key file cannot be used. The text says why, and never holds key material."""


class CannotOpen(Exception):
    """A sealed value does not belong here, or its key is not in the ring."""


def new_key() -> str:
    """Return one line for a key file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def read_keys(file: Path) -> tuple[bytes, ...]:
    """Return the ring of a key file: one base64 key a line, the newest first.

    Raises:
        KeyRefused: absent, open to others, or not 32 bytes in base64.
    """
    try:
        mode = file.stat().st_mode
        lines = file.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyRefused("the key file cannot be read") from error
    if os.name == "posix" and mode & (0o037 if _handed_over(file) else 0o077):
        raise KeyRefused("others may read the key file; `chmod 600` it")
    try:
        keys = tuple(base64.b64decode(line, validate=True) for line in lines)
    except binascii.Error as error:
        raise KeyRefused("the key file does not hold base64 keys, one a line") from error
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise KeyRefused("the key file must hold keys of 32 bytes in base64, one a line")
    return keys


def _handed_over(file: Path) -> bool:
    """Tell whether systemd or a container lent us a file.

    systemd gives us the right to read by an access list, which shows as a right of the group,
    and Kubernetes by the group itself.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(folder) and file.resolve().is_relative_to(Path(str(folder)).resolve())


class Sealer:
    """Seals with the first key of the ring and opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ring = {hashlib.sha256(key).digest()[:ID_BYTES]: AESGCM(key) for key in keys}
        self._head, self._newest = next(iter(self._ring.items()))
        self._head = FORM + self._head
        # Its own key, so that a fingerprint says nothing about the one that seals. It is made
        # of the oldest key: fingerprints outlive a rotation.
        self._mark = hashlib.sha256(b"fingerprint" + keys[-1]).digest()

    def seal(self, value: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._newest.encrypt(nonce, value, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what was sealed for `place`.

        Raises:
            CannotOpen: another place, a lost key, or bytes that were changed.
        """
        key = self._ring.get(sealed[1 : 1 + ID_BYTES])
        if key is None or sealed[:1] != FORM:
            raise CannotOpen("the key that sealed this is not in the ring")
        start = 1 + ID_BYTES + NONCE_BYTES
        if len(sealed) < start:
            raise CannotOpen("this value was cut off")
        try:
            return key.decrypt(sealed[1 + ID_BYTES : start], sealed[start:], place.encode())
        except InvalidTag as error:
            raise CannotOpen("this value was sealed for another place, or changed") from error

    def fingerprint(self, value: bytes) -> bytes:
        """Return 32 bytes that tell equal values without telling what they are."""
        # Not HMAC by OpenSSL: it lets go of the interpreter for each value, and at full load the
        # wait to get it back was a tenth of a message.
        return hashlib.blake2b(value, key=self._mark, digest_size=FINGERPRINT_BYTES).digest()
