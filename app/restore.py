"""`python -m app.restore` is `python -m app restore`."""

from app.admin.cli import main

if __name__ == "__main__":
    main("restore")
