"""The table of all settings, as Markdown, so that documents need not repeat it by hand."""

from app.settings import ELSEWHERE, GROUPS, shown_default


def config_table() -> str:
    """Return a row per setting, in the order of `.env.example`: name, default, meaning."""
    rows = [
        (
            name.upper(),
            "needed" if field.is_required() else _code(shown_default(field.default)),
            field.description or "",
        )
        for group in GROUPS.values()
        for name, field in group.model_fields.items()
    ]
    rows += [(name, _code(default), about) for name, (default, about) in ELSEWHERE.items()]
    lines = [f"| `{name}` | {default} | {_cell(about)} |" for name, default, about in rows]
    return "\n".join(["| setting | default | what it is |", "|---|---|---|", *lines])


def _code(default: str) -> str:
    return f"`{_cell(default)}`" if default else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
