"""The watch's own seconds per zone beside ours, from the file to `status`."""

import json
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import Fit
from tests.support.daemons import hartslag

START = 1_100_000_000


def _judged_workout(watch_s: list[float]) -> bytes:
    """Ten minutes at 100, 130 and 150 bpm, a third each, with what the watch says it counted."""
    fit = Fit().file_id(4, created=START).timer(START, start=True)
    for i in range(600):
        fit.record(START + i, (100, 130, 150)[i // 200])
    fit.timer(START + 600, start=False)
    fit.time_in_zone(START + 600, seconds=watch_s, edges=[120, 140, 190])
    fit.session(START, 600)
    return fit.activity(START + 600, seconds=600).done()


@pytest.mark.parametrize(("watch_s", "deviation"), [([200, 200, 200, 0], 0.0), ([170, 230, 200, 0], 0.1)])
def test_status_shows_how_far_we_are_from_the_watch(
    watch_s: list[float], deviation: float, tmp_path: Path
) -> None:
    """An owner sees on every import whether our seconds are those of the watch: computed, kept and shown."""
    file = tmp_path / "run.fit"
    file.write_bytes(_judged_workout(watch_s))
    data = tmp_path / "data"
    assert hartslag("--data", data, "add", file).returncode == 0
    judge = json.loads(hartslag("--data", data, "status", "--json").stdout)["judge"]
    assert judge["workouts"] == 1
    assert judge["median_deviation"] == pytest.approx(deviation)
    said = hartslag("--data", data, "status").stdout
    assert ("we count as the watch does" in said) == (deviation == 0)
    assert ("we count 10 per cent in another zone than the watch" in said) == (deviation > 0)
    assert ("Worth knowing:" in said) == (deviation > 0), "what agrees is fine"
    dutch = hartslag("--data", data, "status", env={"LC_ALL": "nl_NL.UTF-8"}).stdout
    assert "de eigen zones van het horloge" in dutch
    assert "watch" not in dutch


def test_no_judge_without_a_claim(tmp_path: Path) -> None:
    """A watch that says nothing is not said to agree."""
    data = tmp_path / "data"
    file = tmp_path / "settings.fit"
    file.write_bytes(Fit().file_id(2).done())
    hartslag("--data", data, "add", file)
    assert json.loads(hartslag("--data", data, "status", "--json").stdout)["judge"] is None
