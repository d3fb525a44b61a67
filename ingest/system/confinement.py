"""A process that shuts itself in: no file, no network, no other process can be reached from then on, only what it holds open.

Asked of the kernel directly, as far as it can: Landlock (https://docs.kernel.org/userspace-api/landlock.html) takes the file
system and the network away, a seccomp filter (https://man7.org/linux/man-pages/man2/seccomp.2.html) all system calls but
those by which Python computes, reads and writes what is open, and a limit of open files leaves no number for another.
"""

import ctypes
import errno
import os
import resource
import struct
import sys
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS, _PR_GET_SECCOMP, _PR_SET_SECCOMP = 38, 21, 22
_SECCOMP_MODE_FILTER = 2
"""Of linux/prctl.h and linux/seccomp.h."""

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
"""Landlock's system calls have one number on every kind of machine."""

_CREATE_RULESET_VERSION = 1
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""All rights to files that a version of Landlock knows (linux/landlock.h); later ones know those of the fifth at least."""
_NETWORK_RIGHTS, _SCOPES = 0b11, 0b11
"""To bind and to connect, since the fourth; sockets without a place and signals to others, since the sixth."""

_STANDARD = 3
"""Standard input, output and error are all that stays open."""

_CAPABILITY_VERSION = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3 of linux/capability.h."""

_GENERIC = {
    "read": 63, "write": 64, "readv": 65, "writev": 66, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214,
    "mremap": 216, "madvise": 233, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sigaltstack": 132,
    "getpid": 172, "gettid": 178, "futex": 98, "sched_yield": 124, "clock_gettime": 113, "gettimeofday": 169,
    "getrusage": 165, "getrandom": 278, "membarrier": 283, "restart_syscall": 128, "exit": 93, "exit_group": 94,
}  # fmt: skip
_X86_64 = {
    "read": 0, "write": 1, "readv": 19, "writev": 20, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12,
    "mremap": 25, "madvise": 28, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131,
    "getpid": 39, "gettid": 186, "futex": 202, "sched_yield": 24, "clock_gettime": 228, "gettimeofday": 96,
    "getrusage": 98, "getrandom": 318, "membarrier": 324, "restart_syscall": 219, "exit": 60, "exit_group": 231,
}  # fmt: skip
_ARM = {
    "read": 3, "write": 4, "readv": 145, "writev": 146, "close": 6, "fstat": 108, "fstat64": 197, "lseek": 19,
    "_llseek": 140, "munmap": 91, "brk": 45, "mremap": 163, "madvise": 220, "rt_sigaction": 174, "rt_sigprocmask": 175,
    "rt_sigreturn": 173, "sigreturn": 119, "sigaltstack": 186, "getpid": 20, "gettid": 224, "futex": 240,
    "futex_time64": 422, "sched_yield": 158, "clock_gettime": 263, "clock_gettime64": 403, "gettimeofday": 78,
    "getrusage": 77, "getrandom": 384, "membarrier": 389, "restart_syscall": 0, "exit": 1, "exit_group": 248,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Machine:
    """A kind of machine: its AUDIT_ARCH, what may be called, and what may be called for memory that runs no code."""

    audit: int
    calls: dict[str, int]
    memory: tuple[int, ...]


_MACHINES = {
    ("x86_64", 8): _Machine(0xC000003E, _X86_64, (9, 10)),  # mmap, mprotect
    ("aarch64", 8): _Machine(0xC00000B7, _GENERIC, (222, 226)),
    ("riscv64", 8): _Machine(0xC00000F3, _GENERIC, (222, 226)),
    ("armv6l", 4): _Machine(0x40000028, _ARM, (192, 125)),  # mmap2, mprotect
    ("armv7l", 4): _Machine(0x40000028, _ARM, (192, 125)),
    ("armv8l", 4): _Machine(0x40000028, _ARM, (192, 125)),
    ("aarch64", 4): _Machine(0x40000028, _ARM, (192, 125)),  # a system of 32 bits on a kernel of 64
}
"""By what the kernel calls the machine, and the bytes of a pointer (linux/audit.h, asm/unistd.h)."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a process is shut in, or could be: the version of Landlock (0: none), and whether its system calls are filtered."""

    landlock: int
    system_calls: bool

    @property
    def whole(self) -> bool:
        """Whether neither files nor the network can be reached, whatever runs within."""
        return self.system_calls or self.landlock >= 4


def possible_confinement() -> Confinement:
    """What the kernel offers to any process."""
    if sys.platform != "linux":
        return Confinement(0, system_calls=False)
    libc = ctypes.CDLL(None, use_errno=True)
    filters = _machine() is not None and libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
    return Confinement(_landlock_version(libc), filters)


def confine() -> Confinement:
    """Shut this process in, for good; gives how far the kernel went along with it.

    It can compute, and read and write what is open, and that is all. Whatever else is tried fails with EPERM, EACCES or EMFILE.
    """
    if sys.platform != "linux":
        return Confinement(0, system_calls=False)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = _landlock_version(libc)
    landlock = version if version and _give_up_files(libc, version) else 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (_STANDARD, _STANDARD))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # Root without its powers is a user like any other.
    libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION, 0), bytes(24))
    return Confinement(landlock, _filter_calls(libc))


def _landlock_version(libc: ctypes.CDLL) -> int:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    return max(int(version), 0)


def _give_up_files(libc: ctypes.CDLL, version: int) -> bool:
    """Take away all rights that Landlock can: a set of rules without a rule allows nothing."""
    rights = [_FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]]
    if version >= 4:
        rights.append(_NETWORK_RIGHTS)
    if version >= 6:
        rights.append(_SCOPES)
    attributes = struct.pack(f"={len(rights)}Q", *rights)
    rules = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    try:
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _machine() -> _Machine | None:
    return _MACHINES.get((os.uname().machine, struct.calcsize("P")))


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def _filter_calls(libc: ctypes.CDLL) -> bool:
    machine = _machine()
    if machine is None:
        return False
    steps = _filter(machine)
    program = _Program(len(steps) // 8, steps)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


_LOAD, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
"""BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JSET|BPF_K and BPF_RET|BPF_K of linux/bpf_common.h."""
_NUMBER_AT, _MACHINE_AT, _THIRD_AT = 0, 4, 32
"""Where `struct seccomp_data` has the call, the machine and the third argument's lower half."""
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_PROT_EXEC = 4


def _filter(machine: _Machine) -> bytes:
    """The filter as the kernel takes it, eight bytes a step. A jump says how many steps are left out."""

    def step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_so, if_not, value)

    allowed = sorted(machine.calls.values())
    steps = [step(_LOAD, _MACHINE_AT), step(_IF_EQUAL, machine.audit, 1), step(_RETURN, _REFUSE)]
    steps.append(step(_LOAD, _NUMBER_AT))
    for left, number in zip(range(len(allowed) + len(machine.memory), 0, -1), allowed, strict=False):
        steps.append(step(_IF_EQUAL, number, left + 3))  # to the very last step
    for left, number in zip(range(len(machine.memory), 0, -1), machine.memory, strict=True):
        steps.append(step(_IF_EQUAL, number, left))
    steps.append(step(_RETURN, _REFUSE))
    steps.append(step(_LOAD, _THIRD_AT))
    steps.append(step(_IF_SET, _PROT_EXEC, 0, 1))
    steps += [step(_RETURN, _REFUSE), step(_RETURN, _ALLOW)]
    return b"".join(steps)
