"""A disk that is soon full: a small tmpfs, where the machine lets us mount one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import needs


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """The folder, made, with a disk of that size in it; skips the test where nobody may mount."""
    needs.root()
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a disk; run the tests where root may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(path: Path) -> None:
    """Write a file until the disk takes no byte more."""
    with path.open("ab", buffering=0) as out:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while out.write(bytes(size)) == size:
                    pass
            except OSError:
                pass
