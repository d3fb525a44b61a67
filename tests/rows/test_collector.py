"""What becomes of files and how straps are, as every store holds it."""

from pathlib import Path
from typing import Any

import pytest

from ingest.collect.arrival import Arrivals
from ingest.collect.reader_process import ReaderProcess
from ingest.demo.fit_encoder import workout
from ingest.journal import Journal
from ingest.rows.table import TABLES
from tests.support.archives import zipped
from tests.support.households import NOW, Copies, a_file, filled, household, steady

FIT = workout(1_100_000_000, [100, 120, 140, 150], maximum=None)


def files(journal: Journal, store: Path) -> list[dict[str, Any]]:
    """The rows of files, in order of position."""
    columns = ("time", *TABLES["collector"].tags, *TABLES["collector"].fields)
    found = [dict(zip(columns, row, strict=True)) for row in filled(journal, store)["collector"]]
    return sorted((row for row in found if row["source"] == "inbox"), key=lambda row: row["position"])


def test_whatever_became_of_a_file_it_is_told_with_the_reason(tmp_path: Path) -> None:
    """Protects who looks for a file in Grafana: stored, damaged, double, no recording at all or not even a file, it is there."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    dropped = {
        "run.fit": FIT,
        "again.fit": FIT,
        "half.fit": workout(1_100_100_000, [90] * 9)[:-90],
        "track.fit": b"<gpx></gpx>",
        "empty.zip": zipped(),
        "broken.zip": b"PK\3\4" + bytes(40),
        "notes.zip": zipped(("notes.txt", b"none")),
        "two.zip": zipped(("a/ride.fit", workout(1_100_200_000, [95] * 9)), ("b/bad.fit", b"no")),
    }
    (inbox / "link.fit").symlink_to(tmp_path)
    with household(tmp_path) as journal, ReaderProcess(1 << 20) as reader:
        arrivals = Arrivals(journal, reader, tmp_path)
        for name, data in dropped.items():
            (inbox / name).write_bytes(data)
        for name in [*dropped, "link.fit"]:
            arrivals.take(inbox / name, name, "Jan")
        found = files(journal, tmp_path / "s.db")
        told = {f.name: f.reason or None for f in journal.files()}
    assert {row["file"]: row["state"] for row in found} == {
        "run.fit": "stored",
        "again.fit": "duplicate",
        "half.fit": "partial",
        "track.fit": "rejected",
        "empty.zip": "rejected",
        "broken.zip": "rejected",
        "notes.zip": "stored",
        "two.zip/a/ride.fit": "stored",
        "two.zip/b/bad.fit": "rejected",
        "link.fit": "rejected",
    }
    assert {row["file"]: row["reason"] for row in found} == told
    assert {row["file"] for row in found if row["reason"] is None} == {"run.fit", "two.zip/a/ride.fit"}


@pytest.mark.parametrize(
    ("name", "reason", "shown"),
    [
        ("a.fit", "", ("a.fit", None)),
        ("a\nb\x00.fit", " The same\nfile. ", ("a b .fit", "The same file.")),
        ("a" * 200, "b" * 200, ("a" * 200, "b" * 200)),
        ("x" * 4 + "a" * 197, "b" * 197 + "yyyy", ("..." + "a" * 197, "b" * 197 + "...")),
    ],
)
def test_a_name_and_a_reason_fit_in_a_line(
    tmp_path: Path, name: str, reason: str, shown: tuple[str, str | None]
) -> None:
    """Protects charts and servers from texts without end: of a name the end is kept, of a reason the beginning."""
    with household(tmp_path) as journal:
        with journal.write() as w:
            jan = w.person("Jan")
            file = a_file(w, jan, "partial", reason=reason)
            # As every version has written it: the reason is in the table of files alone.
            content = {"name": name, "outcome": "partial", "samples": 0, "beats": 0, "waiting": 0}
            position = w.entry(jan, "file", NOW, None, content, file)
        (row,) = files(journal, tmp_path / "s.db")
    assert (row["file"], row["reason"], row["position"]) == (*shown, position)


def test_how_a_strap_is_becomes_a_row(tmp_path: Path) -> None:
    """Protects Grafana's view of straps and inbox: battery, signal, gaps and state, each as a number of a fixed type."""
    said = {
        "source": "strap A0:9E:1A:00:00:01",
        "state": "connected",
        "state_no": 3,
        "why": "",
        "battery_pct": 80,
        "signal_dbm": -67,
        "samples": 60,
        "gaps": 1,
        "reconnects": 2,
        "age_s": 0.4,
    }
    with household(
        tmp_path, [Copies((steady("Jan", NOW, 60, 90),), (steady("Jan", NOW, 70, 90),))]
    ) as journal:
        with journal.write() as w:
            w.entry(w.person("Jan"), "collector", NOW, None, said)
            w.entry(w.person("Jan"), "collector", NOW, None, {**said, "state": "searching", "state_no": 1})
        found = filled(journal, tmp_path / "s.db")["collector"]
    columns = ("time", *TABLES["collector"].tags, *TABLES["collector"].fields)
    all_rows = [dict(zip(columns, row, strict=True)) for row in found]
    straps = [row for row in all_rows if row["source"] != "inbox"]
    assert [row["state_no"] for row in straps] == [3, 1]
    assert len({row["position"] for row in all_rows}) == len(all_rows)
    assert all(row["position"] for row in all_rows)
    assert all(abs(row["time"] - NOW / 1000) < 0.001 for row in straps)
    fields = {k: straps[0][k] for k in said if k != "why"}
    assert fields == {k: v for k, v in said.items() if k != "why"}
    assert straps[0]["waiting"] is None
    inbox = [row for row in all_rows if row["source"] == "inbox"]
    assert {row["state"] for row in inbox} == {"partial", "stored"}
    assert {row["state_no"] for row in inbox} == {None}
