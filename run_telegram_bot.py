"""Start the Telegram bot: `python run_telegram_bot.py`."""

import gc
import sys
from pathlib import Path

# Both as in run_service.py, while all is loaded.
gc.disable()
sys.modules["httpx._main"] = None  # type: ignore[assignment]
sys.path.insert(1, str(Path(__file__).resolve().parent / "telegram"))

from panoptes_bot.main import main

gc.freeze()
gc.enable()

if __name__ == "__main__":
    sys.exit(main())
