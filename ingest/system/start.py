"""How this process was started: in which words, and in which letters."""

import os
import sys
from pathlib import Path


def started_words() -> list[str]:
    """The words by which the program is started, up to its options: `python -m ingest` too."""
    if sys.argv[0] in {"", "-c"} or Path(sys.argv[0]).parts[-2:] == ("ingest", "__main__.py"):
        return [sys.executable, "-m", "ingest"]
    return [sys.argv[0]]


def speak_utf8() -> None:
    """Have names of files be UTF-8 in this process; where the locale has it otherwise it begins anew, which costs a start.

    A household moves with its data folder: how a name lies on the disk must not depend on who looks at it, and there are
    names that Latin-1 cannot write at all. What the terminal is written to and asked in stays in its own letters.
    """
    if sys.getfilesystemencoding().casefold().replace("-", "") == "utf8":
        if sys.flags.utf8_mode:
            sys.argv[1:] = map(_in_letters_of_terminal, sys.argv[1:])
        return
    if letters := getattr(sys.stdout, "encoding", None):
        os.environ.setdefault("PYTHONIOENCODING", f"{letters}:replace")
    os.environ["PYTHONUTF8"] = "1"  # for what this process starts
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - ourselves


def _in_letters_of_terminal(word: str) -> str:
    """A word of the command line that was typed in other letters than UTF-8; the path of a file stays as it lies there."""
    path = word.partition("=")[2] if word.startswith("--") else word
    if word.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in word) or os.path.lexists(path):
        return word
    import locale

    try:
        return os.fsencode(word).decode(locale.getencoding())
    except (LookupError, UnicodeDecodeError):
        return word
