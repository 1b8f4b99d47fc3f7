"""Loaded by schemathesis: lets generated messages get past the door."""

import itertools
import re
from typing import Any

import schemathesis

PLATFORM = re.compile(r"[a-z][a-z0-9_-]{0,31}")
MESSAGES = {"POST /message", "POST /webhook/{platform}"}
LONGEST_ID = 128
ENGINEER = "engineer"  # signed in to Plume
_numbers = itertools.count()


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Make most messages such that they are answered.

    They name the platform of the key, say something where they say nothing, and are new where
    they have the id of an example. Those of a platform that cannot be are there to be refused
    and stay as they are, and so do those with a name of one letter.
    """
    if context.operation is None or context.operation.label not in MESSAGES:
        return body
    named = body.get("platform") if isinstance(body, dict) else None
    if not isinstance(named, str) or len(named) == 1 or not PLATFORM.fullmatch(named):
        return body
    changed: dict[str, Any] = {"platform": "internal"}
    if str(body.get("message_id")).startswith("docs-"):
        changed["message_id"] = f"docs-{next(_numbers)}"
    if not body.get("text") and not body.get("attachments"):
        changed["text"] = "/help"
    return {**body, **changed}


@schemathesis.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: Any) -> Any:
    """Name the platform of the key, whose door is the only one that opens."""
    if context.operation is None or context.operation.label != "POST /webhook/{platform}":
        return path_parameters
    return {**(path_parameters or {}), "platform": "internal"}


@schemathesis.hook
def map_query(context: schemathesis.HookContext, query: Any) -> Any:
    """Ask for the networks of somebody who has some; half of a location stays half."""
    if context.operation is None or not context.operation.label.startswith("GET /network/"):
        return query
    named = query.get("user_id") if isinstance(query, dict) else None
    if not isinstance(named, str) or not 1 <= len(named) <= LONGEST_ID:
        return query
    return {**query, "user_id": ENGINEER}
