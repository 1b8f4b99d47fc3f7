"""Which tests show each fault of the plan, on Telegram and on REST; `test_coverage.py` checks it.

An id without brackets stands for all of its cases. For a fault of Telegram, REST is who asks by
`POST /message` meanwhile, and the operator's own calls.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.faults import test_plume, test_telegram
from tests.faults.table import ROWS

HERE = "tests/faults"
CLIENT = "tests/llm/test_faults.py::test_a_stream_survives"
REPORTS = "tests/networks/test_report_faults.py"
BOT = "tests/bot/test_faults.py"
NUMBERS = (
    *(f"L{number}" for number in range(1, 26)),
    *(f"P{number}" for number in range(1, 10)),
    *(f"T{number}" for number in range(1, 13)),
)


class Cover(NamedTuple):
    telegram: tuple[str, ...]
    rest: tuple[str, ...]


def both(*tests: str) -> Cover:
    return Cover(tests, tests)


def _of_provider(number: str) -> Cover:
    names = [name for name, row in ROWS.items() if row.number == number]
    file = f"{HERE}/test_openrouter.py"
    rest = (f"{file}::test_rest_answers[{name}-{door}]" for name in names for door in _DOORS)
    return Cover(tuple(f"{file}::test_a_person_on_telegram_sees[{name}]" for name in names),
                 tuple(rest))  # fmt: skip


def _of_plume(number: str) -> tuple[str, ...]:
    names = [name for name, row in test_plume.ROWS.items() if row.number == number]
    return tuple(f"{HERE}/test_plume.py::test_a_fault_of_plume[{name}]" for name in names)


def _of_telegram(number: str) -> tuple[str, ...]:
    told: dict[str, dict[str, Any]] = {
        "test_a_fault_that_costs_nobody_the_answer": test_telegram.HEALED,
        "test_a_refusal_for_good_is_kept_with_its_reason_and_not_tried_again": (
            test_telegram.REFUSED
        ),
    }
    return tuple(
        f"{HERE}/test_telegram.py::{test}[{name}]"
        for test, names in told.items()
        for name in names
        if name.split()[0] == number
    )


_DOORS = ("plain", "streamed")
_PLUME, _TELEGRAM = f"{HERE}/test_plume.py", f"{HERE}/test_telegram.py"
_SETUP = f"{_PLUME}::test_what_plume_refuses_at_setup_is_not_stored"
_SLOW_DOWN = f"{_PLUME}::test_who_is_asked_to_slow_down_says_so_and_when_to_come_again"
_LAST = "tests/networks/test_last_known.py::test_the_last_report_comes_with_its_age"
_MODELS = both(
    f"{HERE}/test_models.py::test_a_model_that_goes_is_stood_in_for_and_the_answer_says_so",
    f"{HERE}/test_models.py::test_a_model_that_nothing_stands_in_for_is_told_with_a_way_on",
)
# Beside what the tables say.
_MORE: dict[str, Cover] = {
    "L1": both(f"{HERE}/test_unreachable.py::test_a_provider_that_cannot_be_reached"),
    "L2": Cover((f"{HERE}/test_openrouter.py::test_who_waits_long_is_told_so_before_the_answer",),
                (f"{CLIENT}[silence-after-head]",)),
    "L10": Cover((), tuple(f"{CLIENT}[wire-{it}]" for it in ("crlf", "cr", "fields", "comments"))),
    "L15": both(f"{HERE}/test_openrouter.py::test_operators_are_told_of_each_cause_once"),
    "L16": both(f"{HERE}/test_openrouter.py::test_operators_are_told_of_each_cause_once"),
    "L17": _MODELS,
    "P1": both(f"{_SETUP}[oauth:invalid_client]"),
    "P2": both(f"{_SETUP}[oauth:invalid_scope]"),
    "P3": both(f"{_PLUME}::test_a_token_without_a_usable_lifetime_is_used"),
    "P4": Cover((f"{_PLUME}::test_a_revoked_token_is_replaced_by_one_sign_in_for_all_who_ask",),
                (f"{_PLUME}::test_a_revoked_token_is_replaced_by_one_sign_in_for_all_who_ask",
                 ("tests/plume/test_oauth.py::"
                 "test_fifty_calls_with_a_revoked_token_are_one_sign_in"))),
    "P6": Cover((_SLOW_DOWN,), (_SLOW_DOWN, _LAST)),
    "P7": Cover((), (f"{REPORTS}::test_a_fault_is_a_sentence_and_a_way_on", _LAST)),
    "P8": Cover((), (f"{REPORTS}::test_odd_data_is_unknown_and_never_a_dead_network",
                     "tests/plume/test_odd_data.py::test_every_call_survives_every_oddity")),
    "P9": Cover((f"{_PLUME}::test_hostile_names_are_plain_text_and_short",
                 "tests/networks/test_hostile_names.py::test_each_of_300_names_is_text_in_a_line"),
                (f"{_PLUME}::test_hostile_names_are_plain_text_and_short",)),
    "T2": Cover((f"{_TELEGRAM}::test_nothing_is_sent_that_telegram_finds_too_long",
                 "tests/bot/test_judged.py::test_telegram_takes_each_case_whole",
                 "tests/bot/test_split.py::test_no_part_has_more_entities_than_telegram_reads"),
                (f"{_TELEGRAM}::test_nothing_is_sent_that_telegram_finds_too_long",
                 ("tests/api/test_deliveries_acks.py::"
                 "test_a_long_button_has_a_short_key_that_only_its_owner_may_press"))),
    "T5": Cover((f"{_TELEGRAM}::test_a_group_that_becomes_a_supergroup_gets_its_answer_there",),
                (f"{_TELEGRAM}::test_a_group_that_becomes_a_supergroup_gets_its_answer_there",
                 ("tests/api/test_deliveries_acks.py::"
                 "test_a_chat_with_a_new_id_takes_its_deliveries_along"))),
    "T6": Cover((f"{BOT}::test_a_refusal_for_good_is_told_with_its_reason_and_not_tried_again",),
                (("tests/api/test_deliveries_acks.py::"
                 "test_dead_letters_are_listed_for_the_operator_and_driven_again"),)),
    "T7": both(f"{_TELEGRAM}::test_a_flood_wait_is_obeyed_and_holds_up_nobody_else"),
    "T8": Cover((f"{_TELEGRAM}::test_a_token_that_is_revoked_ends_the_bot_and_nothing_else",
                 "tests/chain/test_outages.py::test_a_revoked_token_ends_it_with_one_line"),
                (f"{_TELEGRAM}::test_a_token_that_is_revoked_ends_the_bot_and_nothing_else",)),
    "T9": Cover((f"{_TELEGRAM}::test_a_second_poller_ends_the_bot_and_nothing_else",
                 ("tests/chain/test_outages.py::"
                 "test_a_second_poller_ends_one_of_the_two_with_one_line")),
                (f"{_TELEGRAM}::test_a_second_poller_ends_the_bot_and_nothing_else",)),
    "T11": Cover((f"{_TELEGRAM}::test_an_update_is_taken_once_and_an_unknown_one_is_counted",
                  "tests/platforms/test_telegram_odd.py::test_kinds_that_are_not_for_us_are_ignored",
                  ("tests/api/test_telegram_turns.py::"
                  "test_an_update_is_answered_once_for_a_week_and_then_forgotten")),
                 (f"{_TELEGRAM}::test_an_update_is_taken_once_and_an_unknown_one_is_counted",
                  ("tests/api/test_repeats.py::"
                  "test_a_repeat_gets_the_stored_reply_byte_for_byte_and_asks_no_model"))),
    "T12": both(f"{_TELEGRAM}::test_what_is_refused_in_every_form_ends_as_a_dead_letter"),
}  # fmt: skip


def cover(number: str) -> Cover:
    """Return the ids of the tests of a row."""
    found = _of_provider(number)
    shared = (*_of_plume(number), *_of_telegram(number))
    more = _MORE.get(number, both())
    return Cover((*found.telegram, *shared, *more.telegram), (*found.rest, *shared, *more.rest))


def all_ids() -> Iterator[str]:
    for number in NUMBERS:
        yield from cover(number).telegram
        yield from cover(number).rest
