"""Two sensors on one heart whose clocks disagree."""

from pathlib import Path

import numpy as np
import pytest

from ingest.settings.model import Settings
from ingest.verbs.clock_offsets import clock_offsets
from ingest.verbs.explain import explanation_lines
from ingest.verbs.explain_subject import parse_subject
from ingest.verbs.explanation import explain
from ingest.verbs.status import status_lines
from ingest.verbs.status_answer import status
from ingest.verbs.terminal import PIPE
from tests.support.households import Recording, S, at, household

START = at("2026-11-16T10:00+01:00")


def heart(source: str, kind: str, ahead_s: int, *, start: int = START, seed: int = 1) -> Recording:
    """Twenty minutes of effort that comes and goes, by a clock so many seconds ahead."""
    t = np.arange(1200)
    bpm = 110 + 25 * np.sin(t / 60) + np.random.default_rng(seed).integers(-1, 2, 1200)
    samples = tuple((start + (i + ahead_s) * S, int(b)) for i, b in zip(t.tolist(), bpm, strict=True))
    return Recording("Jan", source, kind, samples, samples[-1][0] + S)


@pytest.mark.parametrize(("strap_s", "watch_s"), [(0, 30), (0, -30), (20, -20)])
def test_a_clock_that_is_off_is_named(strap_s: int, watch_s: int, tmp_path: Path) -> None:
    """An owner reads which of two sensors is ahead, by how much and when; and nothing is shifted."""
    with household(
        tmp_path, [heart("chest", "strap", strap_s), heart("watch", "activity", watch_s)]
    ) as journal:
        (found,) = clock_offsets(journal)
        settings = Settings(tmp_path)
        words = list(status_lines(PIPE, settings, journal, status(settings, journal, []), frozenset()))
        told_of_day = list(explanation_lines(explain(journal, parse_subject(journal, "2026-11-16", None))))
    ahead, behind = ("watch", "chest") if watch_s > strap_s else ("chest", "watch")
    assert (found.ahead, found.behind, found.seconds) == (ahead, behind, abs(watch_s - strap_s))
    assert f"The clock of {ahead} is {found.seconds} s ahead of that of {behind}" in found.sentence
    named = {"chest": "Strap", "watch": "Watch of an unknown maker"}
    told = f"The clock of {named[ahead]} is {found.seconds} s ahead of that of {named[behind]} (Jan, "
    assert any(told in line for line in words)
    assert any(found.sentence in line for line in told_of_day)


def test_clocks_that_agree_are_not_spoken_of(tmp_path: Path) -> None:
    """A wrist that is two seconds late is no wrong clock, and somebody else's heart is not compared."""
    with household(tmp_path, [heart("chest", "strap", 0), heart("watch", "activity", 2)]) as journal:
        assert clock_offsets(journal) == []


def test_the_newest_stretch_decides(tmp_path: Path) -> None:
    """Who has set the clock right is not told of it for ever."""
    later = START + 86_400_000
    recorded = [
        heart("chest", "strap", 0),
        heart("watch", "activity", 30),
        heart("chest", "strap", 0, start=later, seed=2),
        heart("watch", "activity", 0, start=later, seed=2),
    ]
    with household(tmp_path, recorded) as journal:
        assert clock_offsets(journal) == []
