"""What another user of this computer may do with a file, by its permissions and those of the folders above it."""

from collections.abc import Set as AbstractSet
from pathlib import Path

_READ, _ENTER = 4, 1


def allowed(path: Path, user: int, groups: AbstractSet[int]) -> Path | None:
    """None where a user of these groups may read the file; else what is closed to them, a folder above it or itself.

    Source: path_resolution(7). Lists of further users (acl(5)) are not asked.
    """
    for folder in reversed(path.absolute().parents):
        if not _may(folder, _ENTER, user, groups):
            return folder
    return None if _may(path, _READ, user, groups) else path


def _may(path: Path, what: int, user: int, groups: AbstractSet[int]) -> bool:
    """Whether one of three digits of the mode says yes: that of the owner alone, else that of the group alone, else that of all."""
    if user == 0:
        return True
    status = path.stat()
    shift = 6 if status.st_uid == user else 3 if status.st_gid in groups else 0
    return bool(status.st_mode >> shift & what)
