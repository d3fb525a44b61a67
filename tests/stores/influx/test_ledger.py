"""The ledger of a store on a server: a small file that may be deleted, moved or replaced at any time."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest.stores.influx.ledger import Ledger, ReplicaState, wall_ms


def delete(path: Path) -> None:
    for companion in path.parent.glob(f"{path.name}*"):
        companion.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("moved"))


def put_a_copy_in_its_place(path: Path) -> None:
    """As a backup that is restored: another file of the same content, from before."""
    delete(path)
    shutil.copy(path.with_name("backup"), path)


@pytest.mark.parametrize(("harm", "sent"), [(delete, None), (move_away, None), (put_a_copy_in_its_place, 5)])
def test_a_file_that_is_no_longer_there_is_not_used(
    tmp_path: Path, harm: Callable[[Path], None], sent: int | None
) -> None:
    """Protects from a position that nobody else sees: before each use the file is the one that lies at its path."""
    path = tmp_path / "influx.db"
    with closing(Ledger(path, wall_ms)) as ledger, closing(Ledger(path, wall_ms)) as other:
        ledger.reset("place", "journal", "writer", 0, None)
        ledger.advance(ReplicaState(5, 5, 0, 0, "writer"))
        ledger.close()
        shutil.copy(path, path.with_name("backup"))
        ledger.advance(ReplicaState(9, 9, 0, 0, "writer"))
        harm(path)
        for each in (ledger, other):
            state = each.replica_state("place", "journal")
            assert (state.sent if state else None) == sent
        ledger.reset("place", "journal", "writer", 0, None)
        ledger.advance(ReplicaState(7, 7, 0, 0, "writer"))
        state = other.replica_state("place", "journal")
        assert state is not None
        assert state.sent == 7
