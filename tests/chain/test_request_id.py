"""One id leads from the update to the delivery, through the logs of both programs."""

import re

import pytest

from tests.chain.stack import Chain, Person

pytestmark = pytest.mark.asyncio(loop_scope="package")
SENT = re.compile(r"delivery\.told request_id=([0-9a-f]{16}) .*outcome=sent")


async def test_one_id_is_in_both_logs_from_the_update_to_the_delivery(
    chain: Chain, nora: Person
) -> None:
    before = set(SENT.findall(chain.bot.log))
    await nora.ask("6 * 7")
    await chain.until(lambda: set(SENT.findall(chain.bot.log)) - before)

    (found,) = set(SENT.findall(chain.bot.log)) - before

    await chain.until(lambda: len(lines(chain.service.log, found)) >= 6)
    assert events(chain.bot.log, found) == ["update.taken", "delivery.told", "delivery.told"]
    # Which of the first two comes first is up to chance.
    assert sorted(events(chain.service.log, found, "turn.", "delivery.")) == [
        "delivery.acknowledged",
        "delivery.acknowledged",
        "turn.done",
    ]
    (taken,) = [it for it in lines(chain.service.log, found) if "path=/webhook/telegram" in it]
    assert f"request_id={found}" in taken
    # What is said of the delivery is a request of its own, which names the first one.
    done = [it for it in lines(chain.service.log, found) if "/ack status=200" in it]
    assert len(done) == 2
    assert all(f"called_by={found}" in it and f"request_id={found}" not in it for it in done)


async def test_what_nobody_answers_is_told_with_the_id_too(chain: Chain, nora: Person) -> None:
    before = set(SENT.findall(chain.bot.log))
    await nora.answer(await nora.speak())
    await chain.until(lambda: set(SENT.findall(chain.bot.log)) - before)

    (found,) = set(SENT.findall(chain.bot.log)) - before

    assert lines(chain.service.log, found)


def lines(log: str, request_id: str) -> list[str]:
    return [line for line in log.splitlines() if request_id in line]


def events(log: str, request_id: str, *begins: str) -> list[str]:
    """Return the events that bear the id itself, those that begin so, in order."""
    mine = [line for line in lines(log, request_id) if f"request_id={request_id}" in line]
    found = [line.split()[3] for line in mine]
    return [event for event in found if event.startswith(begins or ("",))]
