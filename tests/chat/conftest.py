"""What is above storage runs on both databases in `make soak`; what is about order always does."""

import pytest

from tests.conftest import WHOLE

ON_BOTH = {"test_lanes", "test_outbox"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if WHOLE:
        return
    left = [item for item in items if _is_twice(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if not _is_twice(item)]


def _is_twice(item: pytest.Item) -> bool:
    values = getattr(getattr(item, "callspec", None), "params", {})
    return (
        item.path.parent.name == "chat"
        and item.path.stem not in ON_BOTH
        and values.get("store") == "postgresql"
    )
