"""Everything that can go wrong, by name."""

import re

from simulator.openrouter.answer_faults import ANSWER_FAULTS
from simulator.openrouter.completion import Call
from simulator.openrouter.failure import bad
from simulator.openrouter.http_faults import HTTP_FAULTS, Fault
from simulator.openrouter.stream_faults import STREAM_FAULTS
from simulator.script import Script

FAULTS: dict[str, Fault] = {**HTTP_FAULTS, **ANSWER_FAULTS, **STREAM_FAULTS}
"""Name and what it does. `Fault.about` is one line; `streams_only` needs `stream: true`."""

MARK = re.compile(r"\[\[fault:([\w-]+)\]\]")
"""How the words of a user choose a fault."""


def perform(name: str, call: Call) -> Script:
    """Answer `call` with a fault.

    Raises:
        Refused: there is no such fault, or it is one of a stream and none was asked for.
    """
    fault = FAULTS.get(name)
    if fault is None:
        raise bad(f"The simulator has no fault {name!r}.")
    if fault.streams_only and not call.streams:
        raise bad(f"The simulator's fault {name!r} needs stream: true.")
    return fault.act(call)


def is_refusal(name: str) -> bool:
    """Tell whether OpenRouter would try the next model after it."""
    return name.startswith("http-")
