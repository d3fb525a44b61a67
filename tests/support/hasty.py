"""The program with a steady clock that hastens where it keeps rows on servers: `python -m tests.support.hasty --data DIR run`.

What a daemon waits for there is a half minute, five minutes, three quarters of an hour. The clock of the machine runs
faster for this, and for nothing else: what watches over the daemon, the inbox and all that goes over the network has the
true one.
"""

import time

HASTE = 8.0
"""As many seconds pass in one."""

if __name__ == "__main__":
    true = time.monotonic
    time.monotonic = lambda: true() * HASTE
    # What is imported here has the clock that it finds.
    import ingest.stores.influx.store
    import ingest.stores.looking_over  # noqa: F401

    time.monotonic = true
    from ingest.cli import main

    main()
