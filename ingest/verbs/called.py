"""The program as it was called here, so that a command in a message can be copied as it stands."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.system.start import started_words

_WITH_VALUE = ("--data", "--config")
_LARGEST_SCRIPT = 4096


def program() -> list[str]:
    """The words by which this program is called: its name alone where the shell finds it."""
    import shutil

    called, *more = started_words()
    path = Path(called)
    found = None if more else shutil.which(path.name)
    return [path.name if found and path.exists() and _is_same(path, Path(found)) else called, *more]


def as_called(text: str) -> str:
    """A message whose commands (`hartslag run`) are as whoever reads it has to type them, with the same folder; said twice it stays."""
    if "`hartslag " not in text or Path(sys.argv[0]).name != "hartslag":
        return text
    import shlex

    from ingest.settings.installed import find_installed

    called, options = program(), list(options_before_verb(sys.argv[1:]))
    if find_installed():
        text = text.replace("`hartslag run`", "`sudo systemctl restart hartslag`")
        called = ["sudo", *called] if os.environ.get("SUDO_UID") else called
    with_options, alone = shlex.join([*called, *options]), shlex.join(called)
    return re.sub(
        r"`hartslag (?!-)(demo\b)?", lambda m: f"`{alone} demo" if m[1] else f"`{with_options} ", text
    )


def options_before_verb(words: Sequence[str]) -> Iterator[str]:
    """Where the data and the settings are, as the command line says it."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return
        if word in _WITH_VALUE:
            yield word
            yield next(rest, "")
        elif word.partition("=")[0] in _WITH_VALUE:
            yield word


def _is_same(called: Path, found: Path) -> bool:
    """Whether the shell finds this program, or the script by which `make install` calls it."""
    if called.samefile(found):
        return True
    try:
        with found.open("rb") as script:
            return str(called.absolute()).encode() in script.read(_LARGEST_SCRIPT)
    except OSError:
        return False
