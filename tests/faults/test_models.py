"""L17: a model goes without notice, with and without another one that may stand in."""

import asyncio
from pathlib import Path

from tests.api.service import said
from tests.faults.stage import running

CLAUDE, NEWER = "anthropic/claude-sonnet-4", "anthropic/claude-sonnet-4.6"


async def test_a_model_that_goes_is_stood_in_for_and_the_answer_says_so(tmp_path: Path) -> None:
    models = {"telegram_model": CLAUDE, "internal_default_model": CLAUDE}
    async with running(tmp_path, **models) as stage:
        # Without notice: it still is in the list that the service has.
        stage.model.next("http-404-deprecated")
        shown = await stage.ask(stage.somebody(), "hello there")
        plain = await stage.service.post(said("hello plain", user_id="a", chat_id="a"))
        events = await stage.service.events(said("hello stream", user_id="b", chat_id="b"))

    assert stage.tries("hello there") == 2
    assert "is no longer available; Claude Sonnet 4.6 answers instead." in shown.text
    for status, answer in ((plain.status_code, plain.json()), (200, events[-1].data)):
        data = answer["data"]
        assert (status, answer["success"]) == (200, True)
        assert (data["requested_model"], data["model"]) == (CLAUDE, NEWER)


async def test_a_model_that_nothing_stands_in_for_is_told_with_a_way_on(tmp_path: Path) -> None:
    async with running(tmp_path) as stage:
        shown, plain, events = await asyncio.gather(
            stage.ask(stage.somebody(), "[[fault:http-404-deprecated]] one"),
            stage.service.post(said("[[fault:http-404-deprecated]] two", user_id="a", chat_id="a")),
            stage.service.events(
                said("[[fault:http-404-deprecated]] three", user_id="b", chat_id="b")
            ),
        )

    # On Telegram the operator chooses the model, so there is no button that could.
    assert shown.texts == ("The model is no longer available. The operator has to name another.",)
    assert shown.buttons == ()
    assert stage.tries("one") == 1
    assert (plain.status_code, plain.json()["error"]) == (409, "model_unavailable")
    assert "/models" in plain.json()["response"]
    assert (events[-1].name, events[-1].data["error"]) == ("error", "model_unavailable")
