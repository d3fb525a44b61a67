"""Processes that have imported everything already, so that each costs what its work costs."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path


def fork(log: Path, work: Callable[[], None]) -> int:
    """A process that does the work, with what it says appended to `log`; gives its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    logging.disable(logging.NOTSET)
    try:
        out = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - the descriptor is the file's
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        work()
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 3
    except BaseException:  # noqa: BLE001 - whatever it is, it is looked for in the log
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def run_verb(data: Path, *words: str) -> None:
    """A verb, in this very process."""
    from ingest.cli import main

    sys.argv = ["hartslag", "--data", str(data), *words]
    main()
