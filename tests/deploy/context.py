"""Which files of a folder `docker build` would send, by its .dockerignore.

Source: the rules of https://docs.docker.com/build/concepts/context/#dockerignore-files: the last
pattern that matches a file or one of its folders decides.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath


def sent(files: Iterable[str], ignore: str) -> Iterator[str]:
    """Yield those of `files` (relative, with slashes) that are part of the context."""
    patterns = list(_patterns(ignore))
    for file in files:
        parts = PurePosixPath(file).parts
        within = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        ignored = False
        for keeps, pattern in patterns:
            if any(pattern.fullmatch(path) for path in within):
                ignored = not keeps
        if not ignored:
            yield file


def _patterns(ignore: str) -> Iterator[tuple[bool, re.Pattern[str]]]:
    for line in ignore.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        keeps, text = text.startswith("!"), text.removeprefix("!").strip("/")
        yield keeps, re.compile(_regex(text))


def _regex(pattern: str) -> str:
    made = re.escape(pattern)
    made = made.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    made = made.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return made.replace(r"\[", "[").replace(r"\]", "]")
