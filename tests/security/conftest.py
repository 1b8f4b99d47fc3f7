from tests.api.conftest import logged, place, world

__all__ = ["logged", "place", "world"]
