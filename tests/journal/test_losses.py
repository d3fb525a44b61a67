"""What is gone is said to be gone, also where the journal itself knows nothing of it: an older copy is whole, and lacks a day."""

import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.daemon.mending import open_at_start
from ingest.demo.fit_encoder import Fit
from ingest.household import places_of
from ingest.journal import Journal
from ingest.journal.damage import Damage
from ingest.journal.known import gone_since_known, known_file, note_known
from ingest.journal.losses import MARKED, Loss, add_losses, read_losses
from ingest.journal.mending import mend, trouble, whole
from ingest.journal.witnessed import WITNESSED
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.daemons import hartslag
from tests.support.damaged_journals import DAMAGES
from tests.support.household_of_all_kinds import DAY_MS, NOW_MS, household_of_all_kinds
from tests.support.households import steady

LAST_DAY_MS = NOW_MS - DAY_MS + 8 * 3_600_000
"""When on the household's last day the straps begin to tell: ten and twenty minutes later, for 200 s each."""

ANNA, BRAM = (LAST_DAY_MS + i * 600_000 for i in (1, 2))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("home") / "data"
    household_of_all_kinds(data, days=4)
    return data


@pytest.fixture
def data(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "data"))


def settings_of(data: Path) -> Settings:
    return load(None, data, {}, data)


def go_on(data: Path) -> list[Loss]:
    """What the daemon does at its start and with its store, and what is lost by then."""
    settings = settings_of(data)
    open_at_start(settings)
    with Journal(settings.journal_file) as journal, closing(SqliteStore(settings.store_file)) as store:
        follow(journal, store)
    return read_losses(settings.journal_file)


def put_back(data: Path, how: str) -> None:
    DAMAGES[how](data / "journal" / "journal.db", random.Random(1))


@pytest.mark.parametrize(
    "how", ["old journal", "old journal without its log", "log lost", "deleted with log"]
)
def test_what_a_store_held_and_is_gone_is_named(data: Path, how: str) -> None:
    """Protects an owner from a day that is silently no more: Grafana's store knew it, and tells before it follows."""
    put_back(data, how)
    told = [loss.damage for loss in go_on(data) if not loss.forgotten]
    for person, source, began in (("Anna", "strap 1", ANNA), ("Bram", "strap 2", BRAM)):
        assert Damage(person, source, began, began + 199_000, WITNESSED) in told
    assert not [d for d in told if d.why == MARKED], "the store says it more exactly"


def test_without_a_store_a_mark_tells(data: Path) -> None:
    """Protects whoever copied all of it back: a note apart from journal and store knows until when each strap had told."""
    put_back(data, "old journal and store")
    told = {(d.person, d.source): d for d in (loss.damage for loss in go_on(data)) if d.source}
    assert told["Anna", "strap 1"].last_ms == ANNA + 199_000
    assert told["Bram", "strap 2"].last_ms == BRAM + 199_000
    assert {d.why for d in told.values()} == {MARKED}


def test_what_was_forgotten_since_and_counts_again_is_said_with_the_line_that_helps(data: Path) -> None:
    """Protects from a wrong person's file that comes back with an old copy: status names it, until it is forgotten again."""
    put_back(data, "old journal")
    before = hartslag("--data", data, "status").stdout
    assert "counts again" in before, "also before a daemon has looked"
    go_on(data)
    line = "hartslag forget w1.fit Anna"
    for verb in ("status", "check"):
        assert line in " ".join(hartslag("--data", data, verb).stdout.split())
    assert hartslag("--data", data, *line.split()[1:], "--yes").returncode == 0
    assert line not in " ".join(hartslag("--data", data, "status").stdout.split())


def test_time_that_was_forgotten_is_told_as_it_is_typed(data: Path) -> None:
    """Protects from a line that does nothing: what counts again of a strap can be forgotten once more as status says it."""
    path = data / "journal" / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = path.read_bytes()
    words = ("forget", "2026-11-15 19:00 - 20:00", "Bram", "--source", "strap 2", "--yes")
    done = hartslag("--data", data, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    path.write_bytes(copy)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    (loss,) = json.loads(hartslag("--data", data, "status", "--json").stdout)["damage"]["lost"]
    assert loss["line"] == "hartslag forget 2026-11-15 19:00 - 2026-11-15 20:00 Bram --source 'strap 2'"


def test_a_time_that_was_taken_back_and_counts_again_is_told_as_it_is_typed(data: Path) -> None:
    """Protects from a wrong time that comes back with an old copy: the line takes the time back, and names the file as its owner does."""
    path = data / "journal" / "journal.db"
    run = data / "run.fit"
    run.write_bytes(Fit().file_id(created=5000).records(5000, [118 + i % 5 for i in range(600)]).done())
    assert hartslag("--data", data, "add", "--person", "Anna", run).returncode == 0
    assert hartslag("--data", data, "clock", "run.fit", "2026-11-10 18:00", "--yes").returncode == 0
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = path.read_bytes()
    assert hartslag("--data", data, "clock", "run.fit", "--undo", "--yes").returncode == 0
    path.write_bytes(copy)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    (loss,) = json.loads(hartslag("--data", data, "status", "--json").stdout)["damage"]["lost"]
    assert (loss["counts_again"], loss["line"]) == ("run.fit", "hartslag clock run.fit --undo")
    assert hartslag("--data", data, *loss["line"].split()[1:], "--yes").returncode == 0
    assert json.loads(hartslag("--data", data, "status", "--json").stdout)["damage"]["lost"] == []


def test_the_same_journal_later_on_has_lost_nothing(data: Path) -> None:
    """Protects from false alarms: what comes in behind the mark, a merge, and a repair that lost nothing are no losses."""
    settings = settings_of(data)
    places = places_of(settings)
    with Journal(settings.journal_file) as journal:
        with journal.write() as w:
            steady("Anna", NOW_MS, 60, 100).write(w)
            w.merge({})
        assert gone_since_known(places, journal) == []
        note_known(places, journal)
    mend(places, "for the test")
    assert go_on(data) == []


@contextmanager
def behind_its_back(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        yield db


def test_pages_of_two_times_are_found_out(data: Path) -> None:
    """Protects from an old copy below a newer log: rows, index and tally of a day agree that it never was, a sum does not."""
    settings = settings_of(data)
    path, places = settings.journal_file, places_of(settings)
    assert trouble(places) is None
    with behind_its_back(path) as db:
        day = db.execute("SELECT min(day) FROM tally WHERE what = 'chunk' AND person = 2").fetchone()[0]
        for statement in (
            "DELETE FROM chunk WHERE person = 2 AND first_ms / 86400000 = ?",
            "DELETE FROM entry WHERE person = 2 AND at_ms / 86400000 = ?",
            "DELETE FROM tally WHERE person = 2 AND day = ?",
        ):
            db.execute(statement, (day,))
    why = trouble(places)
    assert why is not None
    assert "of two times" in why
    assert why in whole(path)
    named = {(loss.damage.person, loss.damage.source) for loss in go_on(data)}
    assert ("Bram", "strap 2") in named
    assert trouble(places) is None


def test_an_earlier_version_that_still_runs_makes_no_false_alarm(data: Path) -> None:
    """Protects an update under a running daemon: a sum that the earlier version does not keep is no damage."""
    settings = settings_of(data)
    with closing(sqlite3.connect(settings.journal_file, isolation_level=None)) as db:
        last = db.execute("SELECT max(position) FROM entry").fetchone()[0] + 1
        db.execute(
            "INSERT INTO entry (position, person, what, at_ms, recorded_ms) VALUES (?, 1, 'probe', 0, 0)",
            (last,),
        )
        db.execute("UPDATE tallied SET position = ?", (last,))
    assert trouble(places_of(settings)) is None
    with Journal(settings.journal_file) as journal, journal.write() as w:
        steady("Anna", NOW_MS, 60, 100).write(w)
    assert whole(settings.journal_file) == []


def test_what_one_repair_lost_is_told_after_the_next(data: Path) -> None:
    """Protects what is gone from being hushed up: a second repair that finds nothing does not take it from status."""
    settings = settings_of(data)
    places = places_of(settings)
    with closing(sqlite3.connect(settings.journal_file)) as db:
        db.execute(
            "UPDATE chunk SET seal = 1 WHERE position = (SELECT max(position) FROM chunk WHERE person = 2)"
        )
        db.commit()
    assert mend(places, "for the test").lost
    assert mend(places, "once more").lost == []
    said = hartslag("--data", data, "status").stdout
    assert "gone for good:\n" in said
    assert "Bram, strap 2" in said


def test_who_is_deleted_is_in_no_note_beside_the_journal(data: Path) -> None:
    """Protects who is to go: notes of what was lost and known name nobody who is not there."""
    settings = settings_of(data)
    add_losses(settings.journal_file, [Loss(NOW_MS, Damage("Bram", "strap 2", 1, 2, "gone"))])
    mend(places_of(settings), "for the test")
    with Journal(settings.journal_file) as journal:
        note_known(places_of(settings), journal)
    assert "Bram" in known_file(places_of(settings)).read_text()
    done = hartslag("--data", data, "delete", "Bram", "--really", "Bram")
    assert done.returncode == 0, done.stdout + done.stderr
    for path in (known_file(places_of(settings)), *settings.journal_file.parent.glob("*.json")):
        assert "Bram" not in path.read_text(), path


def test_a_verb_that_writes_on_a_damaged_page_says_so_in_words(data: Path) -> None:
    """Protects from a traceback where only writing meets the damage: what to do is said, and a note is left for the daemon."""
    path = data / "journal" / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # Where the next entry goes; who reads asks for a day by its index.
        roots = dict(db.execute("SELECT name, rootpage FROM sqlite_schema WHERE name IN ('run', 'tallied')"))
    raw = bytearray(path.read_bytes())
    for root in roots.values():
        raw[(root - 1) * 512 : root * 512] = bytes(512)
    path.write_bytes(raw)
    done = hartslag("--data", data, "forget", "w2.fit", "Anna", "--yes")
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in said
    assert "hartslag repair" in said
    assert path.with_name("journal.db.damaged").exists()


def test_what_a_store_misses_of_a_chunk_that_is_gone_is_told_once(tmp_path: Path) -> None:
    """Protects from one loss told as two: the store's part of a chunk that could not be read lies within it, another span does not."""
    journal = tmp_path / "journal.db"
    chunk = Loss(NOW_MS, Damage("Bram", "strap 2", 1000, 9000, "chunk 9 is damaged"))
    add_losses(journal, [chunk])
    part, other = (
        Loss(NOW_MS, Damage("Bram", source, 2000, 8000, "a store held it"))
        for source in ("strap 2", "strap 3")
    )
    assert add_losses(journal, [part, other]) == [other]
    whole = Loss(NOW_MS, Damage("Bram", "strap 3", 0, 9000, "chunk 10 is damaged"))
    assert add_losses(journal, [whole]) == [whole]
    assert read_losses(journal) == [chunk, whole]


def contents(data: Path) -> dict[str, bytes]:
    """Every file below a folder that holds anything, but the index of a log, which readers lock in."""
    return {
        str(p.relative_to(data)): p.read_bytes()
        for p in data.rglob("*")
        if p.is_file() and not p.name.endswith("-shm") and p.stat().st_size
    }


@pytest.mark.parametrize("how", ["chunks of straps", "old journal", "deleted with log"])
def test_a_repair_that_is_only_tried_finds_what_the_repair_finds(data: Path, how: str) -> None:
    """Protects who looks before they repair: the same is told to be gone, and nothing is written."""
    path = data / "journal" / "journal.db"
    if how != "chunks of straps":
        put_back(data, how)
    if path.exists():
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute(
                "UPDATE chunk SET seal = seal + 1 WHERE position IN"
                " (SELECT position FROM chunk WHERE file IS NULL ORDER BY position DESC LIMIT 2)"
            )

    def told(*words: str) -> tuple[list[str], set[str]]:
        answer = json.loads(hartslag("--data", data, "repair", *words, "--json").stdout)
        besides = {json.dumps({**loss, "found_ms": 0}, sort_keys=True) for loss in answer["found"]}
        return sorted(json.dumps(gone, sort_keys=True) for gone in answer["gone"]), besides

    before = contents(data)
    tried = told("--dry-run")
    words = hartslag("--data", data, "repair", "--dry-run").stdout
    assert contents(data) == before
    assert tried == told()
    assert tried[0] or tried[1]
    assert words.count("Gone: ") == len(tried[0]) + sum('"counts_again": null' in loss for loss in tried[1])


@pytest.mark.parametrize(
    "words", [["run"], ["status"], ["repair"], ["repair", "--dry-run"], ["check"]], ids=" ".join
)
def test_a_folder_in_the_place_of_the_journal_is_called_one(tmp_path: Path, words: list[str]) -> None:
    """Protects from looking for an owner and a disk that are well: it is said what lies there, and it is left as it is."""
    folder = tmp_path / "journal" / "journal.db"
    folder.mkdir(parents=True)
    answer = hartslag("--data", tmp_path, *words)
    assert answer.returncode == 1
    said = " ".join((answer.stdout + answer.stderr).split())
    assert f"{folder} is a folder, and the journal, a file, belongs there." in said
    assert "Check who owns it" not in said
    assert list(folder.iterdir()) == []
