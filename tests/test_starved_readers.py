"""A machine that is short of memory blames no file: the real daemon, whose readers are ended as the kernel would end them."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.demo.fit_encoder import workout
from tests.support.daemons import daemon, hartslag, journal, rows, settled, until

START = 1_100_000_000


@contextmanager
def readers_are_killed(parent: int) -> Iterator[None]:
    """Every process that reads files for `parent` is ended as soon as it is there, as by the out-of-memory killer."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.01):
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                try:
                    for pid in map(int, children.read_text().split()):
                        os.kill(pid, signal.SIGKILL)
                except (FileNotFoundError, ProcessLookupError):
                    continue

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def why_it_waits(data: Path, name: str) -> str:
    told = hartslag("--data", data, "status", "--json").stdout
    found = json.loads(told).get("inbox", {"files": []})["files"]  # none while there is no journal
    return " ".join(f["why"] for f in found if f["file"] == name)


def test_a_file_whose_readers_are_killed_waits_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Protects good files on a machine short of memory: they stay, it is said why, others go first, and all are taken."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    with daemon(data) as process:
        with readers_are_killed(process.pid):
            (data / "inbox" / "healthy.fit").write_bytes(workout(START, [120] * 200))
            until(lambda: "memory" in why_it_waits(data, "healthy.fit"), "the reason in status")
        (data / "inbox" / "later.fit").write_bytes(workout(START + 9000, [110] * 200))
        until(
            lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE path = 'later.fit' AND ended"),
            "the other file",
        )
        assert (data / "inbox" / "healthy.fit").exists()
        until(lambda: settled(data), "the file itself")
    assert rows(journal(data), "SELECT outcome FROM file") == [("stored",)] * 2
    assert not list((data / "rejected").iterdir())
