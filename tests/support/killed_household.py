"""A household whose processes are killed over and over: what came from outside is written down, and held against the journal.

Files are dropped, two straps beat, verbs are asked; daemon, reading processes and verbs get SIGKILL at any moment.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ingest.collect.connection import StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.daemon.listening import Listening
from ingest.demo.fit_encoder import day, workout
from ingest.errors import HartslagError
from ingest.journal import Journal
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.watchdog import WatchedPart
from tests.support.air.heart import measurement
from tests.support.daemons import journal, rows, settled, store
from tests.support.forks import fork, run_verb
from tests.support.households import rows as stored_rows
from tests.support.straps import stored_notifications_at

PERSON = "anna"
STRAPS = ("F0:00:00:00:00:01", "F0:00:00:00:00:02")
SETTINGS = (
    "[inbox]\nsettle_s = 0.05\npatience_s = 0.4\n"
    f'[[person]]\nname = "{PERSON}"\nmaximum_bpm = 180\nzone = "UTC"\n'
    + "".join(f'[[strap]]\naddress = "{a}"\n' for a in STRAPS)
)

INTERVAL_S = 5.0
"""Between two commits of what straps tell: so much, and what a commit takes, may be lost."""

COMMIT_S = 3.0
"""For a commit on a busy machine."""

VERB_S = 300.0
"""No verb takes longer over a household as small as these, however busy the machine."""

EVERY_S = 0.1

BEGIN = 1_000_000_000
"""Of the first workout, in FIT's own seconds: September 2021."""

HEARD = struct.Struct("<dI")
"""When (seconds since 1970) which number was told."""


def numbered(n: int) -> bytes:
    """The n-th notification: no other has its two intervals."""
    return measurement(60 + n % 100, (300 + n % 1000, 300 + n // 1000))


def number_of(payload: bytes) -> int:
    """Which notification it is."""
    low, high = struct.unpack_from("<HH", payload, 2)
    return int(low - 300 + 1000 * (high - 300))


@dataclass
class Tally:
    """What was done, and what is wrong after all of it."""

    kills: Counter[str] = field(default_factory=Counter)
    files: int = 0
    heard: int = 0
    wrong: list[str] = field(default_factory=list)


class KilledHousehold:
    """One data folder, its daemon, and what the world outside knows of it."""

    def __init__(self, folder: Path, seed: int, data: Path | None = None) -> None:
        self.data = data or folder / "data"
        self.outside = folder
        self.chance = random.Random(seed)
        self.sent: dict[str, bytes] = {}
        self.dropped: list[tuple[float, str]] = []
        """When each file lay in the inbox."""
        self._daemon: int | None = None
        self.kills_s: list[float] = []
        self.tally = Tally()
        (self.data / "inbox").mkdir(parents=True, exist_ok=True)
        (self.data / "hartslag.toml").write_text(SETTINGS)

    # --- what happens ---

    def suffer(self, kills: int) -> None:
        """Let so many processes be killed: in each round some verbs beside the daemon, each at a moment of its own."""
        while self.tally.kills.total() < kills:
            self.drop_files()
            if self._daemon is None:
                self._daemon = self._fork("daemon", lambda: run_daemon(self.data, self.outside))
            self._suffer_round()
            self._look_after_daemon()

    def _suffer_round(self) -> None:
        """One life of the daemon or a part of it; starting it is what costs, so verbs are killed by the handful."""
        chance = self.chance
        verbs = [self._fork_verb() for _ in range(chance.choice((0, 1, 2, 3, 4)))]
        kills: list[tuple[float, Callable[[], None]]] = [
            (chance.expovariate(2), partial(self._kill, v, "verb")) for v in verbs if chance.random() < 0.8
        ]
        if chance.random() < 0.2:
            kills.append((chance.expovariate(2), self._kill_reader))
        if chance.random() < 0.6:
            at_s = chance.uniform(5, 9) if chance.random() < 0.08 else chance.expovariate(2)
            kills.append((at_s, self._kill_daemon))
        began_s = time.monotonic()
        for at_s, kill in sorted(kills, key=lambda k: k[0]):
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            kill()
        for verb in verbs:
            self._await_verb(verb)

    def recover(self, *, straps: bool = True) -> None:
        """Let the daemon work undisturbed until everything is done, and end as it is told to."""
        if self._daemon is None:
            self._daemon = self._fork("daemon", lambda: run_daemon(self.data, self.outside, straps=straps))
        end_s = time.time() + 120
        while not settled(self.data) and time.time() < end_s:
            if not self._look_after_daemon():
                break
            time.sleep(0.1)
        if straps:
            time.sleep(INTERVAL_S + 1)
        if self._daemon is not None:
            os.kill(self._daemon, signal.SIGTERM)
            _, status = os.waitpid(self._daemon, 0)
            if status not in {0, signal.SIGTERM}:  # told before it could listen, it just ends
                self.tally.wrong.append(f"the daemon ended with {status} when it was told to")
        self._daemon = None

    def drop_files(self) -> None:
        for _ in range(self.chance.choice((0, 0, 1, 1, 2, 4))):
            n = len(self.sent)
            began = BEGIN + n * 7200
            bpm = [90 + (n + i) % 80 for i in range(self.chance.randrange(60, 600))]
            data = day(began, bpm[:60]) if n % 5 == 4 else workout(began, bpm, serial=1 + n % 3)
            name = f"{n:05d}.fit"
            if data in self.sent.values():
                continue
            self.sent[name] = data
            self.dropped.append((time.time(), name))
            beside = self.data / "inbox" / f".{name}.part"
            beside.write_bytes(data)
            beside.rename(self.data / "inbox" / name)
        self.tally.files = len(self.sent)

    def _fork_verb(self) -> int:
        some = self.chance.choice([*self.sent] or ["00000.fit"])
        words = self.chance.choice(
            (
                ["week"],
                ["today", "--once"],
                ["explain", some],
                ["status", "--json"],
                ["check"],
                ["rebuild"],
                ["export"],
                ["repair", "--dry-run"],
                ["forget", some, "--yes"],
                ["forget", "--undo", "--yes"],
                ["backup", str(self.outside / "copy.zip")],
                ["add", str(self.outside / "beside")],
            )
        )
        if words[0] == "add":
            (self.outside / "beside").mkdir(exist_ok=True)
            for name, data in list(self.sent.items())[-2:]:
                (self.outside / "beside" / name).write_bytes(data)
        return self._fork("verb", lambda: run_verb(self.data, *words))

    def _await_verb(self, verb: int) -> None:
        """Let a verb end, killed or not; one that never does is a fault."""
        end_s = time.monotonic() + VERB_S
        while (ended := os.waitpid(verb, os.WNOHANG))[0] == 0 and time.monotonic() < end_s:
            time.sleep(0.02)
        if not ended[0]:
            self.tally.wrong.append(f"a verb has not ended within {VERB_S:.0f} s")
            os.kill(verb, signal.SIGKILL)
            os.waitpid(verb, 0)
        elif os.WIFEXITED(ended[1]) and os.WEXITSTATUS(ended[1]) not in {0, 1}:
            self.tally.wrong.append(f"a verb ended with {os.WEXITSTATUS(ended[1])}")

    def _kill_reader(self) -> None:
        if self._daemon is not None and (readers := _children(self._daemon)):
            self._kill(readers[0], "reader")

    def _kill_daemon(self) -> None:
        if self._daemon is not None and self._look_after_daemon():
            self._kill(self._daemon, "daemon")
            os.waitpid(self._daemon, 0)
            self.kills_s.append(
                time.time()
            )  # on a busy machine a strap is heard once more before the kill is there
            self._daemon = None

    def _kill(self, pid: int, what: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.tally.kills[what] += 1

    def _look_after_daemon(self) -> bool:
        """Whether the daemon runs. One that ended by itself is a fault: nobody may be needed to start it."""
        if self._daemon is None:
            return False
        pid, status = os.waitpid(self._daemon, os.WNOHANG)
        if pid:
            self.tally.wrong.append(f"the daemon ended by itself with {status}")
            self._daemon = None
        return not pid

    def _fork(self, what: str, work: Callable[[], None]) -> int:
        return fork(self.outside / f"{what}.log", work)

    # --- what is held against it ---

    def judge(self) -> Tally:
        """Say what is missing, doubled or blamed."""
        self._judge_files()
        self._judge_straps()
        self._judge_store()
        for log in self.outside.glob("*.log"):
            if "Traceback" in (text := log.read_text(errors="replace")):
                self.tally.wrong.append(
                    f"a traceback in {log.name}: {text[text.index('Traceback') :][-600:]}"
                )
        return self.tally

    def _judge_files(self) -> None:
        counted = Counter(
            bytes(sha)
            for (sha,) in rows(journal(self.data), "SELECT sha256 FROM file WHERE outcome = 'stored'")
        )
        import hashlib

        sent = {hashlib.sha256(data).digest(): name for name, data in self.sent.items()}
        for sha, name in sent.items():
            if counted[sha] != 1:
                self.tally.wrong.append(f"{name} is stored {counted[sha]} times")
        for outcome, reason, number in rows(
            journal(self.data),
            "SELECT outcome, reason, count(*) FROM file WHERE outcome IN ('rejected', 'partial') GROUP BY 1, 2",
        ):
            self.tally.wrong.append(f"{number} healthy files are {outcome}: {reason}")
        left = [p.name for p in (self.data / "inbox").rglob("*") if p.is_file()]
        if left:
            self.tally.wrong.append(f"in the inbox are still {left[:5]}")
        archived = {
            hashlib.sha256(p.read_bytes()).digest() for p in (self.data / "archive").rglob("*") if p.is_file()
        }
        if missing := set(sent) - archived:
            self.tally.wrong.append(f"{len(missing)} files are not in the archive")

    def _judge_straps(self) -> None:
        held = stored_notifications_at(journal(self.data), PERSON).notifications
        for address in STRAPS:
            got = Counter(number_of(what) for source, *_, what in held if source == f"strap {address}")
            told = list(_told(self.outside, address))
            self.tally.heard += len(told)
            if doubled := [n for n, times in got.items() if times > 1]:
                self.tally.wrong.append(f"{address}: {len(doubled)} doubled, first {doubled[:3]}")
            early = self._lost_for_no_reason(told, got)
            if early:
                self.tally.wrong.append(
                    f"{address}: {len(early)} lost that were older than a commit, {early[:3]}"
                )

    def _lost_for_no_reason(self, told: list[tuple[float, int]], got: Counter[int]) -> list[int]:
        """What is lost and not of the end of a life of the daemon that was killed, no longer than a commit takes.

        The end is counted by what was told: a machine that held up the daemon held up the strap as well.
        """
        wrong = []
        for kill_s in self.kills_s:
            life = [n for at_s, n in told if at_s <= kill_s]
            told = [(at_s, n) for at_s, n in told if at_s > kill_s]
            committed = next((i + 1 for i in range(len(life) - 1, -1, -1) if life[i] in got), 0)
            wrong += [n for n in life[:committed] if n not in got]
            wrong += life[committed : -int((INTERVAL_S + COMMIT_S) / EVERY_S)]
        return wrong + [n for _, n in told if n not in got]

    def _judge_store(self) -> None:
        with closing(sqlite3.connect(journal(self.data))) as db:
            found = db.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            self.tally.wrong.append(f"the journal is damaged: {found[:2]}")
        # What straps told last was committed while the daemon ended; a store may be behind, and follows.
        with Journal(journal(self.data)) as held, SqliteStore(store(self.data)) as behind:
            follow(held, behind)
        there = stored_rows(store(self.data))
        _run_verb_here(self.outside, self.data, ["rebuild"])
        anew = stored_rows(store(self.data))
        for table, expected in anew.items():
            old, new = (set(map(repr, held)) for held in (there[table], expected))
            if old != new:
                self.tally.wrong.append(
                    f"{table}: {len(old ^ new)} rows differ from a store made anew: {sorted(old - new)[:2]} and not"
                    f" {sorted(new - old)[:2]}"
                )


# --- the processes ---


def run_daemon(data: Path, outside: Path, *, straps: bool = True) -> None:
    """The real daemon; straps that it listens to beat on where they left off, or are silent."""
    from ingest import daemon
    from ingest.log import setup
    from ingest.settings.file import load

    def listeners(settings: Settings, owners: Sequence[str], recorder: Recorder) -> dict[str, Listening]:
        hearts: dict[str, Listening] = {}
        for strap, owner in zip(settings.straps, owners, strict=True):
            known = StrapOwner(owner, strap.source)
            hearts[str(known)] = (
                partial(_beat, recorder, known, outside, strap.address or "") if straps else _silent
            )
        return hearts

    setup(verbose=False)
    try:
        daemon.run(load(None, data, {}, data), lambda _greeting: None, listeners)
    except HartslagError as e:  # as the verb says it
        print(e)
        sys.exit(1)


async def _silent(part: WatchedPart) -> None:
    part.rest()
    await asyncio.get_running_loop().create_future()


async def _beat(
    recorder: Recorder, owner: StrapOwner, outside: Path, address: str, part: WatchedPart
) -> None:
    """Notifications, each written down outside before it is told; their numbers go on from one life to the next."""
    file = outside / f"{address}.told"
    n = file.stat().st_size // HEARD.size if file.exists() else 0
    out = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    connection = recorder.open_connection(owner)
    recorder.record_state(owner, StrapState("connected"))
    try:
        while True:
            part.mark()
            os.write(out, HEARD.pack(time.time(), n))
            connection.receive(numbered(n))
            n += 1
            await asyncio.sleep(EVERY_S)
    finally:
        connection.end()
        os.close(out)


def _told(outside: Path, address: str) -> Iterator[tuple[float, int]]:
    data = (outside / f"{address}.told").read_bytes()
    yield from HEARD.iter_unpack(data[: len(data) // HEARD.size * HEARD.size])


def _run_verb_here(folder: Path, data: Path, words: list[str]) -> None:
    pid = fork(folder / "verb.log", lambda: run_verb(data, *words))
    _, status = os.waitpid(pid, 0)
    assert status == 0, (folder / "verb.log").read_text(errors="replace")[-700:]


def _main() -> None:
    """The daemon as a program of its own: `python -m tests.support.killed_household DATA OUTSIDE`."""
    run_daemon(Path(sys.argv[1]), Path(sys.argv[2]))


def _children(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in (thread / "children").read_text().split()]
    return found


if __name__ == "__main__":
    _main()
