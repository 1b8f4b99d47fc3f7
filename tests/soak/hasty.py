"""`run_service.py` with leases that end after `LEASE_SECONDS`: a test need not wait for 30."""

import os
import sys

from app.storage import turns

turns.LEASE_SECONDS = float(os.environ["LEASE_SECONDS"])

import run_service  # noqa: E402 - `app.chat.lanes` reads how long they are when it is imported

if __name__ == "__main__":
    sys.exit(run_service.main())
