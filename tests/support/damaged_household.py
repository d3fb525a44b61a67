"""A household whose journal is damaged: verbs are asked, the daemon goes on, and all of it is held against an undisturbed one."""

import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.collect.arrival import Arrivals
from ingest.collect.reading_again import read_again
from ingest.daemon.inspection import look_over_store
from ingest.daemon.mending import have_unknown_read, open_at_start
from ingest.demo.fit_encoder import workout
from ingest.errors import HartslagError, Stop, TryLater, WrongSettings
from ingest.household import open_journal, owner_in_archive, places_of, register_person, view_journal
from ingest.journal import ALWAYS_MS, Journal
from ingest.journal.damage import Damage, forget_said, note_file
from ingest.journal.known import gone_since_known
from ingest.journal.losses import read_losses
from ingest.journal.mended import last_mending
from ingest.journal.mending import mend, whole
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.week_answer import week_answers
from tests.support.damaged_journals import ALL_GONE, DAMAGES, SET_BACK
from tests.support.direct_reader import DirectReader
from tests.support.forks import fork, run_verb
from tests.support.household_of_all_kinds import BEGAN_S, DAY_MS, NOW_MS
from tests.support.households import rows as stored_rows
from tests.support.killed_household import STRAPS, run_daemon

STRAPS_OF_TODAY = "[inbox]\nsettle_s = 0.05\npatience_s = 0.4\n" + "".join(
    f'[[strap]]\naddress = "{address}"\nperson = "{person}"\n'
    for address, person in zip(STRAPS, ("Anna", "Bram"), strict=True)
)
"""Settings of what goes on while a household is looked at."""

_LATER = "garmin-2-activity"
"""The source of the file that comes in after the damage."""

_TODAY = frozenset(f"strap {address}" for address in STRAPS)

_LAST_WEEK = "2026-W47"
"""In which the household's last day lies."""

_NUMBERS = frozenset(
    {"person", "week", "light_min", "moderate_min", "vigorous_min", "measured_min", "dose_min", "active_days"}
)

SETTLED_S = 900.0
"""Within which a daemon has mended what it has to and taken what came; a busy machine is no failure."""


def settings_of(data: Path) -> Settings:
    return load(None, data, {}, data)


@dataclass
class Seen:
    """What is told of a household: its weeks, its samples by (person, source, moment), and what is said to be damaged."""

    weeks: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[tuple[str, str, int], int] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)
    counts_again: set[str] = field(default_factory=set)
    """What is said to count again though it had been forgotten."""
    refused: str = ""


def look(data: Path) -> Seen:
    """What `week` and `export` read; anything but words raised is a mistake of the program."""
    forget_said()
    seen = Seen()
    try:
        with view_journal(settings_of(data)) as journal:
            weeks = week_answers(journal, journal.persons(), 60, NOW_MS)
            seen.weeks = [_zones(row.json()) for row in weeks if row.json()["week"] <= _LAST_WEEK]
            for person in journal.persons():
                for chunk in journal.chunks(person.id, -ALWAYS_MS, ALWAYS_MS):
                    if chunk.source.name in _TODAY:
                        continue
                    series = chunk.columns.series
                    for at_ms, bpm in zip(
                        series.times.astype("int64").tolist(), series.bpm.tolist(), strict=True
                    ):
                        seen.samples[person.name, chunk.source.name, at_ms] = bpm
            places = places_of(settings_of(data))
            losses = [*read_losses(places.journal), *gone_since_known(places, journal)]
            seen.damages = [*journal.damages, *(loss.damage for loss in losses if not loss.forgotten)]
            seen.counts_again = {loss.forgotten for loss in losses} - {""}
    except HartslagError as e:
        seen.refused = str(e)
    return seen


def _zones(row: dict[str, Any]) -> dict[str, Any]:
    """What of a week does not change with the day on which it is asked for."""
    return {key: value for key, value in row.items() if key in _NUMBERS}


def live_on(data: Path) -> Path:
    """An undisturbed one, with what comes in after the moment of the damage."""
    DamagedHousehold(data, Seen(), "", random.Random(0))._let_daemon_work(beats=False)
    return data


@dataclass
class DamagedHousehold:
    """One data folder, what it should hold, what is done to it, and what was wrong with it then."""

    data: Path
    before: Seen
    kind: str
    chance: random.Random
    done: str = ""
    problems: list[str] = field(default_factory=list)
    lost: list[Damage] = field(default_factory=list)
    """All that any mending named."""

    @property
    def path(self) -> Path:
        return self.data / "journal" / "journal.db"

    @property
    def outside(self) -> Path:
        return self.data.parent

    def suffer(self, *, processes: bool) -> None:
        """Damage it, ask, go on, ask again, repair what is left to repair, and compare.

        With `processes` by the real daemon and the verbs themselves, else by what they call, which takes a tenth of the time.
        """
        settings = (self.data / "hartslag.toml").read_bytes()
        self.done = DAMAGES[self.kind](self.path, self.chance)
        try:
            if self.chance.random() < 0.5:
                self.done += ", asked first"
                self._ask("at once", at_once=True, processes=processes)
            if processes:
                self._let_daemon_work(beats=self.chance.random() < 0.2)
            else:
                self._go_on_here()
            (self.data / "hartslag.toml").write_bytes(settings)
            self._ask("later", processes=processes and self.chance.random() < 0.3)
            if whole(self.path) or note_file(self.path).exists():
                if processes:
                    self._verb("repair")
                    self._note_lost()
                else:
                    places = places_of(settings_of(self.data))
                    mend(places, "found in the end")
                    self._go_on_here()
                self._ask("in the end", processes=processes)
            self.problems += [f"not whole in the end: {fault}" for fault in whole(self.path)[:3]]
            self._compare_store()
        except Exception as e:  # noqa: BLE001 - a traceback is what must never be seen
            import traceback

            self.problems.append(f"{type(e).__name__}: {e}\n{traceback.format_exc()[-1800:]}")
        for log in self.outside.glob("*.log"):
            if "Traceback" in (text := log.read_text(errors="replace")):
                self.problems.append(f"a traceback in {log.name}: {text[text.index('Traceback') :][-1500:]}")

    def _go_on_here(self) -> None:
        """What the daemon does of it, one after the other: at its start, with the inbox, and with the store."""
        try:
            settings = settings_of(self.data)
        except Stop:
            return
        open_at_start(settings)
        self._note_lost()
        with Journal(settings.journal_file) as journal:
            have_unknown_read(places_of(settings), journal)
        self._read_again()
        with Journal(settings.journal_file) as journal, closing(SqliteStore(settings.store_file)) as store:
            try:
                follow(journal, store)
            except TryLater:  # it was damaged, and is made anew
                follow(journal, store)
        self._note_lost()

    def _read_again(self) -> None:
        settings = settings_of(self.data)
        with open_journal(settings, create=True) as journal:
            arrivals = Arrivals(journal, DirectReader(64 << 20), settings.data)
            again = read_again(
                places_of(settings),
                arrivals,
                lambda path: register_person(journal, settings, owner_in_archive(settings, path)),
            )
            for path, outcomes in again:
                if isinstance(outcomes, TryLater):
                    self.problems.append(f"{path.name} could not be read again: {outcomes}")

    # --- what is asked ---

    def _ask(self, when: str, *, processes: bool, at_once: bool = False) -> None:
        seen = look(self.data)
        is_late = self.kind and any(key[1] == _LATER for key in seen.samples)
        if not is_late:  # what came in after the damage
            seen.samples |= {key: bpm for key, bpm in self.before.samples.items() if key[1] == _LATER}
        if seen.refused and at_once:
            if not any(w in seen.refused for w in ("repair", "There is no journal", "settings")):
                self.problems.append(f"{when}: refused with {seen.refused}")
        else:
            self.problems += [
                f"{when}: {wrong}" for wrong in self._wrong(seen, is_late=bool(is_late), at_once=at_once)
            ]
        if processes:
            self._ask_verbs(when, seen, is_late=bool(is_late))

    def _ask_verbs(self, when: str, seen: Seen, *, is_late: bool) -> None:
        exported, told = self._verb("export"), self._verb("week", "--json", "--weeks", "60")
        self._verb("check")
        self._verb("status")
        if seen.refused:
            return
        read = sum(key[1] != _LATER or is_late for key in seen.samples)
        if (lines := _samples_of(exported)) != read:
            self.problems.append(f"{when}: export tells {lines} samples, the journal {read}")
        begins = next((m.start() for m in re.finditer(r"^\[", told, re.MULTILINE)), len(told))
        weeks = json.JSONDecoder().raw_decode(told[begins:] or "[]")[0]
        if [_zones(row) for row in weeks if row["week"] <= _LAST_WEEK] != seen.weeks:
            self.problems.append(f"{when}: week tells other weeks: {weeks[:1]} {seen.weeks[:1]}")

    def _verb(self, *words: str) -> str:
        """What a verb says on its output; its errors go where tracebacks are looked for."""
        log = self.outside / "verb.log"
        before = log.stat().st_size if log.exists() else 0
        pid = fork(log, lambda: run_verb(self.data, *words))
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, 1, 2} and not (
            code == WrongSettings.exit_code and self.kind == "settings garbage"
        ):
            self.problems.append(f"`{' '.join(words)}` ended with {code}")
        with log.open("rb") as stream:
            stream.seek(before)
            said = stream.read().decode(errors="replace")
        if code and not said.strip():
            self.problems.append(f"`{' '.join(words)}` ended with {code} and said nothing")
        return said

    def _wrong(self, now: Seen, *, is_late: bool, at_once: bool) -> Iterator[str]:
        """What is not as it was, and neither said to be damaged nor beyond knowing."""
        if now.refused:
            yield f"refused: {now.refused}"
            return
        damages = [*now.damages, *self.lost]
        held, before = now.samples, self.before.samples
        gone = [key for key, bpm in before.items() if held.get(key) != bpm]
        wrong = [key for key in gone if key in held]
        unnamed = [
            key for key in gone if key not in held and not self._is_excused(key, damages, at_once=at_once)
        ]
        more = [key for key in held if key not in before]
        if wrong:
            yield f"{len(wrong)} samples are other ones, the first {wrong[0]}"
        if unnamed:
            yield f"{len(unnamed)} samples are gone and not named, the first {unnamed[0]}, the last {unnamed[-1]}"
        if more and not self._names_are_made_up(now):
            yield f"{len(more)} samples came from nowhere, the first {more[0]}"
        if is_late and not gone and not more and now.weeks != self.before.weeks and not damages:
            yield "weeks differ and nothing is named"

    def _names_are_made_up(self, now: Seen) -> bool:
        """Whether it is said that names, or what was forgotten or merged, cannot be read any more."""
        return bool(now.counts_again) or any(
            d.person.startswith("person ")
            or d.first_ms is None
            or d.why.startswith(("forget", "merge", "row"))
            for d in [*now.damages, *self.lost]
        )

    def _is_excused(self, key: tuple[str, str, int], damages: list[Damage], *, at_once: bool) -> bool:
        person, _, ms = key
        is_new = ms >= NOW_MS - SET_BACK.get(self.kind, 0) * DAY_MS - DAY_MS // 2
        if at_once and (is_new or self.kind in ALL_GONE):
            return True
        for d in damages:
            if d.person not in {person, "", "Ana"} and not d.person.startswith("person "):
                continue
            if d.first_ms is None or d.last_ms is None or d.why.startswith("merge"):
                return True
            if d.person.startswith("person "):
                return True
            if d.first_ms - 5000 <= ms <= d.last_ms + 5000:
                return True
        return False

    # --- the daemon ---

    def _let_daemon_work(self, *, beats: bool) -> None:
        """The daemon, a file that comes in meanwhile, and its end."""
        inbox = self.data / "inbox"
        inbox.mkdir(exist_ok=True)
        beside = inbox / ".new.part"
        beside.write_bytes(workout(BEGAN_S - 12 * 86_400, [140] * 300, serial=2))
        beside.rename(inbox / "new.fit")
        settings_are_bad = self.kind == "settings garbage"
        pid = fork(self.outside / "daemon.log", lambda: run_daemon(self.data, self.outside, straps=beats))
        try:
            ended = self._wait(pid, beats=beats)
        except BaseException:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):  # it may have ended
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            raise
        log = (self.outside / "daemon.log").read_text(errors="replace")
        if ended is not None and not (settings_are_bad and ended == 1 and log.strip()):
            self.problems.append(f"the daemon ended by itself with {ended}: {log[-300:]}")
        self._note_lost()
        if beats and not settings_are_bad and "settings" not in self.kind:
            self._judge_heard()

    def _wait(self, pid: int, *, beats: bool) -> int | None:
        end_s = time.monotonic() + SETTLED_S
        while not self._is_settled():
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end_s:
                log = (self.outside / "daemon.log").read_text(errors="replace")
                self.problems.append(f"the daemon does not come to rest: {self._state()}; {log[-700:]}")
                break
            self._note_lost()
            time.sleep(0.05)
        if beats:
            time.sleep(7)
        os.kill(pid, signal.SIGTERM)
        end_s = time.monotonic() + 60
        while True:
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
                code = os.waitstatus_to_exitcode(status)
                return None if code in {0, -signal.SIGTERM} else code
            if time.monotonic() > end_s:
                self.problems.append("the daemon did not end within 60 s of being told to")
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None
            time.sleep(0.02)

    def _is_settled(self) -> bool:
        return not any(self._state().values())

    def _state(self) -> dict[str, Any]:
        """What is still to be done."""
        store = self.data / "store" / "hartslag.db"
        last = _asked(self.path, "SELECT max(position) FROM entry")
        return {
            "in the inbox": [p.name for p in (self.data / "inbox").rglob("*") if p.is_file()],
            "unfiled": _asked(self.path, "SELECT id FROM arrival WHERE NOT filed OR NOT ended"),
            "store behind": not last or last != _asked(store, "SELECT position FROM replica"),
            "note": note_file(self.path).exists(),
            "to read": self.path.with_name("read-again.json").exists(),
        }

    def _note_lost(self) -> None:
        mended = last_mending(places_of(settings_of(self.data))) if self.kind != "settings garbage" else None
        if mended is not None:
            self.lost += [d for d in mended.lost if d not in self.lost]

    def _judge_heard(self) -> None:
        with view_journal(settings_of(self.data)) as journal:
            heard = {s.name for p in journal.persons() for s in journal.sources(p.id)}
        if missing := _TODAY - heard:
            self.problems.append(f"nothing of {missing} was recorded")

    # --- the store ---

    def _compare_store(self) -> None:
        """Whether the store, once it has followed, holds what one made anew from this journal does."""
        settings = settings_of(self.data)
        anew = self.outside / "anew" / "hartslag.db"
        look_over_store(settings)  # as the daemon does once a week
        with Journal(settings.journal_file) as journal:
            for path in (settings.store_file, anew):
                with closing(SqliteStore(path)) as store:
                    follow(journal, store)
        held, expected = stored_rows(settings.store_file), stored_rows(anew)
        for table, rows in expected.items():
            if held[table] != rows:
                differ = set(map(repr, held[table])) ^ set(map(repr, rows))
                self.problems.append(f"{table}: {len(differ)} rows of the store differ: {sorted(differ)[:2]}")


def _asked(path: Path, sql: str) -> list[Any]:
    """What a database answers, asked so that nobody is disturbed: a connection that could write would delete a log."""
    with (
        contextlib.suppress(sqlite3.Error, UnicodeDecodeError),  # what is damaged answers nothing
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db,
    ):
        return db.execute(sql).fetchall()
    return []


def _samples_of(exported: str) -> int:
    """How many samples were told, but for those of straps that beat today."""
    lines = exported.splitlines()
    begin = (
        lines.index("time,person,source,kind,bpm") + 1
        if "time,person,source,kind,bpm" in lines
        else len(lines)
    )
    return sum(line[:2] == "20" and line.split(",")[2] not in _TODAY for line in lines[begin:])
