"""Where matplotlib keeps its list of typefaces: with the data, as a service has no home; and what it says about that."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.system.files import make_folder


@contextmanager
def fonts_kept_in(folder: Path) -> Iterator[None]:
    """The list is found in `folder` and kept there; where that may not be written it is made each time, for seconds."""
    logging.getLogger("matplotlib").setLevel(
        logging.ERROR
    )  # it is no news to anybody that the list is being made
    if "MPLCONFIGDIR" in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="hartslag-") as passing:
        os.environ["MPLCONFIGDIR"] = str(folder if _can_write(folder) else passing)
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]


def _can_write(folder: Path) -> bool:
    try:
        make_folder(folder)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
