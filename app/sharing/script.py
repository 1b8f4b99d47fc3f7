"""A piece of Lua that Redis runs as one step."""

import hashlib
from typing import Final

Argument = str | int | float
EMPTIED: Final = "emptied"  # what a script answers that finds another Redis than we know
# Whoever counts in a Redis that lost what was counted would start from nothing.
_SAME: Final = f"if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '{EMPTIED}' end\n"


class Script:
    """`KEYS[1]` and `ARGV[1]` are the mark of the Redis; what is asked for comes after them."""

    def __init__(self, text: str, *, marked: bool = True) -> None:
        self.text = _SAME + text if marked else text
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
