from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from app.chat.limits import SWEEP_EVERY, WINDOW_SECONDS, Limits, Verdict

U1 = ("internal", "u1")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["spend", "spend", "spend", "refund", "look"]),
        st.sampled_from([("internal", "a"), ("internal", "b"), ("telegram", "a")]),
        # Quarters are exact in binary, so that both models see the very edge of the window.
        st.integers(0, 140).map(lambda quarters: quarters / 4),
    ),
    max_size=80,
)


class Naive:
    """Keeps every time and counts those of the last minute."""

    def __init__(self) -> None:
        self.times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def look(self, key: tuple[str, str], now: float, limit: int) -> Verdict:
        inside = [time for time in self.times[key] if now - time < WINDOW_SECONDS]
        reset = inside[0] + WINDOW_SECONDS - now if inside else 0.0
        return Verdict(len(inside) < limit, limit, max(0, limit - len(inside)), reset)

    def spend(self, key: tuple[str, str], now: float, limit: int) -> Verdict:
        allowed = self.look(key, now, limit).allowed
        if allowed:
            self.times[key].append(now)
        after = self.look(key, now, limit)
        return Verdict(allowed, limit, after.left, after.reset)

    def refund(self, key: tuple[str, str], now: float) -> None:
        if self.times[key] and now - self.times[key][-1] < WINDOW_SECONDS:
            self.times[key].pop()


@given(STEPS, st.integers(1, 6))
def test_the_window_is_exact(steps: list[tuple[str, tuple[str, str], float]], limit: int) -> None:
    limits, naive, now = Limits(), Naive(), 1_000.0

    for what, key, later in steps:
        now += later
        if what == "refund":
            # What left the window has long been forgotten, or will be when it is next seen.
            if naive.look(key, now, limit).reset:
                limits.refund(key)
                naive.refund(key, now)
        elif what == "look":
            assert limits.look(key, now, limit) == naive.look(key, now, limit)
        else:
            assert limits.spend(key, now, limit) == naive.spend(key, now, limit)


def test_the_twenty_first_message_of_a_minute_is_refused_until_the_first_is_a_minute_old() -> None:
    limits = Limits()

    verdicts = [limits.spend(U1, second, 20) for second in range(20)]

    assert [verdict.left for verdict in verdicts] == list(reversed(range(20)))
    assert all(verdict.allowed for verdict in verdicts)
    assert limits.spend(U1, 20, 20) == Verdict(allowed=False, limit=20, left=0, reset=40.0)
    assert not limits.spend(U1, 59.99, 20).allowed
    assert limits.spend(U1, 60, 20) == Verdict(allowed=True, limit=20, left=0, reset=1.0)


def test_a_refused_message_costs_nothing() -> None:
    limits = Limits()
    limits.spend(U1, 0, 1)

    refused = [limits.spend(U1, second, 1).allowed for second in range(1, 60)]

    assert not any(refused)
    assert limits.spend(U1, 60, 1).allowed


def test_two_people_and_two_platforms_do_not_count_for_each_other() -> None:
    limits = Limits()
    limits.spend(U1, 0, 1)

    others = [limits.spend(key, 0, 1).allowed for key in (("internal", "u2"), ("telegram", "u1"))]

    assert others == [True, True]
    assert not limits.spend(U1, 0, 1).allowed


def test_what_is_given_back_can_be_spent_again() -> None:
    limits = Limits()
    limits.spend(U1, 0, 1)

    limits.refund(U1)

    assert limits.look(U1, 0, 1) == Verdict(allowed=True, limit=1, left=1, reset=0.0)
    assert limits.spend(U1, 0, 1).allowed


def test_the_latest_place_is_given_back() -> None:
    limits = Limits()
    limits.spend(U1, 0, 2)
    limits.spend(U1, 30, 2)

    limits.refund(U1)

    assert limits.look(U1, 30, 2) == Verdict(allowed=True, limit=2, left=1, reset=30.0)


def test_a_message_that_is_a_minute_old_no_longer_counts() -> None:
    limits = Limits()
    limits.spend(U1, 0, 1)

    looked = limits.look(U1, 60, 1)

    assert looked == Verdict(allowed=True, limit=1, left=1, reset=0.0)


def test_nothing_to_give_back_is_no_error_and_no_gift() -> None:
    limits = Limits()

    limits.refund(U1)

    assert limits.spend(U1, 0, 1).allowed
    assert not limits.spend(U1, 0, 1).allowed


def test_a_message_from_before_the_last_one_counts_as_the_last() -> None:
    limits = Limits()
    limits.spend(U1, 100, 2)

    verdict = limits.spend(U1, 10, 2)

    assert verdict == Verdict(allowed=True, limit=2, left=0, reset=60.0)
    assert not limits.spend(U1, 159, 2).allowed


def test_memory_holds_the_people_of_about_a_minute_however_many_there_were() -> None:
    limits = Limits()
    most = 0

    for second in range(3_000):  # a hundred strangers a second
        for person in range(100):
            limits.spend(("internal", f"{second}-{person}"), second, 5)
        most = max(most, len(limits._spent))

    a_minute = 100 * int(WINDOW_SECONDS)
    assert most <= 2 * a_minute + SWEEP_EVERY


def test_those_who_are_still_counted_survive_the_sweep() -> None:
    limits = Limits()
    limits.spend(U1, 50, 1)

    for number in range(2 * SWEEP_EVERY):
        limits.spend(("internal", f"x{number}"), 100, 1)

    assert not limits.spend(U1, 100, 1).allowed
