import sys

from panoptes_bot.main import main

if __name__ == "__main__":
    sys.exit(main())
