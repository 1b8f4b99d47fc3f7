"""What our own secrets look like: keys of OpenRouter, and filled lines of a `.env`."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class OurKeys(RegexBasedDetector):
    secret_type = "Our Keys"
    denylist = (
        re.compile(r"sk-or-v1-[0-9a-f]{48,}"),
        re.compile(r"^(?:INTERNAL_API|BOT_API|ADMIN_API|OPENROUTER_API)_KEY=[A-Za-z0-9_-]{32,}"),
    )
