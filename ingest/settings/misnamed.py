"""A settings file under a name that is not read, as editors of text, browsers and fingers make them."""

import re
from pathlib import Path

_COPIED = re.compile(r"(?:[ _-]*(?:\(\d+\)|copy|kopie|- kopie|- copy))+$")
"""What browsers and folders put behind the name of a second file."""

_ENDINGS = ("toml", "toml.txt", "txt")
_SLIPS = (
    "tml",
    "tom",
    "toml.toml",
    "tomll",
    "toms",
    "ini",
    "conf",
    "cfg",
    "yaml",
    "yml",
    "toml.rtf",
    "rtf",
    "",
)
"""Endings that the file may have by mistake, where the rest of its name is right."""

_NEARLY = 0.85


def misnamed(file: Path) -> Path | None:
    """A file beside the place of the settings file whose name comes so near that it must be meant; None if there is none.

    `hartslag.toml.txt`, `hartslag (1).toml`, `Hartslag.toml`, `hartslag.tml`.
    """
    try:
        names = sorted(found.name for found in file.parent.iterdir() if found.is_file())
    except OSError:
        return None
    from difflib import SequenceMatcher

    right = file.stem.casefold()
    for name in names:
        low = name.casefold()
        bare = _COPIED.sub("", low.removesuffix(".txt").removesuffix(".toml"))
        stem, _dot, ending = low.partition(".")
        near = SequenceMatcher(None, _COPIED.sub("", stem), right).ratio() >= _NEARLY
        if name != file.name and (
            bare == right
            or (near and ending in _ENDINGS)
            or (_COPIED.sub("", stem) == right and ending in _SLIPS)
        ):
            return file.with_name(name)
    return None
