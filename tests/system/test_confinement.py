"""A process that shuts itself in, as the kernel sees it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.system.confinement import Confinement, possible_confinement

CODE = """
import mmap
from pathlib import Path
from ingest.system.confinement import confine
confine()
print(bytes(mmap.mmap(-1, 4096))[:1] == b"\\0")
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
except PermissionError:
    print("runs no code of its own")
print(sum(range(1000)), flush=True)
input()
"""


def test_a_process_that_shut_itself_in_still_computes() -> None:
    """Protects reading itself: memory, arithmetic, and what is open remain; memory that runs code does not."""
    if not possible_confinement().system_calls:
        pytest.skip("this kernel has no seccomp to filter system calls with")
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert [process.stdout.readline().strip() for _ in range(3)] == [
            "True",
            "runs no code of its own",
            "499500",
        ]
        status = Path(f"/proc/{process.pid}/status").read_text()
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert (told["NoNewPrivs"], told["Seccomp"]) == ("1", "2")
        assert {told[f"Cap{which}"] for which in ("Prm", "Eff")} == {"0" * 16}
        process.communicate("\n")
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("found", "whole"),
    [
        (Confinement(0, system_calls=False), False),
        (Confinement(3, system_calls=False), False),
        (Confinement(4, system_calls=False), True),
        (Confinement(0, system_calls=True), True),
    ],
)
def test_what_shuts_a_process_in_whole(found: Confinement, whole: bool) -> None:  # noqa: FBT001
    """The doctor tells the owner of a kernel that leaves files or the network open, and of no other."""
    assert found.whole == whole
