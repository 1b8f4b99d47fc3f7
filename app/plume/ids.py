"""What may stand in a path. Everything else is unknown to Plume, and is not asked for."""

import re
from typing import Final
from urllib.parse import quote

from app.errors import PlumeNotFound

LONGEST_WORD: Final = 128  # characters of what is searched for
_HEX: Final = re.compile(r"[0-9a-fA-F]{24}")
_SERIAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,63}")
_NO_ID: Final = "Plume has no ids of this form. Look for the customer with /find."


def is_id(text: str) -> bool:
    """Tell whether this can be the id of a customer or a location."""
    return _HEX.fullmatch(text) is not None


def is_serial(text: str) -> bool:
    return _SERIAL.fullmatch(text) is not None


def checked_id(text: str) -> str:
    """Return the id of a customer or a location as a path takes it.

    Raises:
        PlumeNotFound: no id looks like this.
    """
    if not is_id(text):
        raise PlumeNotFound(_NO_ID, cause="bad_id")
    return text.lower()


def checked_serial(text: str) -> str:
    """Return the serial number of a node as a path takes it.

    Raises:
        PlumeNotFound: no serial number looks like this.
    """
    if not is_serial(text):
        raise PlumeNotFound(_NO_ID, cause="bad_serial")
    return text


def place_path(customer: str, location: str) -> str:
    """Return the path of a location.

    Raises:
        PlumeNotFound: no ids look like these.
    """
    return f"Customers/{checked_id(customer)}/locations/{checked_id(location)}"


def segment(text: str) -> str | None:
    """Return a free text as one piece of a path, None where it cannot be one."""
    said = text.strip()
    # Dots alone would leave the path, encoded or not; `null` is refused by Plume.
    unfit = said.strip(".") == "" or said.lower() == "null" or len(said) > LONGEST_WORD
    return None if unfit or not said.isprintable() else quote(said, safe="")
