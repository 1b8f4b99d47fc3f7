"""Answers kept for some seconds, and what came of the last contacts."""

from app.errors import PlumeBusy, PlumeNotFound, PlumeUnreachable
from app.plume.refusal import Refusal
from app.plume.shelf import Shelf
from app.plume.watch import Watch


def test_what_is_too_old_is_gone() -> None:
    shelf = Shelf[str](100)
    shelf.put("a", "x", now=10.0, seconds=5.0, size=60)

    assert shelf.get("a", 14.9) == "x"
    assert shelf.get("a", 15.0) is None
    assert (len(shelf), shelf.size) == (0, 0)


def test_what_is_too_old_goes_when_something_else_comes() -> None:
    shelf = Shelf[str](100)
    for name, seconds in (("a", 20.0), ("b", 60.0), ("c", 20.0)):
        shelf.put(name, name, now=0.0, seconds=seconds, size=10)

    sizes = []
    for now in (19.0, 20.0, 60.0):
        shelf.put("d", "d", now=now, seconds=9.0, size=1)
        sizes.append(shelf.size)

    assert sizes == [31, 21, 1]


def test_the_oldest_make_room() -> None:
    shelf = Shelf[str](100)
    for name in ("a", "b", "c"):
        shelf.put(name, name, now=0.0, seconds=9.0, size=40)

    assert [shelf.get(name, 0.0) for name in ("a", "b", "c")] == [None, "b", "c"]
    assert shelf.size == 80


def test_what_is_put_again_counts_once() -> None:
    shelf = Shelf[str](100)
    for value in ("x", "y"):
        shelf.put("a", value, now=0.0, seconds=9.0, size=70)

    assert shelf.get("a", 0.0) == "y"
    assert shelf.size == 70


def test_what_is_larger_than_the_shelf_is_not_kept() -> None:
    shelf = Shelf[str](100)
    shelf.put("a", "x", now=0.0, seconds=9.0, size=60)
    shelf.put("b", "y", now=0.0, seconds=9.0, size=101)
    shelf.put("c", "z", now=0.0, seconds=0.0, size=1)

    assert [shelf.get(name, 0.0) for name in ("a", "b", "c")] == ["x", None, None]


def test_trouble_lasts_until_the_next_answer() -> None:
    watch = Watch()
    watch.failed(Refusal(PlumeUnreachable, cause="http_503"), 1.0)
    watch.failed(Refusal(PlumeBusy, cause="firewall"), 2.0)
    watch.failed(Refusal(PlumeUnreachable, cause="http_503"), 3.0)

    assert watch.trouble == "http_503"
    assert watch.failures == {"http_503": 2, "firewall": 1}
    assert watch.failed_at == {"http_503": 3.0, "firewall": 2.0}
    watch.answered(4.0)
    assert (watch.trouble, watch.answered_at, watch.answers) == ("", 4.0, 1)


def test_what_plume_says_of_one_customer_is_no_trouble() -> None:
    watch = Watch()
    watch.failed(Refusal(PlumeNotFound, cause="http_404"), 1.0)

    assert watch.trouble == ""
    assert watch.failures["http_404"] == 1
