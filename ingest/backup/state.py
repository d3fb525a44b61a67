"""What became of the last attempt at a copy, noted where the data are: nobody needs to touch a stick that may hang to tell.

Plain data; `status` and `check` say it in words.
"""

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.backup.trouble import NoCopy
from ingest.language import Text
from ingest.settings.model import Settings
from ingest.system.files import write_file

if TYPE_CHECKING:
    from ingest.backup.copies import Copy

LATE_S = 26 * 3600.0
"""The age from which on the newest copy is called old: a stick may be away for a day."""

KEY = "backup"
"""What its troubles are called where the journal notes them."""


@dataclass(frozen=True, slots=True)
class BackupState:
    """How the copies in a folder are."""

    folder: str
    newest_ms: int | None = None
    oldest_ms: int | None = None
    copies: int = 0
    same_disk: bool = False
    """They lie on the disk that the data are on, and die with it."""
    others: int = 0
    """Of so many other journals there are copies in the folder, too."""
    damaged: int = 0
    """Blocks that the last look found damaged on the disk."""
    unread: tuple[str, ...] = ()
    """Files that could not be read, and are in no copy."""
    trouble: str | None = None
    why: str | None = None
    values: dict[str, str] | None = None
    """Why there was no new copy: one of the words of `trouble`, and the sentence, to be said in any language."""

    @property
    def sentence(self) -> str | None:
        """Why there was no new copy the last time; None where there was one."""
        return None if self.why is None else Text(self.why, **(self.values or {}))


def _place(settings: Settings) -> Path:
    return settings.journal_file.with_name("backup.json")


def read_state(settings: Settings) -> BackupState | None:
    """What is noted of the folder that the settings name; None where nothing was tried yet."""
    try:
        noted = json.loads(_place(settings).read_bytes())
        state = BackupState(**noted | {"unread": tuple(noted["unread"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return state if state.folder == str(settings.backup_folder) else None


def note(settings: Settings, state: BackupState) -> None:
    """Note it; on a full card what stood there before stays."""
    if read_state(settings) != state:
        with contextlib.suppress(OSError):
            write_file(_place(settings), json.dumps(asdict(state)).encode())


def with_trouble(state: BackupState, trouble: NoCopy) -> BackupState:
    """The same copies, and why there is no newer one."""
    text = trouble.text
    template, values = (
        (text.template, {k: str(v) for k, v in text.values.items()})
        if isinstance(text, Text)
        else ("{said}", {"said": text})
    )
    return replace(state, trouble=trouble.kind, why=template, values=values)


def state_of(folder: Path, copies: "list[Copy]", **more: Any) -> BackupState:
    """How copies are, all of one journal, oldest first."""
    return BackupState(
        str(folder),
        copies[-1].at_ms if copies else None,
        min((c.at_ms for c in copies), default=None),
        len(copies),
        **more,
    )


def backup_status(settings: Settings, now_ms: int) -> dict[str, Any] | None:
    """How the copies are, as plain data; None where the settings name no folder for them."""
    if settings.backup_folder is None:
        return None
    state = read_state(settings) or BackupState(str(settings.backup_folder))
    age_s = None if state.newest_ms is None else max(now_ms - state.newest_ms, 0) / 1000
    return {
        "folder": state.folder,
        "newest_ms": state.newest_ms,
        "age_s": age_s,
        "is_old": age_s is None or age_s > LATE_S,
        "oldest_ms": state.oldest_ms,
        "copies": state.copies,
        "same_disk": state.same_disk,
        "other_journals": state.others,
        "damaged_blocks": state.damaged,
        "unread_files": list(state.unread),
        "trouble": state.trouble,
        "last_error": state.sentence,
    }
