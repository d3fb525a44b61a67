"""What counting costs: minutes and zones of a year, and minutes of a household, each beside what it is measured by.

Run as `python -m tests.bench.zones`; prints one table in Markdown. Every row is the best of a few runs in one process, in seconds of one core.
"""

from collections.abc import Callable
from time import process_time
from types import SimpleNamespace
from typing import Any

import numpy as np

from zones.edges import Edges, Timeline
from zones.minutes import tabulate_minutes
from zones.pieces import hold, resolve

YEAR = 31_536_000  # seconds
DAY_MS = 86_400_000
EDGES, LONGEST = (109, 131), 5
LINE = Timeline.of([(0, Edges.from_bpm(*EDGES))])


def best(work: Callable[[], Any], runs: int) -> float:
    """Seconds of one core in the run that took fewest: who else uses the machine makes no difference."""
    times = []
    for _ in range(runs):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def a_year(step: np.ndarray) -> Any:
    """A year of samples with these gaps and a heart that wanders over all zones."""
    rng = np.random.default_rng(1)
    bpm = np.clip(rng.normal(95, 20, len(step)), 40, 190).astype(np.uint8)
    return SimpleNamespace(times=np.cumsum(step).view("datetime64[ms]"), bpm=bpm)


def gaps(n: int, odd: float) -> np.ndarray:
    """One second each, but for a share of others up to forty seconds."""
    rng = np.random.default_rng(2)
    step = np.full(n, 1000)
    where = rng.integers(0, n, int(n * odd))
    step[where] = rng.integers(2, 40, len(where)) * 1000
    return step


def floor(year: Any) -> None:
    """Merely adding up both columns: what memory allows."""
    year.times.view(np.int64).sum()
    year.bpm.sum()


def in_minutes(year: Any) -> np.ndarray:
    """Seconds in zones as weeks count them: each day by itself, held, cut into minutes and classified."""
    t = year.times.view(np.int64)
    borders = np.arange(0, t[-1] + DAY_MS, DAY_MS, dtype=np.int64)
    sums = np.zeros(3)
    # The sample before a day reaches into it, and the one behind it ends the last.
    first, behind = np.searchsorted(t, borders)[:-1] - 1, np.searchsorted(t, borders)[1:] + 1
    for i, j, start in zip(np.maximum(first, 0).tolist(), behind.tolist(), borders.tolist(), strict=False):
        day = SimpleNamespace(times=year.times[i:j], bpm=year.bpm[i:j])
        found = tabulate_minutes(hold(day, LONGEST).clip(start, start + DAY_MS), LINE)
        sums += [column.sum() / 1000 for column in found.columns[:3]]
    return sums


def with_pandas(year: Any, *, on_the_second: bool) -> Any:
    """The same as people do it: on a grid of seconds, filled over gaps up to the cap, grouped by zone.

    Only samples that all lie on whole seconds, no two on one, may be filled without `last`.
    """
    import pandas as pd

    second = pd.Series(year.bpm, index=pd.DatetimeIndex(year.times)).resample("1s")
    grid = second.ffill(limit=LONGEST - 1) if on_the_second else second.last().ffill(limit=LONGEST - 1)
    counted = grid.groupby(pd.cut(grid, [0, *EDGES, 256], right=False), observed=False).count()
    return counted.to_numpy(np.float64)


def with_pandas_by_day(year: Any) -> Any:
    """The same to the millisecond at whatever times: a weight for each sample, grouped by zone, resampled by day."""
    import pandas as pd

    frame = pd.DataFrame({"bpm": year.bpm}, index=pd.DatetimeIndex(year.times))
    frame["s"] = frame.index.to_series().diff().shift(-1).dt.total_seconds().clip(upper=LONGEST)
    frame["zone"] = pd.cut(frame.bpm, [0, *EDGES, 256], right=False)
    return frame.groupby("zone", observed=False).s.resample("1D").sum().groupby("zone", observed=False).sum()


def with_searchsorted(year: Any) -> Any:
    """The same in three lines of numpy."""
    weights = np.minimum(np.diff(year.times.view(np.int64)), LONGEST * 1000)
    return np.bincount(np.searchsorted(EDGES, year.bpm[:-1], side="right"), weights, 3) / 1000


def household(days: int) -> Callable[[], Any]:
    """Minutes of a strap an hour a day and a watch all day, overlap resolved."""
    rng = np.random.default_rng(3)
    day = np.arange(days, dtype=np.int64)[:, None] * 86_400_000
    strap = (day + 36_000_000 + np.arange(3600, dtype=np.int64) * 1000).ravel()
    watch = (day + np.arange(1440, dtype=np.int64) * 60_000).ravel()
    line = Timeline.of([(0, Edges.from_maximum(175))])
    series = [
        SimpleNamespace(times=t.view("datetime64[ms]"), bpm=rng.integers(50, 180, len(t)).astype(np.uint8))
        for t in (strap, watch)
    ]
    return lambda: tabulate_minutes(
        resolve([hold(series[0], 5), hold(series[1], 90, source=1, counts=False)]), line
    )


def main() -> None:
    regular, usual, ragged = (a_year(gaps(YEAR, odd)) for odd in (0, 0.01, 0.1))
    jitter = a_year(np.random.default_rng(4).normal(1000, 20, YEAR).astype(np.int64))

    ours = in_minutes(usual)
    theirs = with_pandas(usual, on_the_second=True)
    by_day = with_pandas_by_day(usual).to_numpy()
    if max(np.abs(ours - theirs).max(), np.abs(ours - by_day).max()) > 1:  # the last sample's second
        raise SystemExit(f"ours {ours} and pandas {theirs} do not count the same")

    memory = best(lambda: floor(usual), 5)
    rows = [
        ("numpy adds up both columns (the floor)", memory),
        ("`tabulate_minutes`, one sample a second", best(lambda: in_minutes(regular), 2)),
        ("`tabulate_minutes`, 1 % other gaps", best(lambda: in_minutes(usual), 2)),
        ("`tabulate_minutes`, 10 % other gaps", best(lambda: in_minutes(ragged), 2)),
        ("`tabulate_minutes`, no two gaps alike", best(lambda: in_minutes(jitter), 2)),
        ("numpy in three lines, 1 % other gaps", best(lambda: with_searchsorted(usual), 2)),
        (
            "pandas groupby and resample, to the millisecond like ours",
            best(lambda: with_pandas_by_day(usual), 2),
        ),
        (
            "pandas resample and groupby, samples on whole seconds only",
            best(lambda: with_pandas(usual, on_the_second=True), 2),
        ),
        (
            "pandas resample and groupby, samples at any time",
            best(lambda: with_pandas(usual, on_the_second=False), 2),
        ),
    ]
    print(f"Minutes and zones of a year, {YEAR / 1e6:.1f} million samples, one core\n")
    print("| what | ms | million samples/s | x the floor |\n| --- | ---: | ---: | ---: |")
    for what, s in rows:
        print(f"| {what} | {s * 1e3:.0f} | {YEAR / s / 1e6:.0f} | {s / memory:.1f} |")
    exact, simple, general = (s / rows[2][1] for _, s in rows[-3:])
    print(
        f"\npandas takes {exact:.1f} times as long by day as we do minute by minute, to the millisecond at any time; on a grid"
        f" of seconds, of which it then says which zone each was in, {general:.1f} times. Where it may take for granted that"
        f" every sample lies on a second of its own, as no strap's does, {simple:.1f} times.\n"
    )

    days = 365
    s = best(household(days), 3)
    held = days * 5040
    print(
        f"Minutes of a year, strap an hour a day and watch all day: {s * 1e3:.0f} ms, {s / held * 1e9:.0f} ns a sample"
    )


if __name__ == "__main__":
    main()
