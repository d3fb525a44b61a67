"""An earlier commit and this tree side by side: whatever a user can do must give the same bytes.

    python -m tests.bench.side_by_side COMMIT

Both take in the same files (the shared recordings, and those of a made-up household) and the same notifications of straps,
each into a folder of its own, and answer the same questions: `export`, `week`, `explain`, `profile`, `check`, and every row of
the SQLite store. Then this tree takes over the folders that the earlier commit filled, and is asked once more. Prints a line
for each answer, and the first lines that differ; ends with 1 when any does.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.demo.fit_encoder import ERA, day, workout
from ingest.demo.past import happenings
from ingest.demo.story import Story
from ingest.demo.straps import robins_strap, sams_strap
from ingest.rows.table import TABLES

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "side-by-side"
RECORDINGS = Path(os.environ.get("HARTSLAG_FIT_FILES") or ROOT.parent / "shared" / "fit-files")
MONDAY = datetime(2026, 9, 14, tzinfo=UTC)
"""Weeks of made-up data begin here: over a clock change, a journey, a change of profile."""

SETTINGS = """\
[inbox]
settle_s = 0.2

[[person]]
name = "Robin"
born = 1978
zone = "Europe/Amsterdam"
sex = "man"
bout_min = 10
not_judged = ["2026-W41"]

[[person.profile]]
from = 2026-10-05
method = "reserve"
resting_bpm = 56
maximum_bpm = 178

[[person.sport]]
name = "hiking"
offset_bpm = -8

[[person.travel]]
from = 2026-10-10
to = 2026-10-15
zone = "Asia/Tokyo"

[person.plan]
from = 2026-09-14
targets_min = [60, 90, 120, 150]
weeks = 2

[[person]]
name = "Ada"
maximum_bpm = 171
zone = "America/New_York"
week_begins = "sunday"

[[person.pause]]
from = 2026-09-28
to = 2026-10-04
why = "holiday"
"""

STRAPS = """
import sys
from pathlib import Path
try:
    from tests.support import straps as shared
except ImportError:
    from tests import straps as shared
from ingest.collect import recorder as module
from ingest.journal import Journal
clock = shared.{clock}(ahead=int(sys.argv[2]))
path = Path(sys.argv[1])
earlier = hasattr(module, "Strapped")  # before connections were called so
recorder = module.Recorder(path, clock, **{"ring" if earlier else "on_commit": lambda: None})
owner_of = module.Strapped if earlier else module.StrapOwner
with Journal(path) as journal:
    for hour, person in enumerate(("Robin", "Ada", "Robin")):
        owner = owner_of(person, shared.ADA if person == "Ada" else shared.ADA[:-2] + "99")
        connection = recorder.listen(owner) if earlier else recorder.open_connection(owner)
        receive = connection.heard if earlier else connection.receive
        clock.on(1800_000)
        for i in range(2400):
            bpm = 95 + int(40 * (i % 1200) / 1200) + (i % 7) + 5 * hour
            contact = 0x06 if i % 400 < 390 else 0x04
            clock.on(1013)
            if i % 900 > 860:
                continue
            beats = b"" if i % 5 == 4 else (61440 // bpm + i % 11).to_bytes(2, "little")
            receive(bytes([contact | (0x10 if beats else 0), bpm]) + beats)
            if i % 5 == 0:
                recorder.commit(journal)
        connection.end()
        recorder.commit(journal)
"""


@dataclass(frozen=True)
class Program:
    """The program of one tree."""

    tree: Path

    def run(self, *words: str | Path) -> str:
        """All that a verb says, with its exit status; the folder's own name left out."""
        done = subprocess.run(
            [self.tree / ".venv" / "bin" / "python", "-m", "ingest", *map(str, words)],
            capture_output=True, text=True, cwd=self.tree, check=False,
            env={**os.environ, "TZ": "Europe/Amsterdam", "COLUMNS": "80"},
        )  # fmt: skip
        return f"{done.stdout}{done.stderr}exit {done.returncode}\n"

    def feed_straps(self, data: Path) -> None:
        """Notifications of two straps through the real recorder, by a clock that is set by hand."""
        python = self.tree / ".venv" / "bin" / "python"
        ahead = int((MONDAY + timedelta(days=16, hours=7)).timestamp() * 1000)
        names = (self.tree / "tests" / "support" / "straps.py").exists()
        shared = (self.tree / ("tests/support/straps.py" if names else "tests/straps.py")).read_text()
        (clock,) = re.findall(r"class (\w+):\n    \"\"\"Clocks that stand still", shared)
        script = STRAPS.replace("{clock}", clock)
        subprocess.run(
            [python, "-c", script, data / "journal" / "journal.db", str(ahead)], cwd=self.tree, check=True
        )


def made_up_files() -> Iterator[tuple[str, str, bytes]]:
    """Person, name and bytes of the household's files."""
    story = Story(MONDAY + timedelta(weeks=8, hours=-1), "Europe/Amsterdam", weeks=8)
    for of_day in happenings(story, (robins_strap("Robin"), sams_strap("Ada"))):
        for happening in of_day:
            for name, content in happening.files.items():
                yield "Robin", name, content
    for week in range(8):
        monday = MONDAY + timedelta(weeks=week)
        start = int((monday + timedelta(days=2, hours=22)).timestamp()) - ERA
        effort = [110 + (i // 30) % 45 for i in range(2400)]
        yield "Ada", f"{week} run.fit", workout(start, effort, sport=1, maximum=185)
        yield "Ada", f"{week} day.fit", day(start + 7200, [70 + i % 50 for i in range(900)])


def fill(program: Program, data: Path, files: Path) -> None:
    """A data folder with all that the household and its straps recorded."""
    data.mkdir(parents=True)
    (data / "hartslag.toml").write_text(SETTINGS)
    for person in ("Robin", "Ada"):
        program.run("--data", data, "add", "--person", person, files / person)
    program.feed_straps(data)
    program.run("--data", data, "rebuild")


def store_rows(data: Path) -> str:
    """Every row of the store, a line each; when a file came in is left out."""
    with closing(sqlite3.connect(data / "store" / "hartslag.db")) as db:
        lines = []
        for name, table in TABLES.items():
            columns = [*table.tags, *table.fields]
            for time, *row in db.execute(f"SELECT time, {', '.join(columns)} FROM {name} ORDER BY time"):
                moment = "" if name == "collector" and row[1] == "inbox" else time
                lines.append(f"{name} {moment} {row}")
    return "\n".join(sorted(lines)) + "\n"


def answers(program: Program, data: Path, persons: list[str]) -> Iterator[tuple[str, str]]:
    """What the program says of a folder: (question, answer)."""
    yield "store", store_rows(data)
    questions: list[list[str]] = [
        ["export", "--csv"],
        ["export"],
        ["check"],
        ["retry"],
        ["scan", "--seconds", "1"],
    ]
    for person in persons:
        questions += [
            ["week", person, "--weeks", "400", "--json"], ["week", person, "--weeks", "400"],
            ["week", person, "--what-if", "method=bpm,moderate_bpm=110,vigorous_bpm=130"],
            ["profile", person], ["profile", person, "--json"], ["profile", person, "--propose", "--json"],
            ["explain", "2026-W38", person], ["explain", "2026-W38", person, "--json"],
            ["explain", "2026-10-12", person, "--json"], ["explain", "2026-09-30", person],
            ["explain", "2026-10-25", person, "--json"], ["explain", "2026-09-16T12:10", person],
            ["explain", "2026-09-30T10:10", person, "--json"], ["export", "--person", person, "--from", "2026-10-12"],
        ]  # fmt: skip
    with closing(sqlite3.connect(data / "journal" / "journal.db")) as db:
        paths = [path for (path,) in db.execute("SELECT path FROM arrival ORDER BY id")]
    questions += [["explain", Path(path).name, *how] for path in paths[::4] for how in ([], ["--json"])]
    with ThreadPoolExecutor(os.cpu_count()) as together:
        for words, said in zip(
            questions, together.map(lambda w: program.run("--data", data, *w), questions), strict=True
        ):
            yield " ".join(words), _undated(said.replace(str(data), "DATA"))
    status = json.loads(program.run("--data", data, "status", "--json").rpartition("exit")[0])
    yield "status --json", json.dumps(_lasting(status), indent=1).replace(str(data), "DATA")


def _undated(said: str) -> str:
    """An answer without what goes by the minute at which it is asked: the newest week's rest, free room, when a file came."""
    said = re.sub(r'"not_measured_h": [\d.]+', '"not_measured_h": ...', said, count=2)
    return re.sub(r'("recorded": "|Room: )[^\n]*', r"\1...", said)


def _lasting(value: object) -> object:
    """What of `status` does not change with the minute at which it is asked, or with how things lie on the disk."""
    if isinstance(value, dict):
        passing = {"bytes", "received", "position", "recorded", "free_bytes", "age_s", "at"}
        return {k: _lasting(v) for k, v in value.items() if k not in passing}
    return [_lasting(v) for v in value] if isinstance(value, list) else value


def compare(title: str, old: dict[str, str], new: dict[str, str]) -> int:
    """Say for each answer whether it is the same; gives how many are not."""
    different = 0
    for question in {**old, **new}:
        one, other = old.get(question, ""), new.get(question, "")
        if one == other:
            print(f"same     {title}: {question} ({len(one)} bytes)")
            continue
        different += 1
        print(f"DIFFERS  {title}: {question}")
        lines = difflib.unified_diff(one.splitlines(), other.splitlines(), "before", "now", lineterm="", n=0)
        for line, _ in zip(lines, range(14), strict=False):
            print(f"         {line[:200]}")
    return different


def main() -> None:
    """Fill, ask and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", help="what this tree is held against")
    commit = parser.parse_args().commit
    tree = BUILD / "tree"
    shutil.rmtree(BUILD, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", ROOT, tree], check=True)
    subprocess.run(["git", "-C", tree, "checkout", "-q", commit], check=True)
    subprocess.run(["make", ".venv/run"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    files = BUILD / "files"
    for person, name, content in made_up_files():
        (files / person).mkdir(parents=True, exist_ok=True)
        (files / person / name).write_bytes(content)

    programs = {"before": Program(tree), "now": Program(ROOT)}
    said: dict[tuple[str, str], dict[str, str]] = {}
    for when, program in programs.items():
        household, recordings = BUILD / when / "household", BUILD / when / "recordings"
        fill(program, household, files)
        recordings.mkdir(parents=True)
        added = program.run("--data", recordings, "add", "--json", RECORDINGS)
        said[when, "recordings"] = {"add --json": added, **dict(answers(program, recordings, ["me"]))}
        said[when, "household"] = dict(answers(program, household, ["Robin", "Ada"]))
    different = sum(
        compare(what, said["before", what], said["now", what]) for what in ("recordings", "household")
    )
    for what, persons in (("recordings", ["me"]), ("household", ["Robin", "Ada"])):
        taken_over = BUILD / "taken over" / what
        shutil.copytree(BUILD / "before" / what, taken_over)
        programs["now"].run("--data", taken_over, "rebuild")
        now = dict(answers(programs["now"], taken_over, persons))
        before = {k: v for k, v in said["before", what].items() if k in now}
        different += compare(f"{what}, taken over", before, now)
    print(f"{different} answers differ.")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
