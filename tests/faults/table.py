"""What becomes of each fault of the provider, as data: section by section, row by row.

A row of the plan may have several faults of the simulator. `tries` counts what the provider was
asked, `sees` is a pattern for the text on Telegram and `says` for that of REST where it differs.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Row:
    """`error` None: it is answered. `once`: the provider fails the first time alone.

    `wait` are the seconds after which one may try again, as REST is told; `after` is what the
    person said before, with success.
    """

    number: str
    fault: str
    tries: int
    status: int
    error: str | None
    sees: str
    says: str = ""
    button: str = ""
    marks: frozenset[str] = frozenset()
    wait: int | None = None
    once: bool = False
    after: str = ""

    @property
    def name(self) -> str:
        return f"{self.number}-{self.fault}"


AGAIN, ON = "Try again", "Continue"


def _fails(tries: int, status: int, error: str, sees: str, **more: object) -> Row:
    return replace(Row("", "", tries, status, error, f"^{sees}$", button=AGAIN), **more)  # type: ignore[arg-type]


def _answered(sees: str, tries: int = 1, **more: object) -> Row:
    return replace(Row("", "", tries, 200, None, sees), **more)  # type: ignore[arg-type]


DOWN = _fails(3, 503, "llm_unreachable", r"The AI service cannot be reached\. Try again .*")
SILENT = _fails(2, 504, "llm_timeout", r"The AI service took too long\. Try again .*")
BROKEN = _fails(1, 502, "llm_interrupted", r"The AI service broke off in the middle .*")
UNREADABLE = _fails(1, 502, "llm_bad_reply", r"The AI service gave an answer that cannot .*")
EMPTY = _fails(2, 502, "llm_empty", r"The model returned nothing\. Try again, .*")
OFF = _fails(
    1, 503, "llm_config", r"AI answers are off: .* The operator has to mend it\.", button=""
)
BROKE = _fails(1, 503, "llm_budget", r"AI answers are paused: the credit .* operator .*", button="")
BUSY = _fails(1, 503, "llm_busy", "")
CUT = _answered(r"(?s)\S.*\n\nThe answer was cut short\.$",
                says=r"(?s)\S.*\n\n_The answer was cut short\._$",
                button=ON, marks=frozenset({"truncated"}))  # fmt: skip
PERSIAN = _answered("سلام")
YOU_SAID = _answered("You said")
DECLINED = _answered(r"^The AI provider declined to answer this\. Put it differently",
                     marks=frozenset({"declined"}))  # fmt: skip
NO_TOOL = _answered(r"You said.*question")


def _busy(wait: int, told: str, tries: int = 1) -> Row:
    sees = rf"^The AI service is busy\. Try again in about {told}"
    return replace(BUSY, sees=rf"{sees}\.$", says=sees, wait=wait, tries=tries)


_PLAN: dict[str, dict[str, Row]] = {
    # L1 needs other addresses: see `test_unreachable.py`; L17 a model less: `test_models.py`.
    "L2": {"silence": SILENT},
    "L3": {"slow-drip": replace(CUT, sees=r"(?s)^\.{20,}.*cut short", says=r"^\.{20,}")},
    "L4": {"reset-before-head": DOWN, "reset-after-head": DOWN},
    "L5": {"reset-short": BROKEN, "reset-long": CUT},
    "L6": {"eof-short": BROKEN, "done-short": BROKEN, "eof-long": CUT},
    "L7": {"ok-error": DOWN},
    "L8": {"error-full-short": BROKEN, "error-full-long": CUT},
    "L9": {"comments-forever": replace(SILENT, tries=1)},
    "L10": {
        f"wire-{shape}": PERSIAN
        for shape in ("utf8-split", "crlf-split", "data-lines", "no-space")
    } | {"wire-bom": YOU_SAID},
    "L11": {
        "bad-json-once": replace(UNREADABLE, tries=2),
        "huge-line": replace(UNREADABLE, tries=2),
    },
    "L12": {"ok-no-choices": EMPTY, "blank-text": EMPTY},
    "L13": {"ok-html": replace(UNREADABLE, tries=2)},
    "L14": {
        "http-400-context": _answered(
            r"(?s)^You said.*The oldest messages were left out", 2, once=True, after="first",
            marks=frozenset({"trimmed"}),
        )
    },
    "L15": {"http-401": OFF, "http-403-region": OFF},
    "L16": {"http-402-credit": BROKE, "http-403-key-limit": BROKE},
    "L18": {"http-403-moderation": DECLINED, "empty-content-filter": DECLINED},
    "L19": {"http-429-pool-wait": replace(YOU_SAID, tries=2, once=True)},
    "L20": {
        "http-429-hour": _busy(3600, "60 min"),
        "http-429-negative": _busy(30, "30 s", 2),
        "http-429-garbage": _busy(30, "30 s", 2),
    },
    "L21": {
        "http-500": DOWN, "http-524": DOWN, "http-408": DOWN,
        "http-503": _busy(1, "1 s", 3),
    },
    "L22": {
        "finish-length": _answered(
            r"(?s)\S.*The answer reached its length limit", button=ON,
            marks=frozenset({"truncated"}),
        )
    },
    "L23": {
        "tools-and-text": NO_TOOL, "tools-whole": EMPTY, "tools-parallel": EMPTY,
    },
    "L24": {
        "gzip-bomb": UNREADABLE, "length-long": UNREADABLE,
        "length-short": BROKEN,
    },
    "L25": {"redirect-307": OFF},
}  # fmt: skip

ROWS = {
    row.name: row
    for number, faults in _PLAN.items()
    for fault, drawn in faults.items()
    for row in [replace(drawn, number=number, fault=fault)]
}
