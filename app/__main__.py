"""`python -m app <command>`: what an operator does with a service, see docs/operation.md."""

from app.admin.cli import main

if __name__ == "__main__":
    main()
