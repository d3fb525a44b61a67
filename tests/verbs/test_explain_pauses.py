"""Which pauses of a workout are believed is said where an owner asks why."""

import json
from pathlib import Path

from ingest.demo.fit_encoder import Fit
from tests.support.daemons import hartslag

START = 1_140_000_000
"""2026-02-14T11:40 in Amsterdam, in the FIT era."""


def test_pauses_are_explained(tmp_path: Path) -> None:
    """An owner reads which pauses counted, which did not, and what speaks for that; other programs find it, too."""
    ride = recorded(0, (0, 1800)).timer(START, start=False).timer(START + 1800, start=False)
    run = recorded(3600, (0, 300), (400, 1000)).timer(START + 3600, start=True)
    run.timer(START + 3900, start=False).timer(START + 4000, start=True).timer(START + 4600, start=False)
    (tmp_path / "ride.fit").write_bytes(ride.session(START, 1800, sport=2).done())
    (tmp_path / "run.fit").write_bytes(run.session(START + 3600, 1000, timer=900).done())
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nzone = "Europe/Amsterdam"\nmoderate_bpm = 105\nvigorous_bpm = 150\n'
    )
    assert hartslag("--data", data, "add", tmp_path / "ride.fit", tmp_path / "run.fit").returncode == 0
    words = hartslag("--data", data, "explain", "2026-02-14").stdout
    assert "pauses 0 s; its stops and starts tell 29 min 59 s, which is not believed:" in words
    assert "a stop or a start is missing, as its heart rate tells, and its own timer ran in it" in words
    assert (
        "pauses 1 min 40 s, as its stops and starts tell, and for so long its own timer stood still" in words
    )
    said = json.loads(hartslag("--data", data, "explain", "2026-02-14", "--json").stdout)["sessions"]
    assert [s["pauses"]["reading"] for s in said] == ["mended", "told"]


def recorded(begins: int, *stretches: tuple[int, int]) -> Fit:
    fit = Fit().file_id(4, serial=begins + 1, created=START + begins)
    for a, b in stretches:
        for second in range(a, b):
            fit.record(START + begins + second, 120 + second % 7)
    return fit
