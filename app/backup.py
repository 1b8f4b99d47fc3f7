"""`python -m app.backup` is `python -m app backup`."""

from app.admin.cli import main

if __name__ == "__main__":
    main("backup")
