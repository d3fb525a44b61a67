"""Damages of a journal by the hundred: never a wrong number, never a traceback, and all that is whole is still served.

python -m tests.bench.damages [200] [--seed 1] [--keep FOLDER]
"""

import argparse
import json
import logging
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.errors import HartslagError
from ingest.household import view_journal
from ingest.journal import ALWAYS_MS
from ingest.journal.damage import Damage, forget_said
from ingest.journal.mended import Mended, Places
from ingest.journal.mending import mend, trouble
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.check import findings
from ingest.verbs.status_answer import status, waiting_files
from ingest.verbs.week_answer import week_answers
from tests.support.damaged_journals import DAMAGES, household_of_all_kinds

NOW_MS = 1_795_000_000_000


@dataclass
class Seen:
    """What verbs tell of a household: its weeks, its chunks, and what is said to be damaged."""

    weeks: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[str, dict[int, int]] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)
    refused: str = ""


def settings_of(data: Path) -> Settings:
    return load(None, data, {}, data)


def look(data: Path) -> Seen:
    """What `week`, `export`, `status` and `check` would say; anything but words raised is a mistake of the program."""
    forget_said()
    seen, settings = Seen(), settings_of(data)
    try:
        with view_journal(settings) as journal:
            seen.weeks = [row.json() for row in week_answers(journal, journal.persons(), 60, NOW_MS)]
            for person in journal.persons():
                held = seen.samples.setdefault(person.name, {})
                for chunk in journal.chunks(person.id, -ALWAYS_MS, ALWAYS_MS):
                    series = chunk.columns.series
                    held |= {
                        int(t) << 8 | chunk.source.rank: int(b)
                        for t, b in zip(series.times.astype("int64"), series.bpm, strict=True)
                    }
            json.dumps(status(settings, journal, waiting_files(settings, journal)))
            list(findings(settings, journal))
            seen.damages = journal.damages
    except HartslagError as e:
        seen.refused = str(e)
    return seen


def wrong(before: Seen, now: Seen, reported: list[Damage] | None = None) -> Iterator[str]:
    """What is not as it was and is not said to be damaged."""
    damages = now.damages if reported is None else reported
    if now.refused:
        yield f"refused: {now.refused}"
        return
    anything = {d.person for d in damages if d.first_ms is None or d.last_ms is None}
    strangers = any(d.person.startswith("person ") or not d.person for d in damages)

    def is_named(person: str, ms: int) -> bool:
        return (
            strangers
            or person in anything
            or any(
                d.person == person and d.first_ms - 5000 <= ms <= d.last_ms + 5000
                for d in damages
                if d.first_ms is not None and d.last_ms is not None
            )
        )

    for person, held in before.samples.items():
        now_held = now.samples.get(person, {})
        lost = [
            key for key, bpm in held.items() if now_held.get(key) != bpm and not is_named(person, key >> 8)
        ]
        if lost:
            yield f"{person}: {len(lost)} samples are gone or otherwise and not named, the first at {lost[0] >> 8}"
        if more := set(now_held) - set(held):
            yield f"{person}: {len(more)} samples came from nowhere"
    if not damages and now.weeks != before.weeks:
        yield "weeks differ and nothing is named"
    for row in now.weeks:
        same = [w for w in before.weeks if (w["person"], w["week"]) == (row["person"], row["week"])]
        if row not in same and not strangers and row["person"] not in {d.person for d in damages}:
            yield f"{row['week']} of {row['person']} differs"


def mended(data: Path) -> tuple[Mended | None, Path]:
    settings = settings_of(data)
    places = Places(settings.journal_file, settings.data, settings.archive)
    why = trouble(places)
    return (mend(places, why) if why else None), settings.store_file


def follow_once(data: Path) -> None:
    """The store, as the daemon would follow it."""
    from ingest.journal import Journal

    settings = settings_of(data)
    with Journal(settings.journal_file) as journal, closing(SqliteStore(settings.store_file)) as store:
        follow(journal, store)


@contextmanager
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def try_damage(
    pristine: Path, before: Seen, data: Path, harm: Callable[[Path, random.Random], str], rng: random.Random
) -> tuple[str, list[str]]:
    """Damage a copy, ask it, mend it, ask again; gives what was done and what went wrong."""
    shutil.copytree(pristine, data)
    what = harm(data / "journal" / "journal.db", rng)
    problems = []
    try:
        seen = look(data)
        problems += [
            p
            for p in wrong(before, seen)
            if not (p.startswith("refused") and ("repair" in p or "There is no journal" in p))
        ]
        report, _ = mended(data)
        follow_once(data)
        after = look(data)
        lost = report.lost if report else []
        again = set(report.files) if report else set()
        if not again:
            problems += [f"after mending: {p}" for p in wrong(before, after, [*lost, *after.damages])]
        if after.damages:
            problems.append(f"after mending: still damaged: {after.damages[0].sentence}")
    except HartslagError as e:
        problems.append(f"refused: {e}")
    except Exception as e:  # noqa: BLE001 - a traceback is what must never be seen
        import traceback

        problems.append(f"{type(e).__name__}: {e}\n{''.join(traceback.format_exc()[-1500:])}")
    return what, problems


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("times", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    kinds, bad = Counter[str](), Counter[str]()
    with quiet(), tempfile.TemporaryDirectory() as folder:
        pristine = Path(folder) / "pristine"
        household_of_all_kinds(pristine)
        before = look(pristine)
        for i in range(chosen.times):
            rng = random.Random(f"{chosen.seed} {i}")
            name = chosen.only or list(DAMAGES)[i % len(DAMAGES)]
            data = Path(folder) / f"try{i}"
            what, problems = try_damage(pristine, before, data, DAMAGES[name], rng)
            kinds[name] += 1
            if problems:
                bad[name] += 1
                print(f"{i} {name} {what}:", *problems, sep="\n    ", flush=True)
                if chosen.keep:
                    shutil.copytree(data, chosen.keep / f"{chosen.seed}-{i}", dirs_exist_ok=True)
            shutil.rmtree(data)
    for name, n in kinds.items():
        print(f"{name}: {n} tried, {bad[name]} not as it should be")


if __name__ == "__main__":
    main()
