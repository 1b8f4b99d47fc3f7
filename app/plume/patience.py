"""How long Plume Cloud is waited for, and how long its answers are kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `api` and `reports` are over everything, sign-in, waits and retries included.

    `retries` come on top of the first attempt, for what only reads. `keep_state` and
    `keep_reports` are how long an answer is given again without asking.
    """

    connect: float = 5.0
    sign_in: float = 10.0
    api: float = 15.0
    reports: float = 30.0
    retries: int = 2
    keep_state: float = 20.0
    keep_reports: float = 60.0
