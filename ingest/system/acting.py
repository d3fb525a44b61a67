"""Root acts for the owner of what it works on: what it makes is theirs, so nothing of root's ever locks them out.

The real and the effective user are changed, the saved one stays root's (setresuid(2)): so root can be asked for again where
something is to be written that is not the owner's. A program that is started is wholly the owner's.
"""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
"""Of linux/capability.h."""


def act_for_owner(path: Path, otherwise: str = "") -> None:
    """Be the owner of a path from here on, where root asks; nothing changes for anybody else.

    Where there is nothing at the path yet, it is the user called `otherwise`, and without one the owner of the folder in
    which it will be made. What root may read can still be read: a file that is given to a verb is often in a home that is
    closed to all others.
    """
    if os.geteuid() != 0:
        return
    if otherwise and not path.exists():
        try:
            found = pwd.getpwnam(otherwise)
        except KeyError:
            pass
        else:
            _become(found.pw_uid, found.pw_gid)
            return
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    owner = there.stat()
    if owner.st_uid != 0:
        _become(owner.st_uid, _group_of(owner.st_uid, owner.st_gid))


def stay_owner() -> None:
    """Never be root again: for who works long, on what comes from outside."""
    user, group = os.geteuid(), os.getegid()
    if os.getresuid()[2] != user:
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)


@contextmanager
def power_to_read(*, all_files: bool) -> Iterator[None]:
    """With that power or without it in the block, where root asked: so what the owner may not read is found out by trying."""
    if os.geteuid() == 0 or os.getresuid()[2] != 0:
        yield
        return
    _let_read(all_files=all_files)
    try:
        yield
    finally:
        _let_read(all_files=not all_files)


@contextmanager
def acting_as_root() -> Iterator[None]:
    """Be root again in the block, where root asked: for what lies below /etc."""
    with _acting_as(0, 0):
        yield


@contextmanager
def acting_for_caller() -> Iterator[None]:
    """Be the user who typed `sudo` in the block, where root asked: what is written into their folder is theirs."""
    user = os.environ.get("SUDO_UID", "")
    caller = int(user) if user.isdecimal() else 0
    with _acting_as(caller, _group_of(caller, 0)):
        yield


@contextmanager
def _acting_as(user: int, group: int) -> Iterator[None]:
    real, now, saved = os.getresuid()
    if saved != 0 or (now == 0 and user == 0):
        yield
        return
    group_before = os.getegid()
    _return_to_root()
    try:
        if user:
            _become(user, group)
        yield
    finally:
        _return_to_root()
        if now != 0 or real != 0:
            _become(now, group_before)


def _return_to_root() -> None:
    os.setresuid(0, 0, 0)
    os.setresgid(0, 0, 0)
    os.setgroups([0])


def _become(user: int, group: int) -> None:
    import ctypes  # noqa: F401 - now, as it may lie where only root can read

    os.setgroups(_groups_of(user, group))
    os.setresgid(group, group, 0)
    os.setresuid(user, user, 0)
    _let_read(all_files=True)


def _let_read(*, all_files: bool) -> None:
    """Take up, of all powers of root, that to read any file, or put it down; nothing for who has none (capabilities(7))."""
    if sys.platform != "linux":
        return
    import ctypes

    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, and the same for the upper 32 of them.
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) == 0 and sets[1] & 1 << _CAP_DAC_READ_SEARCH:
        sets[0] = 1 << _CAP_DAC_READ_SEARCH if all_files else 0
        sets[3] = 0
        libc.capset(header, sets)


def _group_of(user: int, group: int) -> int:
    """The main group of a user, or that of the file where nobody knows the user."""
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return group


def _groups_of(user: int, group: int) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:
        return [group]
