"""The documented call, as a person types it."""

import asyncio
import json
import shutil

import pytest

from tests.api.service import INTERNAL, Service, events_of

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

CALL = """\
curl{option} -X POST {url}/message \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json"{header} \\
  -d '{{
    "platform": "internal",
    "user_id": "user123",
    "chat_id": "chat456",
    "message_id": "{number}",
    "text": "Hello, how are you?"
  }}'
"""


async def typed(service: Service, **parts: str) -> str:
    """Let a shell run the call; fails where curl does."""
    given = {"option": " -sS", "header": "", "url": service.url, "key": INTERNAL}
    shell = await asyncio.create_subprocess_shell(
        CALL.format(**given | parts),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await shell.communicate()
    assert (shell.returncode, error) == (0, b"")
    return out.decode()


async def test_the_documented_call_gets_an_answer(service: Service) -> None:
    heard = json.loads(await typed(service, number="msg789"))

    assert heard["success"] is True
    assert heard["response"].startswith("Hello! I am")
    assert heard["data"]["platform"] == "internal"


async def test_the_documented_call_streams_with_one_header_more(service: Service) -> None:
    stream = await typed(
        service, number="msg790", option=" -N -sS", header=' -H "Accept: text/event-stream"'
    )

    events = events_of(stream)
    assert [events[0].name, events[-1].name] == ["progress", "reply"]
    assert "delta" in {event.name for event in events}
