import asyncio

import pytest

from panoptes_bot.menu import Menu
from tests.bot.stage import Stage, running, until

ENTRY = {"name": "status", "summary": "what is on"}


def menu_of(stage: Stage, scope: str) -> list[tuple[str, str]]:
    found = stage.world.commands.get((scope, 0, 0, ""), [])
    return [(entry["command"], entry["description"]) for entry in found]


async def test_the_menu_is_the_services_in_private_chats_and_groups(on_stage: Stage) -> None:
    await Menu(on_stage.bot, on_stage.client).refresh()

    expected = [("start", "begin"), ("help", "what there is")]
    assert menu_of(on_stage, "all_private_chats") == expected
    assert menu_of(on_stage, "all_group_chats") == expected
    assert set(on_stage.world.texts) == {("description", ""), ("short_description", "")}


async def test_a_menu_is_set_again_only_when_it_changed(on_stage: Stage) -> None:
    menu = Menu(on_stage.bot, on_stage.client)
    await menu.refresh()
    await menu.refresh()
    before = len(on_stage.world.of("setMyCommands"))
    on_stage.service.platforms["telegram"]["menu"] = [ENTRY]

    await menu.refresh()

    assert (before, len(on_stage.world.of("setMyCommands"))) == (2, 4)
    assert menu_of(on_stage, "all_group_chats") == [("status", "what is on")]


async def test_groups_are_shown_only_what_is_for_them(on_stage: Stage) -> None:
    alone = {"name": "setup", "summary": "sign in", "groups": False}
    on_stage.service.platforms["telegram"]["menu"] = [ENTRY, alone]

    await Menu(on_stage.bot, on_stage.client).refresh()

    assert [name for name, _ in menu_of(on_stage, "all_private_chats")] == ["status", "setup"]
    assert [name for name, _ in menu_of(on_stage, "all_group_chats")] == ["status"]


async def test_what_telegram_would_refuse_is_left_out(on_stage: Stage) -> None:
    strange = [{"name": "Über", "summary": "x"}, {"name": "long", "summary": "x" * 300}]
    on_stage.service.platforms["telegram"]["menu"] = [*strange, {"name": "bare", "summary": ""}]

    await Menu(on_stage.bot, on_stage.client).refresh()

    assert menu_of(on_stage, "all_private_chats") == [("long", "x" * 256), ("bare", "bare")]


@pytest.mark.parametrize("fault", ["bad:no", "unauthorized", "too_many:3", "reset_before"])
async def test_a_menu_that_fails_ends_nothing_and_comes_at_the_next_look(
    on_stage: Stage, fault: str
) -> None:
    menu = Menu(on_stage.bot, on_stage.client)
    on_stage.world.fail("setMyCommands", fault)

    await menu.refresh()
    await menu.refresh()

    assert len(menu_of(on_stage, "all_group_chats")) == 2


async def test_a_service_that_is_away_ends_nothing(on_stage: Stage) -> None:
    on_stage.service.platforms.clear()

    await Menu(on_stage.bot, on_stage.client).refresh()

    assert on_stage.world.of("setMyCommands") == []


async def test_each_connection_to_the_service_is_a_reason_to_look(on_stage: Stage) -> None:
    menu = Menu(on_stage.bot, on_stage.client)
    looking = asyncio.create_task(menu.run())
    async with running(on_stage.deliverer(connected=menu.look)):
        await until(lambda: on_stage.service.asked_for_menu == 1)
        on_stage.service.drop()
        await until(lambda: on_stage.service.asked_for_menu == 2)
    looking.cancel()

    assert len(menu_of(on_stage, "all_private_chats")) == 2
