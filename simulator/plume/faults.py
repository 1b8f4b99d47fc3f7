"""What can be switched on to go wrong with a call, and the queue of what was switched on."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

FAULTS: dict[str, str] = {
    "unauthorized": "401 as JSON, whatever the token",
    "forbidden": "403 as JSON: another partner's",
    "firewall": "403 as an HTML page",
    "firewall_empty": "403 without a body",
    "missing": "404 as JSON",
    "conflict": "409 as JSON",
    "invalid": "422 as JSON; invalid:CUS00001 says the code",
    "too_many": "429; too_many:60 sends Retry-After: 60, too_many:date a date, no colon none",
    "error": "any status as JSON; error:503 says which (500)",
    "page": "any status as an HTML page; page:502 says which (502)",
    "oauth": "the token call's error; oauth:invalid_scope says which (invalid_client)",
    "token": "the sign-in's answer is odd; token:missing, useless, control, number, no_lifetime, "
    "text, short, negative, list",
    "redirect": "302 to another host",
    "html": "200 with an HTML page",
    "nothing": "204",
    "blank": "200 with an empty body",
    "words": "200 with text that is no JSON",
    "half": "200, JSON that ends in the middle",
    "null": "200 with null",
    "scalar": "200 with a number",
    "error_200": "200 with the body of an error",
    "types": "the answer with its types exchanged; types:lists exchanges lists for objects",
    "nan": "the answer with NaN and Infinity for its numbers",
    "overflow": "the answer with 1e999 and integers of 400 digits for its numbers",
    "deep": "100,000 lists in one another",
    "gzip": "the answer packed, though nobody asked",
    "bomb": "gzip that grows to 64 MB",
    "huge": "64 MB of JSON",
    "drip": "the answer, a byte per `world.drip` seconds",
    "cut": "half the answer, then the connection closes",
    "reset": "a TCP reset instead of an answer",
    "reset_half": "half the answer, then a TCP reset",
    "reset_after": "the call is carried out, then a TCP reset",
    "silence": "nothing, for ever",
    "silence_half": "half the answer, then nothing",
    "delay": "the answer after delay:0.5 seconds (1)",
}
"""Name and what is seen. What follows a colon in the name of a queued fault is its argument."""

ALWAYS = -1  # counting down from here never meets zero


@dataclass
class Fault:
    """One queued fault. `times` counts down to zero."""

    pattern: str
    name: str
    argument: str
    times: int

    def strikes(self, method: str, path: str) -> bool:
        """Tell whether it strikes a call. A pattern may begin with a method: `PUT */reboot`."""
        verb, _, rest = self.pattern.rpartition(" ")
        return verb in {"", method} and fnmatchcase(path.lower(), rest.lower())


class Faults:
    """The queued faults, first in, first out."""

    def __init__(self) -> None:
        self.queued: list[Fault] = []

    def add(self, pattern: str, fault: str, times: int = 1) -> None:
        """Let the next `times` calls of a path pattern fail so (`ALWAYS`: until cleared).

        Raises:
            KeyError: there is no such fault in `FAULTS`.
        """
        name, _, argument = fault.partition(":")
        if name not in FAULTS:
            raise KeyError(name)
        self.queued.append(Fault(pattern, name, argument, times))

    def next(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes a call, and leave it in the queue."""
        return next((it for it in self.queued if it.strikes(method, path)), None)

    def spend(self, fault: Fault) -> None:
        fault.times -= 1
        if fault.times == 0:
            self.queued.remove(fault)

    def clear(self) -> None:
        self.queued.clear()
