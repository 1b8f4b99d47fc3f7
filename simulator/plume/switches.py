"""How answers look: the things nobody documents, each as a switch."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

Envelope = Literal["named", "nested", "bare", "data", "items", "results"]
Rows = Literal["whole", "eighty", "nulls", "empty", "keyless"]
Order = Literal["newest", "oldest", "shuffled"]
Words = Literal["words", "upper", "booleans", "numbers"]
Timestamps = Literal[
    "iso", "whole", "offset", "offset_colon", "seconds", "milliseconds", "milliseconds_text"
]


@dataclass
class Switches:
    """Each attribute is one open question; the default is the likeliest answer.

    `nulls` and `missing` name keys (`speedTest`, or `speedTest.rtt` for that key in that
    parent, or `nodes.health` in that list), that are null or left out. `holes` is the share of
    single values that are null or left out by chance. `hostile_ssids` networks with hostile
    names are added to each location; `hostile_names` renames pods and devices too.
    `rows` are the rows of wanStats and onlineStats: eighty in a hundred, every seventh null,
    none, or without their key. `*_key` is the key for the rows or the value.
    """

    envelope: Envelope = "named"
    nulls: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    holes: float = 0.0
    wan_rows: Rows = "whole"
    online_rows: Rows = "whole"
    wan_order: Order = "newest"
    online_order: Order = "oldest"
    weekly_key: str = "hours"
    monthly_key: str = "days"
    online_words: Words = "words"
    enable_key: str = "enable"
    wpa_in_list: bool = True
    timestamps: Timestamps = "iso"
    range_form: Literal["object", "lists", "start_at"] = "object"
    alerts: Literal["objects", "strings", "names"] = "objects"
    service_level: Literal["object", "string", "empty"] = "object"
    channels: Literal["numbers", "strings"] = "numbers"
    health_words: Literal["lower", "upper", "unknown"] = "lower"
    summary: bool = True
    request_ids: bool = True
    plain_macs: bool = False
    needs_client_id: bool = False
    hostile_ssids: int = 0
    hostile_names: bool = False

    def set(self, name: str, value: Any) -> None:
        """Set one switch by its name.

        Raises:
            KeyError: there is no such switch.
            ValueError: it does not take this value.
        """
        self.__dict__[name] = _read(_KINDS[name], value)

    def told(self) -> dict[str, Any]:
        return {
            each.name: sorted(value) if isinstance(value, frozenset) else value
            for each in fields(self)
            for value in [getattr(self, each.name)]
        }


_KINDS: dict[str, Any] = get_type_hints(Switches)


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ValueError(f"One of {', '.join(get_args(kind))}.")
        return value
    if get_origin(kind) is frozenset:
        if not isinstance(value, list | tuple | set | frozenset):
            raise ValueError("A list of keys.")
        return frozenset(map(str, value))
    plain = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not plain or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"A {kind.__name__}.")
    return value
