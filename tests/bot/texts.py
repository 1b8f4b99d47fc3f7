"""Texts as models write them, and worse ones: from a seed, so that any can be had again."""

import random
import re

# Each `@` becomes a word that is nowhere else, so that a lost one is noticed.
CASES = (
    "Plain @ words @.\nAnd a @ second line.\n\nA paragraph @.",
    "# Head @\n\n## Head **@** again\ntext @ below\n\nSetext @\n===\n",
    "- a @\n- b @\n  - c @\n    - d **@**\n- e @\n\n  more @\n- f @",
    "3. a @\n4. b @\n   1. c @\n   2. d @\n\n7) e @\n8) f @",
    "- [ ] open @\n- [x] done @\n1. [X] both @",
    "```python\ndef f(@):\n    return @\n```\ntext @",
    "~~~\nplain @\n\n\tcode @\n~~~",
    "text @\n```sh\nunclosed @\n  @",
    '```js title="@"\nx @\n```\n```@\n```\n    indented @',
    "| a @ | b @ |\n| :-- | --: |\n| c @ | **d** @ |\n| e @ | `f|@` | @ | @ |\n| @ |",
    "| 日本 @ | x |\n|:-:|---|\n| مرحبا @ | 👩‍👩‍👧 @ |\n| a \\| @ | [l @](http://a.bc/x) |",
    "A [link @](https://example.com/a_b_(c)?d=e#f) and [@](/path), [b @](http://localhost:9090).",
    "[x @](http://a.b:0) [y @](ftp://a.bc/) [z @](javascript:x) [u @](tg://resolve?domain=q)",
    """[r @][one] and [two] and ![alt @](http://a.bc/d.png) <http://prometheus:9090/@> <a@b.cd>

[one]: http://a.bc/ 'title @'
[two]: /local
[three]: http://not.used/ @
""",
    "Unbalanced * @ and ** @ and _ @ and ` @ and ~~ @ and [ @ and ]( @ and < @ >",
    "Price $5 @ and $10 @, \\(x_1 * @ * y\\) and \\[\\frac{@}{b}\\] and $a_@ = b^2$ $$\nc_@\n$$",
    "فارسی **@** می‌شود و *@* با `@`.\n\n- یک @\n- دو @",
    "👩‍👩‍👧 **👍🏽 @** 🇩🇪🇫🇷 *é @* 𐍈𒀀 `😀@` ~~🏳️‍🌈 @~~",
    "<b>@</b> <name> vector<int> &lt;@&gt; &amp; <br> <!-- @ --> </div>",
    "> quote @\n> > inner @\n> - item @\n>\n> ```\n> code @\n> ```\nlazy @\n\nafter @",
    "- > in a list @\n  > **@**\n- ```\n  code @\n  ```\n- | a @ | b |\n  |---|---|\n  | @ | c |",
    "**bold *both @* ~~struck @~~ `code @` [link @](https://a.bc)** @ ***@*** __init__ @",
    "snake_case_@ and \\*not @\\* and \\_ @ \\\\ 2*3*4 @ a\\\nb @  \nc @",
    "a @\n\n---\n\n***\nb @\n___",
    "",
    "\x00\x07 @ \x1b[31m @\x0b\r\n@\r@ \u202e@\u2028@ \u200b\u2060 A\u030a@ \u2029",
    "`a`" * 120 + " @",
    "**@** " * 60 + "_@_ [@](http://a.bc) " * 50,
    "x" * 5_000 + " @",
    "```c\n" + "    line(@);\n" * 500 + "```\n@",
    "A sentence @ that is long enough to be cut. " * 150,
    "👨‍👩‍👧‍👦" * 700 + "@" + "🇩🇪" * 2_000,
    "- item @ **b**\n" * 200,
    "| a | @ |\n|---|---|\n" + "| row @ | **@** |\n" * 200,
    "> " * 80 + "deep @\n\n" + "".join(" " * 2 * level + "- @\n" for level in range(60)),
)
_MARKS = (
    "*", "**", "_", "`", "```", "~~", "[", "](", ")", "|", "\n", "\n\n", "> ", "- ", "1. ", "# ",
    "\\", "$", "<", ">", "![", "http://", ":0", ":99999", "\u0301", "👍🏽", "\u200d",
    "\t", "    ", "&#10;", "&#x202e;", "&nbsp;", "tg:", "\r", "\x01", "]: ", "---", "|---|---|\n",
)  # fmt: skip
WORD = re.compile(r"q\d+z")


def case(number: int) -> str:
    """Return a case with words of its own in it."""
    pieces = CASES[number % len(CASES)].split("@")
    return pieces[0] + "".join(f"q{at}z{piece}" for at, piece in enumerate(pieces[1:]))


def mutated(seed: int) -> str:
    """Return one or more cases with up to eight accidents; some texts are long."""
    chance = random.Random(seed)
    text = "\n\n".join(chance.choice(CASES) for _ in range(chance.choice((1, 1, 2, 4))))
    words = (f"q{at}z" for at in range(text.count("@")))
    text = re.sub("@", lambda _: next(words), text)
    for _ in range(chance.randrange(9)):
        at = chance.randrange(len(text) + 1)
        till = min(len(text), at + chance.randrange(30))
        match chance.randrange(5):
            case 0:
                text = text[:at] + text[till:]
            case 1:
                text = text[:till] + text[at:]
            case 2 | 3:
                text = text[:at] + chance.choice(_MARKS) * chance.randrange(1, 4) + text[at:]
            case _:
                text = text[: max(at, 20)]  # as it comes while it is written
    return text
