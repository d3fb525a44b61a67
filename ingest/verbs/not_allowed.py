"""What is said to a user who may not read somebody's data: whose they are, and what to do."""

import grp
import os
import pwd
import shlex
import sys
from pathlib import Path

from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.verbs.called import program


def not_allowed(data: Path, at: Path) -> Stop:
    """The sentence for who may not read the data in a folder, as they found at a path in it, and the lines to copy."""
    if is_ones_own(at):
        words = _(
            "{path} is your own, and yet its permissions keep you out of it. This line mends that:\n  {mend}"
        )
        mend = shlex.join(["chmod", "u+rwX", str(_nearest(at))])
        return Stop(words.format(path=_nearest(at), mend=mend))
    there = _nearest(data).stat()
    owner, group = _user(there.st_uid), _group(there.st_gid)
    words = _(
        "What is kept in {folder} is private to the user {owner}: put sudo before the command to ask all the same, and to "
        "drop files into the inbox join the group {group}, by the second of these lines and a new login:\n"
        "  {ask}\n"
        "  {join}"
    )
    ask = shlex.join(["sudo", *program(), *sys.argv[1:]])
    join = shlex.join(["sudo", "usermod", "-aG", group, _user(os.getuid())])
    return Stop(words.format(folder=data, owner=owner, group=group, ask=ask, join=join))


def is_somebody_elses(data: Path) -> bool:
    """Whether the data in a folder belong to another user than the one who asks."""
    return _nearest(data).stat().st_uid != os.geteuid()


def is_ones_own(path: Path) -> bool:
    """Whether what is there of a path, as far as this user sees, is this user's own."""
    return not is_somebody_elses(path)


def _nearest(path: Path) -> Path:
    """What is there of a path, as far as this user sees."""
    return next(p for p in (path, *path.absolute().parents) if os.path.lexists(p))


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
