"""Start the Telegram bot: `python run_telegram_bot.py`."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent / "telegram"))

from panoptes_bot.main import main

if __name__ == "__main__":
    sys.exit(main())
