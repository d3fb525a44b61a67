"""Where an installed program finds its settings and its data, from whichever folder it is called.

The installation writes it down beside the program, in the folder that holds all of it.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "hartslag.places"
"""A line each: the settings file, the data folder, the user that the data belong to."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What a service of the system works with."""

    settings: Path
    data: Path
    user: str

    def text(self) -> str:
        """As it is written down."""
        return f"{self.settings}\n{self.data}\n{self.user}\n"


def find_installed(program: Path | None = None) -> Installed | None:
    """What the program in a folder works with (this one, where none is named); None in a checkout."""
    file = (program or Path(sys.prefix)) / FILE_NAME
    try:
        settings, data, user, *_ = file.read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Installed(Path(settings), Path(data), user)
