"""`python -m app.admin <command>` is `python -m app <command>`, as it was called before."""

from app.admin.cli import main

if __name__ == "__main__":
    main()
