import base64
import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger

from app import logs
from app.logs import configure, size
from app.redaction import MARKER, Redactor

CANARY = "canary-" + "0123456789" * 3
HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (?:[A-Z]+|Level \d+) +\S")

Start = Callable[..., io.StringIO]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "arash_bot_service.log"


@pytest.fixture
def start(place: Path) -> Iterator[Start]:
    """Start the log as often as wanted; it ends with the test."""
    ends: list[Callable[[], None]] = []

    def start(
        form: Literal["text", "json"] = "text", level: str = "INFO", **how: object
    ) -> io.StringIO:
        stream = io.StringIO()
        settings = {"file": place, "redact": Redactor([CANARY]), "format": form, "stream": stream}
        ends.append(configure(level=level, **(settings | how)))  # type: ignore[arg-type]
        return stream

    yield start
    for end in reversed(ends):
        end()


def only(stream: io.StringIO) -> dict[str, object]:
    """Return the one line that was written, which is JSON."""
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert isinstance(record, dict)
    return record


# --- the line


def test_a_line_tells_time_level_event_fields_and_request(start: Start) -> None:
    stream = start()

    with logger.contextualize(request_id="r-1"):
        logger.info("turn.done", turn=12, duration_ms=12.5, model="openai/gpt-4.1", cause=None)

    line = stream.getvalue()
    assert HEAD.match(line)
    assert line.endswith(
        " INFO     turn.done turn=12 duration_ms=12.5 model=openai/gpt-4.1 cause=None"
        " request_id=r-1\n"
    )


def test_the_request_id_ends_with_the_request(start: Start) -> None:
    stream = start()

    with logger.contextualize(request_id="r-1"):
        pass
    logger.info("later")

    assert "request_id" not in stream.getvalue()


def test_a_line_of_json_tells_the_same(start: Start) -> None:
    stream = start("json")

    with logger.contextualize(request_id="r-1"):
        logger.warning("turn.slow", turn=12, duration_ms=12.5, note="سلام")

    record = only(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}[+-]\d\d:\d\d", str(record.pop("time")))
    assert record == {
        "level": "WARNING",
        "event": "turn.slow",
        "request_id": "r-1",
        "fields": {"turn": 12, "duration_ms": 12.5, "note": "سلام"},
        "exception": None,
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("line\nbreak", r'"line\nbreak"'),
        ("سلام", '"سلام"'),
        (True, "True"),
        ([1, 2], '"[1, 2]"'),
        (b"raw", "\"b'raw'\""),
    ],
)
def test_a_value_that_could_be_mistaken_is_quoted(start: Start, value: object, shown: str) -> None:
    stream = start()

    logger.info("event", value=value)

    assert stream.getvalue().endswith(f" event value={shown}\n")


@pytest.mark.parametrize("level", ["DEBUG", "info", "Warning", "ERROR", "CRITICAL"])
def test_nothing_below_the_level_is_written(start: Start, level: str) -> None:
    stream = start(level=level)
    names = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

    for name in names:
        logger.log(name, "event")
        logging.getLogger("library").log(logging.getLevelNamesMapping()[name], "event")

    shown = [line.split()[2] for line in stream.getvalue().splitlines()]
    wanted = [name for name in names[names.index(level.upper()) :] for _ in range(2)]
    assert shown == wanted


def test_a_level_nobody_knows_is_refused(place: Path) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure(level="loud", file=place, redact=str)


# --- nobody forges a line


HOSTILE = [
    "x\n2026-01-01 00:00:00.000+00:00 ERROR    forged.event a=1",
    "x\r\nERROR",
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;aGk=\x07",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
    "\u202eesrever\u2066",
    "\0\ud800\ufeff\u200b",
    "{x} {0.__class__} %s ${y} <red>a</red>",
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_stays_in_its_line(
    start: Start, place: Path, form: Literal["text", "json"], text: str
) -> None:
    stream = start(form)

    logger.info("event", value=text, other=[text])
    logger.bind(**{text: 1}).info("event")
    logging.getLogger("library").warning(text)
    logging.getLogger("library").warning("said %s", text)

    kept = place.read_text()
    assert kept == stream.getvalue()
    assert len(kept.splitlines()) == 4
    assert all(line.isprintable() for line in kept.split("\n"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), form=st.sampled_from(["text", "json"]))
def test_any_text_makes_one_printable_line(
    start: Start, text: str, form: Literal["text", "json"]
) -> None:
    stream = start(form, file=None)

    logger.info("event", value=text)

    assert stream.getvalue().endswith("\n")
    assert stream.getvalue()[:-1].isprintable()


def test_a_traceback_is_indented_under_its_line(start: Start) -> None:
    stream = start()

    try:
        raise ValueError("first\nERROR second\x1b[0m")  # noqa: TRY301
    except ValueError:
        logger.exception("turn.failed", turn=1)

    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("ERROR    turn.failed turn=1")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-2:] == ["    ValueError: first", "    ERROR second\\x1b[0m"]
    assert all(line.startswith("    ") for line in rest)


def test_json_holds_a_traceback_in_its_line(start: Start) -> None:
    stream = start("json")

    try:
        raise ValueError("first\nsecond")  # noqa: TRY301
    except ValueError:
        logger.exception("turn.failed")

    assert str(only(stream)["exception"]).endswith("ValueError: first\nsecond\n")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: {2, 3}}, {(1, 2): 3}, object()])
def test_json_stays_json_whatever_a_field_is(start: Start, value: object) -> None:
    stream = start("json")
    circle: list[object] = [value]
    circle.append(circle)

    logger.info("event", value=value)
    logger.info("event", value=circle)

    def refuse(constant: str) -> None:
        pytest.fail(constant)

    for line in stream.getvalue().splitlines():
        assert json.loads(line, parse_constant=refuse)["fields"]["value"]


# --- no secret


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_withheld_wherever_it_stands(
    start: Start, place: Path, form: Literal["text", "json"]
) -> None:
    pair = base64.b64encode(f"id:{CANARY}".encode()).decode()
    stream = start(form)

    try:
        raise ValueError(f"illegal header value b'Basic {pair}\\n' {CANARY}")  # noqa: TRY301
    except ValueError:
        logger.exception("call.failed", key=CANARY, nested={"a": [f"Bearer {pair}"]})
    logging.getLogger("library").error("GET https://host/?key=%s", CANARY)
    logger.info(CANARY)

    shown = place.read_text()
    assert shown == stream.getvalue()
    assert shown.count(MARKER) >= 6
    assert CANARY not in shown
    assert pair not in shown
    if form == "json":
        assert [json.loads(line)["level"] for line in shown.splitlines()] == [
            "ERROR",
            "ERROR",
            "INFO",
        ]


def test_the_values_of_variables_are_not_shown(start: Start) -> None:
    stream = start(redact=str)
    hidden = f"a{1 - 2}variable"

    try:
        int(hidden[0] + "!")
    except ValueError:
        logger.exception("event")

    assert "int(hidden[0]" in stream.getvalue()
    assert "a-1variable" not in stream.getvalue()


class Grumpy:
    def __str__(self) -> str:
        raise ValueError(CANARY)

    __repr__ = __str__


def failing(_: str) -> str:
    raise ValueError(CANARY)


@pytest.mark.parametrize(("value", "redact"), [(Grumpy(), Redactor()), (CANARY, failing)])
def test_a_line_that_cannot_be_made_is_counted_and_not_shown(
    start: Start, capfd: pytest.CaptureFixture[str], value: object, redact: Callable[[str], str]
) -> None:
    stream = start(redact=redact)

    logger.info("event", value=value)

    assert stream.getvalue() == "ERROR log.line_lost cause=ValueError\n"
    assert capfd.readouterr() == ("", "")


# --- libraries


@pytest.mark.parametrize(
    "name", ["uvicorn", "uvicorn.error", "asyncio", "aiohttp.client", "telegram"]
)
def test_what_libraries_log_joins_in(start: Start, name: str) -> None:
    own = logging.StreamHandler(io.StringIO())
    logging.getLogger(name).addHandler(own)
    logging.getLogger(name).setLevel(logging.NOTSET)  # the bot's log quietens some of them
    stream = start("json")

    logging.getLogger(name).info("read %d {bytes}", 5, extra={"x": 1})

    record = only(stream)
    assert (record["level"], record["event"]) == ("INFO", "read 5 {bytes}")
    assert record["fields"] == {"logger": name}
    assert own not in logging.getLogger(name).handlers


@pytest.mark.parametrize(
    "name",
    [
        "alembic.runtime",
        "httpx",
        "httpcore.connection",
        "sqlalchemy.engine.Engine",
        "uvicorn.access",
        "PIL.Image",
    ],
)
def test_talkative_libraries_are_heard_from_warnings_on(start: Start, name: str) -> None:
    stream = start("json", level="DEBUG")

    logging.getLogger(name).info("GET https://host/bot123:token")
    logging.getLogger(name).warning("trouble")

    assert only(stream)["event"] == "trouble"


def test_a_wrong_call_of_a_library_is_written_as_it_is(start: Start) -> None:
    stream = start("json")

    wrong = ("one",)

    logging.getLogger("library").info("%d of %d", *wrong)

    assert only(stream)["event"] == "%d of %d"


def test_the_traceback_of_a_library_comes_along(start: Start) -> None:
    stream = start("json")

    try:
        raise KeyError("k")  # noqa: TRY301
    except KeyError:
        logging.getLogger("library").exception("failed")
    logging.getLogger("library").log(35, "between", exc_info=True)

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["exception"].endswith("KeyError: 'k'\n")
    assert (second["level"], second["exception"]) == ("Level 35", None)


@pytest.mark.filterwarnings("default::UserWarning")
def test_warnings_of_python_join_in(start: Start) -> None:
    stream = start("json")

    warnings.warn("careful", UserWarning, stacklevel=1)

    assert "UserWarning: careful" in str(only(stream)["event"])


def test_an_error_nobody_caught_is_written_without_its_secret(place: Path) -> None:
    code = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from app.logs import configure\n"
        "from app.redaction import Redactor\n"
        "configure(level='INFO', file=Path(sys.argv[1]), redact=Redactor([sys.argv[2]]))\n"
        "def fail(): raise ValueError(sys.argv[2])\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, place, CANARY],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
    )

    assert done.returncode == 1
    assert done.stderr == place.read_text()
    assert done.stderr.count("CRITICAL process.uncaught") == 2
    assert done.stderr.count(f"ValueError: {MARKER}") == 2


def test_the_end_gives_everything_back(place: Path) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    quiet = logging.getLogger("httpx").level
    stream = io.StringIO()

    end = configure(level="DEBUG", file=place, redact=str, stream=stream)
    assert (root.handlers, root.level) != before[:2]
    end()
    end()
    logger.info("unheard")

    assert (root.handlers, root.level, sys.excepthook, threading.excepthook) == before
    assert logging.getLogger("httpx").level == quiet
    assert stream.getvalue() == ""


# --- the file


def test_the_file_is_for_its_owner_and_every_line_names_its_level(
    start: Start, place: Path
) -> None:
    place.parent.mkdir()
    place.write_text("older\n")
    place.chmod(0o644)

    start()
    logger.error("turn.failed")
    logger.info("turn.done")

    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    found = subprocess.run(["grep", "ERROR", place], check=True, capture_output=True, text=True)
    assert [line.split()[3] for line in found.stdout.splitlines()] == ["turn.failed"]
    assert place.read_text().startswith("older\n")


def test_tail_sees_each_line_at_once(start: Start, place: Path) -> None:
    start()
    logger.info("first")

    with subprocess.Popen(["tail", "-n1", "-f", place], stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        first = tail.stdout.readline()
        logger.info("second")
        second = tail.stdout.readline()
        tail.terminate()

    assert (first.split()[-1], second.split()[-1]) == ("first", "second")


def test_past_the_limit_the_file_is_rotated_and_old_ones_go(start: Start, place: Path) -> None:
    start(rotation=1000, retention=3)

    for number in range(100):
        logger.info("event", number=number)

    names = ["", ".1", ".2", ".3"]
    files = [place.with_name(place.name + name) for name in names]
    assert sorted(place.parent.iterdir()) == files
    assert all(0 < file.stat().st_size <= 1000 for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    numbers = re.findall(r"number=(\d+)", "".join(file.read_text() for file in reversed(files)))
    assert [int(number) for number in numbers] == list(range(100 - len(numbers), 100))


def test_one_older_file_is_the_least(start: Start, place: Path) -> None:
    start(rotation=200, retention=1)

    for _ in range(20):
        logger.info("event")

    assert sorted(file.name for file in place.parent.iterdir()) == [place.name, f"{place.name}.1"]
    with pytest.raises(ValueError, match="older"):
        configure(level="INFO", file=place, redact=str, retention=0)


def test_a_line_above_the_limit_is_kept_whole(start: Start, place: Path) -> None:
    start(rotation=100)

    logger.info("event", value="x" * 500)
    logger.info("event", value="y" * 500)

    assert "x" * 500 in place.with_name(f"{place.name}.1").read_text()
    assert "y" * 500 in place.read_text()
    assert len(list(place.parent.iterdir())) == 2


def test_a_restart_goes_on_in_the_same_file(start: Start, place: Path) -> None:
    for _ in range(2):
        start(rotation=10_000)
        logger.info("event")

    assert len(place.read_text().splitlines()) == 2
    assert len(list(place.parent.iterdir())) == 1


@pytest.mark.parametrize("taken", ["file", "folder"])
def test_a_log_that_was_taken_away_is_made_again(start: Start, place: Path, taken: str) -> None:
    start()
    logger.info("first")
    moved = place if taken == "file" else place.parent

    moved.rename(moved.with_name("moved"))
    logger.info("second")

    assert [line.split()[-1] for line in place.read_text().splitlines()] == ["second"]


def test_two_instances_share_a_file_and_lose_no_line(start: Start, place: Path) -> None:
    stream = io.StringIO()
    other = logs.RotatingFile(place, limit=3000, kept=100)
    start(rotation=3000, retention=100, stream=stream)

    for number in range(200):
        logger.info("event", number=number)
        other.write(b"event other=%d\n" % number)

    other.close()
    written = "".join(file.read_text() for file in place.parent.iterdir())
    assert {int(n) for n in re.findall(r"number=(\d+)", written)} == set(range(200))
    assert {int(n) for n in re.findall(r"other=(\d+)", written)} == set(range(200))
    assert len(list(place.parent.iterdir())) > 3
    assert max(file.stat().st_size for file in place.parent.iterdir()) <= 3000


def test_a_file_that_cannot_be_written_is_told_once_and_harms_nobody(
    start: Start, place: Path
) -> None:
    stream = start()
    place.parent.rename(place.parent.with_name("moved"))
    place.parent.write_text("in the way")

    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
    logger.info("first")
    spare += [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
    logger.info("second")
    place.parent.unlink()
    logger.info("third")
    # One of these numbers was the file's before: it must be nobody else's to close.
    for number in spare:
        os.close(number)

    lines = [line.split(" ")[-1] for line in stream.getvalue().splitlines()]
    assert lines[0] == "first"
    assert lines[1].startswith("errno=")
    assert lines[2:] == ["second", "third"]
    assert [line.split()[-1] for line in place.read_text().splitlines()] == ["third"]


def test_a_full_disk_is_told_once_and_harms_nobody(start: Start) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no full device")
    mode = full.stat().st_mode
    stream = start(file=full)

    logger.info("first")
    logger.info("second")

    lines = [line.split(" ")[-1] for line in stream.getvalue().splitlines()]
    assert lines == ["first", "errno=28", "second"]
    assert full.stat().st_mode == mode


def test_a_stream_that_was_closed_does_not_end_the_service(start: Start, place: Path) -> None:
    start().close()

    logger.info("event")

    assert place.read_text().endswith("event\n")


def test_each_line_is_pushed_through_the_stream(start: Start) -> None:
    raw = io.BytesIO()
    start(stream=io.TextIOWrapper(raw))

    logger.info("event")

    assert raw.getvalue().endswith(b"event\n")


def test_the_end_closes_the_file(place: Path) -> None:
    free = os.dup(0)
    os.close(free)

    configure(level="INFO", file=place, redact=str)()

    again = os.dup(0)
    os.close(again)
    assert again == free


def test_without_a_file_there_is_only_the_stream(start: Start, place: Path) -> None:
    stream = start(file=None)

    logger.info("event")

    assert stream.getvalue().endswith("event\n")
    assert not place.parent.exists()


def test_stderr_is_where_it_goes_by_default(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    start(stream=None)

    logger.info("event")

    assert capsys.readouterr().err.endswith("event\n")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("10 MB", 10**7), ("1.5kb", 1500), ("2GB", 2 * 10**9), ("512", 512), (77, 77), (" 5 B ", 5)],
)
def test_sizes_are_read(text: str | int, wanted: int) -> None:
    assert size(text) == wanted


@pytest.mark.parametrize("text", ["", "10 PB", "1 day", "-5", "0", 0, "MB", "1e9"])
def test_what_is_no_size_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="10 MB"):
        size(text)
