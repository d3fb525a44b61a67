"""The reading process of `tests/support/hostile_reading.py`, run by a user that owns nothing; as it is where we are not root."""

import ctypes  # noqa: F401 - what belongs to root cannot be loaded later
import os
import resource  # noqa: F401
import signal  # noqa: F401

from ingest.collect import reading
from tests.support import hostile_reading
from tests.support.other_user import NOBODY

if __name__ == "__main__":
    reading._try_out()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    hostile_reading.run()
