"""Whole replies, compared with stored ones: `UPDATE_GOLDEN=1` writes them anew."""

import json
import os
from pathlib import Path

from wire.reply import Reply

GOLDEN = Path(__file__).parent / "golden"


def same_as_stored(name: str, reply: Reply) -> None:
    """Claim that `reply` is the one stored under `name`, down to the last character."""
    said = reply.model_dump(mode="json", exclude_defaults=True)
    said["response"] = reply.response.split("\n")
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    assert said == json.loads(path.read_text(encoding="utf-8"))
