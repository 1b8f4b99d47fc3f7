"""A platform and what its people may do."""

from collections.abc import Sequence
from dataclasses import dataclass

ALL = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Platform:
    """`models` begins with the one that serves where none is chosen.

    `commands` names the commands that are on; `ALL` turns on every one. `rate_limit` counts
    messages per person and minute, `max_history` messages that the model sees again.
    `daily_turns` bounds the turns of a person by day; `allowed_users`, where there are any, are
    the only ones who may talk here beside the `admins`. `networks` turns on the commands that
    look at networks, in groups too with `networks_in_groups`.
    """

    name: str
    public: bool
    models: tuple[str, ...]
    rate_limit: int
    max_history: int
    commands: frozenset[str] = ALL
    daily_turns: int | None = None
    allowed_users: frozenset[str] = frozenset()
    admins: frozenset[str] = frozenset()
    networks: bool = False
    networks_in_groups: bool = False

    @property
    def default_model(self) -> str:
        return self.models[0]

    @property
    def model_switching(self) -> bool:
        return len(self.models) > 1

    def admits(self, user_id: str) -> bool:
        return not self.allowed_users or user_id in self.allowed_users | self.admins

    def model_for(self, chosen: str | None) -> str:
        """Return what a person chose, where this platform still has it."""
        return chosen if chosen is not None and chosen in self.models else self.default_model

    def allows(self, command: str) -> bool:
        return self.commands is ALL or command in self.commands


def models_of(default: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return the default first and each of the others once."""
    return (default, *dict.fromkeys(model for model in others if model != default))
