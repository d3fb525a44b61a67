"""Running the real program in tests: the daemon as a process, and what it leaves behind as something to compare."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support import preloaded
from tests.support.preloaded import PATIENCE_S, ROOT
from tests.support.straps import stored_notifications_at

QUICK = "[inbox]\nsettle_s = 0.05\npatience_s = 0.4\n"
"""Settings for tests: waiting for a copy to go on is not what they are about."""


def hartslag(
    *words: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return preloaded.run([*map(str, words)], {**os.environ, **(env or {})}, cwd or Path.cwd())


@contextmanager
def daemon(
    data: Path, *, crash_at: str = "", settings: str = QUICK, hasty: bool = False
) -> Iterator["subprocess.Popen[str]"]:
    """The daemon on a data folder; stopped as systemd would stop it when the block ends."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "hartslag.toml").write_text(settings)
    log = (data.parent / f"{data.name}.log").open("a")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hasty" if hasty else "ingest", "--data", str(data), "run"],
        stdout=log,
        stderr=log,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **({"HARTSLAG_CRASH_AT": crash_at} if crash_at else {})},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        log.close()


def until(true: Callable[[], Any], what: str) -> None:
    """Wait for something that should come true soon."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_S:.0f} s for {what}")
        time.sleep(0.02)


def rows(db: Path, sql: str, *values: Any) -> list[Any]:
    """What a database answers; nothing while it is not there yet."""
    if not db.exists():
        return []
    with closing(sqlite3.connect(db, timeout=30)) as connection:
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as e:
            if "no such table" in str(e):
                return []
            raise


def journal(data: Path) -> Path:
    return data / "journal" / "journal.db"


def store(data: Path) -> Path:
    return data / "store" / "hartslag.db"


def settled(data: Path) -> bool:
    """Whether everything dropped is filed and the store knows."""
    if any(p.is_file() for p in (data / "inbox").rglob("*")):
        return False
    if rows(journal(data), "SELECT 1 FROM arrival WHERE NOT filed OR NOT ended"):
        return False
    last = rows(journal(data), "SELECT max(position) FROM entry")
    at = rows(store(data), "SELECT position FROM replica")
    return bool(last and at and last[0][0] == at[0][0])


def left_behind(data: Path) -> dict[str, Any]:
    """Journal, store and folders as plain values, without the moments and numbers that no two runs share."""
    found: dict[str, Any] = {}
    found["files"] = rows(
        journal(data),
        "SELECT a.path, f.member, p.name, hex(f.sha256), f.outcome, f.reason, f.samples, f.beats, f.first_ms,"
        " a.destination, a.filed, r.sha256 FROM file f JOIN arrival a ON a.id = f.arrival JOIN person p ON p.id = f.person"
        " LEFT JOIN file r ON r.id = f.replaced_by ORDER BY 1, 2, 3, 4, 5",
    )
    found["chunks"] = rows(
        journal(data),
        "SELECT p.name, s.name, s.kind, s.rank, hex(f.sha256), c.first_ms, c.last_ms, c.end_ms, c.samples, c.times,"
        " c.bpm, c.beats, c.rr, c.pauses FROM chunk c JOIN source s ON s.id = c.source JOIN person p ON p.id = c.person"
        " LEFT JOIN file f ON f.id = c.file ORDER BY 1, 2, 6, 5",
    )
    found["heard"] = [
        (name, source, octets.hex())
        for (name,) in rows(journal(data), "SELECT name FROM person ORDER BY name")
        for source, *_, octets in stored_notifications_at(journal(data), name).notifications
    ]
    found["entries"] = rows(
        journal(data),
        "SELECT p.name, e.what, CASE WHEN e.what IN ('file', 'profile', 'touch') THEN 0 ELSE e.at_ms END,"
        " CASE e.what WHEN 'file' THEN '' ELSE e.content END FROM entry e JOIN person p ON p.id = e.person"
        # What troubled a part on the way is said of it, and changes nothing.
        " WHERE e.what <> 'collector' OR e.content NOT LIKE '%\"source\": \"part %' ORDER BY 1, 2, 3, 4",
    )
    for table in ("heart_rate", "beat", "minute", "day", "week", "session", "claim", "profile"):
        found[table] = sorted(map(repr, rows(store(data), f"SELECT * FROM {table}")))
    found["collector"] = sorted(
        map(
            repr,
            rows(
                store(data),
                "SELECT person, source, state, samples FROM collector WHERE source NOT LIKE 'part %'",
            ),
        )
    )
    for folder in ("inbox", "archive", "rejected"):
        found[folder] = sorted(
            (
                str(p.relative_to(data)),
                hashlib.sha256(p.read_bytes().replace(str(data.absolute()).encode(), b"")).hexdigest(),
            )
            for p in (data / folder).rglob("*")
            if p.is_file()
        )
    return found
