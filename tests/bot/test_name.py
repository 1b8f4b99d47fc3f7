"""The folder `telegram/` and the library of the same name live side by side."""

import subprocess
import sys
from pathlib import Path

import telegram

ROOT = Path(__file__).resolve().parents[2]


def test_the_folder_does_not_shadow_the_library() -> None:
    assert not (ROOT / "telegram" / "__init__.py").exists()
    assert Path(str(telegram.__file__)).parent != ROOT / "telegram"


def test_both_ways_to_start_the_bot_find_the_library(tmp_path: Path) -> None:
    ways = [[str(ROOT / "run_telegram_bot.py")], ["-m", "panoptes_bot"]]

    ended = [
        subprocess.run(
            [sys.executable, *way],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{ROOT / 'telegram'}:{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        for way in ways
    ]

    # Without any setting it gets as far as saying so, all imports done.
    assert [each.returncode for each in ended] == [78, 78]
    assert ended[0].stderr == ended[1].stderr
    assert "TELEGRAM_BOT_TOKEN: is not set" in ended[0].stderr
