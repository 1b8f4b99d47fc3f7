"""What of an answer's Markdown Telegram draws, and how."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from panoptes_bot.render import MOST_PARTS, NOTE, WAITING, drawn, grown, render
from panoptes_bot.split import MOST_UNITS, Text, units
from tests.bot.test_split import covered

# name: (Markdown, the text, what is drawn how)
CASES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "empty": ("", "", []),
    "only blanks": (" \n\t\n", "", []),
    "only marks": ("# \n\n>\n\n```\n```", "", []),
    "nothing to see": ("\u200b **\u2060**", "", []),
    "paragraphs": ("a\nb\n\n\n\nc", "a\nb\n\nc", []),
    "hard breaks": ("a  \nb\\\nc", "a\nb\nc", []),
    "emphasis": (
        "*i* **b** ~~s~~ ***x***",
        "i b s x",
        [("italic", "i"), ("bold", "b"), ("strikethrough", "s"), ("bold", "x"), ("italic", "x")],
    ),
    "nested emphasis is parted as Telegram does": (
        "**a *b* c**",
        "a b c",
        [("bold", "a "), ("bold", "b c"), ("italic", "b")],
    ),
    "the same twice": ("**a **b** c**", "a b c", [("bold", "a b c")]),
    "unbalanced": ("a * b ** c _ d ` e ~~ f", "a * b ** c _ d ` e ~~ f", []),
    "names with underscores": ("snake_case_name 2*3*4", "snake_case_name 234", [("italic", "3")]),
    "escapes": (r"\*a\* \_b\_ 2 \* 3", "*a* _b_ 2 * 3", []),
    "code": ("`a_b*c*`", "a_b*c*", [("code", "a_b*c*")]),
    "code in bold": (
        "**a `b` c**",
        "a b c",
        [("bold", "a "), ("code", "b"), ("bold", " c")],
    ),
    "code in a link": ("[`a`](http://b.c)", "a", [("text_link", "a")]),
    "a heading": (
        "# A **b**\ntext\n\nB\n---\n\nc",
        "A b\ntext\n\nB\n\nc",
        [("bold", "A b"), ("bold", "B")],
    ),
    "nested lists": (
        "- a\n  - b\n    - c\n- d\n  e",
        "• a\n   • b\n      • c\n• d\n   e",
        [],
    ),
    "a list with room": ("- a\n\n- b\n\n  c", "• a\n\n• b\n\n   c", []),
    "an ordered list that starts later": ("7. a\n8. b", "7. a\n8. b", []),
    "an ordered list that counts for itself": ("1) a\n1) b\n1) c", "1) a\n2) b\n3) c", []),
    "an ordered list with gaps": ("1. a\n4. b\n4. c", "1. a\n4. b\n5. c", []),
    "empty items": ("- \n- b\n-", "•\n• b\n•", []),
    "tasks": ("- [ ] a\n- [x] **b**\n1. [X] c", "☐ a\n☑ b\n1. ☑ c", [("bold", "b")]),
    "code in a list": (
        "1. a\n   ```sh\n   b\n   ```\n2. c",
        "1. a\nb\n2. c",
        [("pre", "b")],
    ),
    "a fence": (
        "a\n```python\nif b:\n    c\n```\nd",
        "a\nif b:\n    c\nd",
        [("pre", "if b:\n    c")],
    ),
    "a fence of tildes": ("~~~\n```\n~~~", "```", [("pre", "```")]),
    "a fence without end": ("```\na\n  b", "a\n  b", [("pre", "a\n  b")]),
    "a fence with a title": (
        '```js title="a.js"\nb\n```',
        'title="a.js"\nb',
        [("pre", "b")],
    ),
    "a fence with nothing but a word": ("```why", "why", [("pre", "why")]),
    "tabs in code": ("```\na:\n\tb\n```", "a:\n    b", [("pre", "a:\n    b")]),
    "indented code": ("    a\n      b", "a\n  b", [("pre", "a\n  b")]),
    "quotes are flat": ("> a\n> > b\n\nc", "a\nb\n\nc", [("blockquote", "a\nb")]),
    "code in a quote": (
        "> a\n> ```\n> b\n> ```",
        "a\nb",
        [("blockquote", "a\nb"), ("pre", "b")],
    ),
    "a quote in a list": ("- > a\n- b", "•\na\n• b", [("blockquote", "a")]),
    "a list in a quote": (
        "- x\n\n  > - a\n  >   b",
        "• x\n\n• a\n   b",
        [("blockquote", "• a\n   b")],
    ),
    "a rule": ("a\n\n---\nb", "a\n\n———\nb", []),
    "a picture": ("![a *b*](http://c.de/f.png)", "a b", [("text_link", "a b")]),
    "a picture without words": ("![](http://c.de)", "http://c.de", [("text_link", "http://c.de")]),
    "a picture in a link": ("[![a](http://b.cd)](http://e.fg)", "a", [("text_link", "a")]),
    "a picture by value": ("![a](data:image/png;base64,AAAA)", "a", []),
    "a link with marks": (
        "[a_b](http://c.de/f_(g)_h)",
        "a_b",
        [("text_link", "a_b")],
    ),
    "a link with a title": ('[a](http://b.cd "e")', "a (e)", [("text_link", "a")]),
    "reference links": (
        "[a][1] [b] [c]\n\n[1]: http://d.ef\n[b]: /g\n[h]: http://i.jk",
        "a b (/g) [c]\n[h]: http://i.jk",
        [("text_link", "a")],
    ),
    "an autolink that is none": ("<http://localhost:1> <a@b.cd>", "http://localhost:1 a@b.cd", []),
    "HTML is text": (
        "replace <name> with vector<int> <b>x</b>\n\n<div>\n&lt;&amp;",
        "replace <name> with vector<int> <b>x</b>\n\n<div>\n<&",
        [],
    ),
    "LaTeX is raw": (
        r"\(a_1*b*\) \[\frac{c}{d_e}\] $f_1 * g_2 * h$ $$i_{j}*k*$$",
        r"\(a_1*b*\) \[\frac{c}{d_e}\] $f_1 * g_2 * h$ $$i_{j}*k*$$",
        [],
    ),
    "prices are not LaTeX": ("$5 *and* $10", "$5 and $10", [("italic", "and")]),
    "a table": (
        "| a | bb | c |\n|:--|:-:|--:|\n| long | x | 1 |\n| **b** | `y` | 22 |",
        "a    | bb |  c\n-----+----+---\nlong | x  |  1\nb    | y  | 22",
        [("pre", "a    | bb |  c\n-----+----+---\nlong | x  |  1\nb    | y  | 22")],
    ),
    "a table of wide letters": (
        "| a | b |\n|---|---|\n| 日本 | c |\n| e\u0301 | d |",
        "a    | b\n-----+--\n日本 | c\ne\u0301    | d",
        [("pre", "a    | b\n-----+--\n日本 | c\ne\u0301    | d")],
    ),
    "a table with too many and too few cells": (
        "| a | b |\n|---|---|\n| c |\n| d | e | f |",
        "a | b\n--+---+--\nc\nd | e | f",
        [("pre", "a | b\n--+---+--\nc\nd | e | f")],
    ),
    "links and bars in a table": (
        "| a |\n|---|\n| [b](http://c.de) `f\\|g` |",
        "a\n-------------------\nb (http://c.de) f|g",
        [("pre", "a\n-------------------\nb (http://c.de) f|g")],
    ),
    "Persian": ("**سلام** می\u200cشود", "سلام می\u200cشود", [("bold", "سلام")]),
    "emoji": ("👩\u200d👧 **👍**", "👩\u200d👧 👍", [("bold", "👍")]),
    "control characters": ("a\x00b\x1bc\td\u202ee&#9;f", "a b c de f", []),
    "line ends": ("a\r\nb\rc\u2028d", "a\nb\nc\nd", []),
    "the ring that Telegram takes away": ("A\u030a", "\xc5", []),
    "half a character": ("a\ud83db", "a\ufffdb", []),
    "too deep": ("> " * 90 + "a", "> " * 90 + "a", []),
}


@pytest.mark.parametrize(("markdown", "text", "entities"), CASES.values(), ids=CASES.keys())
def test_markdown_is_drawn(markdown: str, text: str, entities: list[tuple[str, str]]) -> None:
    found = render(markdown)

    assert found.text == text
    assert covered(found) == entities


@pytest.mark.parametrize(
    "url",
    [
        "http://a.b",
        "HTTPS://A.B:8443/c?d=(e)#f",
        "http://10.0.0.1:1",
        "http://a_b.c-d",
        "https://a.b:65535",
        "tg://resolve?domain=a",
        "tg:a",
    ],
)
def test_a_link_that_telegram_takes_is_one(url: str) -> None:
    (entity,) = render(f"[x](<{url}>)").entities

    assert (entity.type, entity.url, entity.length) == ("text_link", url, 1)


@pytest.mark.parametrize(
    "url",
    [
        "/path",
        "/é",
        "http://localhost",
        "http://localhost:9090",
        "http://prometheus",
        "http://a.b:0",
        "http://a.b:65536",
        "http://a.b:",
        "http://a.b:x",
        "http://a.",
        "http://...",
        "http://a!b.c",
        "http://u@a.b",
        "http:a.b",
        "ftp://a.b",
        "javascript:alert(1)",
        "file:///a",
        "tg:",
        "tg://?a",
        "//a.b",
        "#a",
    ],
)
def test_a_link_that_telegram_refuses_is_written_out(url: str) -> None:
    assert render(f"[x](<{url}>)") == Text(f"x ({url})")


def test_a_link_in_another_script_is_written_in_ascii() -> None:
    (entity,) = render("[x](https://مثال.ایران/é b)".replace(" ", "%20")).entities

    assert entity.url == "https://xn--mgbh0fb.xn--mgba3a4f16a/%C3%A9%20b"


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        ("c++ x", "c++"),
        ("{.c}", None),
        ("", None),
        ("Dockerfile:a", "Dockerfile"),
    ],
)
def test_the_first_word_of_a_fence_is_its_language(info: str, language: str | None) -> None:
    assert render(f"~~~{info}\na\n~~~").entities[0].language == language


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_drawn(markdown: str) -> None:
    found = render(markdown)

    in_code = found.entities[:1] and found.entities[0].type == "pre"
    assert found.text == found.text.rstrip(" \n")
    assert in_code or found.text == found.text.lstrip(" \n")
    assert all(0 <= each.offset < units(found.text) for each in found.entities)


@given(
    st.lists(
        st.sampled_from(
            [
                *"*_`~|[](){}<>#-+!\\\n \t1.:$&ab",
                "**a**",
                "*a*",
                "`a`",
                "http://a.b",
                "| - |",
                "\n\n",
                "```",
                "    ",
            ]
        )
    )
)
def test_any_marks_can_be_drawn(pieces: list[str]) -> None:
    found = render("".join(pieces))

    assert all(0 < each.length <= units(found.text) - each.offset for each in found.entities)
    order = [(each.offset, -each.length) for each in found.entities]
    assert order == sorted(order)


def test_the_beginning_of_an_answer_is_drawn_as_it_comes() -> None:
    answer = "Hi **there**\n```py\nx = 1\n```\n| a | b |\n|---|---|\n| c | d |"

    shown = [grown(answer[:at])[0].text for at in (0, 3, 8, 12, 18, 21, len(answer))]

    assert shown == [
        WAITING,
        "Hi",
        "Hi **the",
        "Hi there",
        "Hi there\npy",
        "Hi there\nx",
        "Hi there\nx = 1\na | b\n--+--\nc | d",
    ]


def test_a_growing_answer_keeps_the_parts_that_are_full() -> None:
    answer = "A **word** and more.\n\n" * 500

    seen = [grown(answer[:at]) for at in range(5_000, len(answer), 1_500)]

    for before, after in pairwise(seen):
        assert after[: len(before) - 1] == before[:-1]
    assert max(map(len, seen)) == MOST_PARTS == 3


def test_an_answer_of_a_few_parts_has_no_file() -> None:
    found = drawn("word " * 2_000)

    assert [len(part.text) > 1_000 for part in found.parts] == [True] * 3
    assert found.document is None


@pytest.mark.parametrize("markdown", ["", "\u200b", "```\n```"])
def test_an_answer_with_nothing_to_see_is_one_message(markdown: str) -> None:
    assert drawn(markdown).parts == grown(markdown) == [Text(WAITING)]


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_a_very_long_answer_is_a_file_and_its_beginning(keep: int) -> None:
    answer = "**word** éa\n" * 2_000

    found = drawn(answer, keep)

    assert found.document == answer.encode()
    assert found.parts[:-1] == grown(answer)[: keep - 1]
    assert len(found.parts) == keep
    assert found.parts[-1].text.endswith(f"word éa\n\n{NOTE}")
    assert units(found.parts[-1].text) <= MOST_UNITS


def test_what_is_too_long_to_be_drawn_is_a_file_even_if_it_shows_little() -> None:
    assert drawn("\n" * 40_000 + "a").parts == [Text(NOTE)]
    assert drawn("a" + "\n" * 40_000).document == b"a" + b"\n" * 40_000


def test_an_answer_with_half_a_character_can_be_a_file() -> None:
    assert drawn("a\ud83d " * 9_000).document == b"a? " * 9_000


ANSWER = """# Why is the office slow?

Looking at the **last 24 hours**, three things stand out: the *backhaul* of `pod-3`, the
[WAN](https://status.example.com/wan?x=1) and a busy channel. It is ~~never~~ rarely the clients
(see the `rx_mbytes` column), and I would not change `snake_case_name` yet.

1. **Backhaul**: pod 3 hangs on 2.4 GHz.
   - move it closer to the gateway
   - or give it a wire
2. **WAN**: peaks at 94 Mbps of 100.
   1. ask the provider
   2. measure with `iperf3 -c 10.0.0.1`
3. **Channel**: 36 is shared by _five_ neighbours.

| node | band | use |
| :--- | :--: | ---: |
| gateway | 5 GHz | 12 % |
| pod-2 | 5 GHz | 34 % |
| pod-3 | 2.4 GHz | **87 %** |

> Note that a restart only hides it.
> It comes back after some hours.

```python
def busy(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.use > 0.8]
```

Prices are about $5 and $10, and the formula $E = mc^2$ stays as it is.

---

"""


def test_a_full_message_takes_little_longer_than_to_read_its_markdown() -> None:
    answer = (ANSWER * 10)[:4_000]
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def best(work: Callable[[str], object]) -> float:
        # Of many, and in turns: other work on the machine is not what is measured.
        begin = time.thread_time()
        work(answer)
        return time.thread_time() - begin

    both = [(best(render), best(reader.parse)) for _ in range(100)]

    # In milliseconds it says more of the machine than of us: 4.5 of 5.5 are the library's.
    assert min(drawn for drawn, _ in both) < 1.6 * min(read for _, read in both)


@pytest.mark.parametrize(
    "piece",
    ["[", "![", "*a ", "**a*b*", "\\(", "$a", "> - ", "[a](", "<", "`a", "| a ", "~~", "&a"],
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    def seconds(count: int) -> float:
        begin = time.thread_time()
        render(piece * count)
        return time.thread_time() - begin

    seconds(50)

    # 8 times the text; the square would be 64 times as long.
    assert min(seconds(4_000) for _ in range(3)) < 30 * max(seconds(500), 0.002)
