"""What of the journal cannot be read any more, and whose it was."""

import logging
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import DiskFull, HartslagError, LogLost, Stop
from ingest.language import N_, Text
from ingest.log import quoted

_log = logging.getLogger(__name__)

NOTE = ".damaged"
"""What the file beside the journal ends with that tells the next daemon to mend it."""

_said: set[tuple[Path, str]] = set()


class DamagedJournal(Stop):
    """The journal cannot be used as it is: `hartslag repair`, or the daemon at its start, makes a new one of what is readable."""


class UnreliableIndex(DamagedJournal):
    """An index, or what stands in for one, does not give the rows that there are."""


def damaged_text(path: Path, why: str) -> Text:
    """What to tell the owner of a journal that cannot be used as it is."""
    words = N_(
        "The journal {path} is damaged ({why}). Run `hartslag repair`: it makes a new one of all that can be read, and"
        " keeps the damaged one beside it."
    )
    return Text(words, path=path, why=why)


def no_journal_text(path: Path) -> Text:
    """What to tell the owner where there is no journal: a link to a disk that is away is no reason for a new one."""
    if path.exists() and not path.is_file():
        words = (
            N_(
                "{path} is a folder, and the journal, a file, belongs there. Look what is in it and move it away: `hartslag restore`"
                " then brings the journal back from a copy, or `hartslag run` begins a new one."
            )
            if path.is_dir()
            else N_(
                "{path} is no file, and the journal, a file, belongs there. Look what it is and move it away: `hartslag restore`"
                " then brings the journal back from a copy, or `hartslag run` begins a new one."
            )
        )
        return Text(words, path=path)
    if path.is_symlink():
        words = N_(
            "The journal {path} is a link to {target}, which is not there: mount the disk that it is on. Nothing is made in its"
            " place."
        )
        return Text(words, path=path, target=path.readlink())
    words = N_(
        "There is no journal at {path}. Start the daemon once (`hartslag run`), "
        "or name the right data folder with --data."
    )
    return Text(words, path=path)


def lost_log(log: Path) -> LogLost:
    """What to tell the owner of a journal whose log was taken away while it was in use."""
    words = N_(
        "The log of the journal, {log}, was deleted while it was in use. The daemon ends, so that what is in it comes into the"
        " journal: start it again, where systemd does not."
    )
    return LogLost(Text(words, log=log))


_UNFORESEEN = TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError


def blame_damage(path: Path, error: BaseException | None) -> None:
    """Raise DamagedJournal in the place of what fails as nobody foresaw, if the journal that was read is damaged.

    What only counts or names has no seal of its own each time it is read: anything may stand there by then.
    """
    if not isinstance(error, _UNFORESEEN) or isinstance(error, HartslagError):
        return
    from ingest.journal.mending import whole

    try:
        faults = whole(path)
    except DiskFull:
        return
    if faults:
        leave_note(path)
        raise DamagedJournal(damaged_text(path, faults[0])) from error


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that was recorded and cannot be read: of whom, by what, from when to when (ms), as far as that is known."""

    person: str
    source: str
    first_ms: int | None
    last_ms: int | None
    why: str
    """In English, for the log: what is wrong with it."""

    @property
    def sentence(self) -> str:
        """For the log."""
        from datetime import UTC, datetime

        def told(ms: int) -> str:
            try:
                return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z"
            except (ValueError, OverflowError, OSError):
                return "an unknown moment"

        span = "" if self.first_ms is None else f" from {told(self.first_ms)}"
        span += "" if self.last_ms is None or self.last_ms == self.first_ms else f" to {told(self.last_ms)}"
        source = f" by {quoted(self.source)}" if self.source else ""
        person = quoted(self.person) if self.person else "somebody"
        return f"Of {person}{source} something{span} is damaged in the journal ({self.why})."


def say_once(path: Path, damage: Damage) -> None:
    """Log a damage, once in the life of this process, and leave a note for the daemon's next start."""
    key = (path, damage.sentence)
    if key in _said:
        return
    _said.add(key)
    _log.warning("%s Everything else is read. Run: hartslag repair", damage.sentence)
    leave_note(path)


def forget_said() -> None:
    """Say all of it once more."""
    _said.clear()


def leave_note(path: Path) -> None:
    """Tell the daemon that starts next to mend the journal, where we may."""
    import contextlib
    import os

    from ingest.system.files import make_file

    with contextlib.suppress(OSError):
        os.close(make_file(note_file(path), 0o600))


def note_file(path: Path) -> Path:
    """The note beside a journal that it is damaged."""
    return path.with_name(path.name + NOTE)
