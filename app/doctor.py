"""`python -m app.doctor` is `python -m app doctor`."""

from app.admin.cli import main

if __name__ == "__main__":
    main("doctor")
