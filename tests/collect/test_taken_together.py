"""Files that wait together are committed together: the same as one by one, whatever one of them is and whenever the power goes."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.collect.arrival import TOGETHER
from ingest.collect.arriving_file import Given
from ingest.collect.outcome import Onlooker, Outcome
from ingest.demo.fit_encoder import workout
from ingest.journal import Journal
from tests.collect.test_arrival import FIT, OTHER, START, House, lasting
from tests.support.archives import zipped

MIXED = {
    "run.fit": FIT,
    "again.fit": FIT,
    "other bytes.fit": workout(START, [100, 120, 140, 150], maximum=190),
    "half.fit": OTHER[: len(OTHER) - 3],
    "ride.fit": OTHER,
    "notes.txt": b"no FIT at all",
    "two.zip": zipped(
        ("a.fit", OTHER), ("b.fit", workout(START + 900_000, [130] * 60)), ("c.fit", b"broken")
    ),
    "walk.fit": workout(START + 800_000, [95] * 90),
}
"""What comes in on one day: copies, halves, better halves, and what is none."""


def given(house: House, names: list[str]) -> list[Given]:
    return [Given(house.inbox / name, name, "me") for name in names]


@pytest.mark.parametrize("seed", range(6))
def test_together_is_as_one_by_one(tmp_path: Path, seed: int) -> None:
    """Protects what a file is found to be: a copy, a better half, a name that is taken, of one that is committed with it too."""
    names = [*MIXED, "run.fit"]  # one is there twice: the second time it lies in the inbox no more
    random.Random(seed).shuffle(names)
    houses = [House(tmp_path / folder) for folder in ("alone", "together")]
    for house in houses:
        for name, content in MIXED.items():
            house.drop(name, content)
    alone, together = houses
    told = [next(iter(alone.arrivals.take_all([one]))) for one in given(alone, names)]
    found = list(together.arrivals.take_all(given(together, names)))
    assert [(one.name, done if isinstance(done, list) else type(done)) for one, done in found] == [
        (one.name, done if isinstance(done, list) else type(done)) for one, done in told
    ]
    for house in houses:
        house.arrivals.flush()
    assert lasting(together) == lasting(alone)
    assert together.files() == alone.files()
    for house in houses:
        house.close()


def test_nothing_is_told_before_all_of_it_is_on_the_card(tmp_path: Path) -> None:
    """Protects from "stored" that a power cut takes back: who is told of the first sees all of the group in the journal, and no more."""
    house = House(tmp_path / "data")
    names = [f"{i}.fit" for i in range(TOGETHER + 3)]
    held: list[int] = []

    def came(_: Outcome) -> None:
        with Journal(house.data / "journal" / "journal.db", create=False, readonly=True) as seen:
            held.append(len(seen.files()))
        assert len(list((house.data / "inbox").iterdir())) >= len(names) - len(held) + 1, "filed too early"

    for i, name in enumerate(names):
        house.drop(name, workout(START + i * 90_000, [100 + i] * 60))
    looked_on = [Given(house.inbox / name, name, "me", onlooker=Onlooker(came)) for name in names]
    assert len(list(house.arrivals.take_all(looked_on))) == len(names)
    assert held == [TOGETHER] * TOGETHER + [len(names)] * 3
    house.close()


def test_what_one_of_them_cannot_do_keeps_no_other_waiting(tmp_path: Path) -> None:
    """Protects the others from a file that fails within the commit: they are committed by themselves, and it is given with its reason."""
    house, calm = House(tmp_path / "data"), House(tmp_path / "calm")
    files = [
        Given(house.drop(name, content), name, "me", newcomer=newcomer)
        for name, content, newcomer in (
            ("a.fit", FIT, None),
            ("b.fit", OTHER, lambda: "\udc80"),  # no letter: the journal cannot write it
            ("c.fit", OTHER, None),
        )
    ]
    done = [
        outcomes if isinstance(outcomes, Exception) else outcomes[0].outcome
        for _, outcomes in house.arrivals.take_all(files)
    ]
    assert (done[0], done[2]) == ("stored", "stored")
    assert isinstance(done[1], UnicodeEncodeError)
    assert [p.name for p in house.inbox.iterdir()] == ["b.fit"]
    (house.inbox / "b.fit").unlink()
    for name, content in (("a.fit", FIT), ("c.fit", OTHER)):
        calm.take(name, content)
    assert lasting(house) == lasting(calm)
    assert house.files() == calm.files()
    for one in (house, calm):
        one.close()


KILLED = (
    "import sys; from pathlib import Path\n"
    "from tests.collect.test_taken_together import MIXED, House, given\n"
    "h = House(Path(sys.argv[1])); list(h.arrivals.take_all(given(h, list(MIXED)))); h.arrivals.flush()\n"
)


@pytest.mark.parametrize("which", [1, 4])
@pytest.mark.parametrize(
    "point", ["arrival read", "file begun", "file committed", "arrival moved", "arrival filed"]
)
def test_a_kill_among_many_leaves_nothing_half_done(tmp_path: Path, point: str, which: int) -> None:
    """After a real SIGKILL within, before or behind a commit of many the next start ends as an undisturbed run does."""
    calm, rough = House(tmp_path / "calm"), House(tmp_path / "rough")
    for house in (calm, rough):
        for name, content in MIXED.items():
            house.drop(name, content)
    list(calm.arrivals.take_all(given(calm, list(MIXED))))
    calm.arrivals.flush()
    rough.close()
    root = Path(__file__).parents[2]
    environment = {**os.environ, "HARTSLAG_CRASH_AT": f"{point}:{which}", "PYTHONPATH": str(root)}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(rough.data)], env=environment, cwd=root, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    again = House(rough.data)
    again.arrivals.finish(again.inbox)
    left = [name for name in MIXED if (again.inbox / name).exists()]
    list(again.arrivals.take_all(given(again, left)))
    again.arrivals.flush()
    assert lasting(again) == lasting(calm)
    assert again.files() == calm.files()
    for house in (calm, again):
        house.close()
