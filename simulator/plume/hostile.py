"""Names that people could give their networks, and that break careless programs."""

from simulator.plume.dice import pick

MARKUP = "Flat_3 *[West]* `2`~ (A|B)"
HTML = '<b>Bold & <script>alert("x")</script>'
RIGHT_TO_LEFT = "خانه‌ی آرش \u202eevil\u202c"
EMOJI = "Café 🏡👨‍👩‍👧‍👦 🇳🇱"
CONTROL = "Base\x00ment\r\n\t\x1b[31mred\x07\u200b"
LONG = "The long, long name of the room under the roof where the second router stands " * 2
EMPTY = ""

_SHAPES = (
    "_{0}_", "*{0}*", "[{0}](tg://user?id=1)", "`{0}`", "<b>{0}", "</pre>{0}&lt;", "{0}\n\n# {0}",
    "\u202e{0}", "{0}\u200b\u2066", "\x00{0}\x1b[2J", "🔥{0}🔥", "/{0}", "@{0}", "#{0} !{0}",
    "{0}\\", "||{0}||", "~~{0}~~", "> {0}", "| {0} |", "{0}'; DROP TABLE nets;--", "{{{{{0}}}}}",
    "%s%n{0}%00", "https://{0}.example", "  {0}  ", "=1+{0}",
)  # fmt: skip
_WORDS = (
    "Home", "Büro", "خانه", "בית", "家", "집", "Дом", "घर", "बैठक", "Ξενία", "ไวไฟ", "Ñandú",
    "Zalgo̴̡͇", "👩🏽‍🚀", "ﷺ", "A" * 32, "",
)  # fmt: skip


def names(many: int) -> list[str]:
    """Return `many` different names, the same ones each time."""
    found = [MARKUP, HTML, RIGHT_TO_LEFT, EMOJI, CONTROL, LONG, EMPTY]
    found += [shape.format(word) for word in _WORDS for shape in _SHAPES]
    turns = range(len(found), many)
    found += [f"{pick(_SHAPES, turn).format(pick(_WORDS, turn))}{turn}" for turn in turns]
    return found[:many]
