"""Why a command does nothing."""


class Refused(Exception):
    """Nothing was changed. The text says why and what to do, and holds no secret."""
