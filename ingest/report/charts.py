"""The drawings of a page: weeks against the target with the hours that were measured, and the heart at rest.

Each is drawn twice, for a phone and for paper: text has the size it is read in, and is never shrunk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from math import ceil
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ingest.language import N_, date_text, number_text
from ingest.language import gettext as _
from ingest.report.facts import WEEK_HOURS, ReportFacts, WeekFacts
from ingest.report.svg import COLOURS, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MONTH = N_("MMM")

_BAR = 0.72
"""How much of a week's place its bar takes."""

_DIGITS_WIDTH = 2.0
"""Of a number of three digits and the space beside it, as a share of the height of letters."""

_HEADROOM = 1.12
"""The number above the highest bar, too, lies inside."""

_LEAST_PLACES = 8
"""A few weeks shall not fill the width: bars as wide as a thumb say nothing."""

_LEAST_DAYS = 4
"""With fewer days of a resting heart rate there is nothing to draw."""


@dataclass(frozen=True, slots=True)
class _Size:
    """In pixels as the page shows it; letters of `text` pixels."""

    name: str
    width: int
    text: float
    minutes: int
    """How high the panel of minutes is, the most important one."""

    def step(self, weeks: int) -> int:
        """Every how many weeks there is room for a number of three digits."""
        return ceil(_DIGITS_WIDTH * self.text * max(weeks, _LEAST_PLACES) / self.width)


SIZES = (_Size("narrow", 328, 12, 170), _Size("wide", 680, 12.5, 142))
"""A phone of 360 pixels less its margins; a page of paper less its margins."""


def week_charts(facts: ReportFacts, title: str, description: str) -> list[str]:
    """The weeks: their minutes against the target, and below them how many hours were measured."""
    return _both("weeks", title, description, lambda size: _draw_weeks(facts, size))


def resting_charts(facts: ReportFacts, title: str, description: str) -> list[str]:
    """The resting heart rate of each day, and the middle one of each week; none where there are too few."""
    if sum(len(week.resting_bpm) for week in facts.weeks) < _LEAST_DAYS:
        return []
    return _both("resting", title, description, lambda size: _draw_resting(facts, size))


def _both(name: str, title: str, description: str, draw: Callable[[_Size], "Figure"]) -> list[str]:
    return [svg_of(draw(size), f"{name}-{size.name}", title, description, size.name) for size in SIZES]


# --- weeks ---


def _draw_weeks(facts: ReportFacts, size: _Size) -> "Figure":
    titles, heights = [_("Hours measured, of 168")], [62]
    if facts.knows_limits:
        titles, heights = [_("Minutes a week"), *titles], [size.minutes, *heights]
    figure, panels = _panels(size, heights, titles)
    if facts.knows_limits:
        _draw_minutes(panels[0], facts, size)
    _draw_hours(panels[-1], facts, size)
    for axes in panels:
        axes.set_xlim(-0.5, max(len(facts.weeks), _LEAST_PLACES) - 0.5)
    _name_weeks(panels[-1], facts.weeks, size)
    return figure


def _draw_minutes(axes: "Axes", facts: ReportFacts, size: _Size) -> None:
    judged = [week.target_min for week in facts.weeks if week.not_judged is None]
    highest = max([1.0, *(week.dose_min for week in facts.weeks), *judged])
    axes.set_ylim(0, highest * _HEADROOM)
    for i, week in enumerate(facts.weeks):
        if not week.has_dose:
            _say_why_not(axes, i, week, highest, size)
            continue
        twice = 2 * week.vigorous_min
        for name, minutes, bottom in (
            ("moderate", week.moderate_min, 0.0),
            ("vigorous", twice, week.moderate_min),
        ):
            alpha = 1.0 if week.is_over else 0.45
            if week.not_judged is None:
                axes.bar(i, minutes, _BAR, bottom, color=COLOURS[name], alpha=alpha)
            if (week.not_judged is not None or not week.is_over) and minutes > 0.02 * highest:
                axes.bar(i, minutes, _BAR, bottom, fill=False, edgecolor=COLOURS[name], linewidth=1.5)
        if twice > 0.02 * highest and week.moderate_min:
            border = [week.moderate_min] * 2
            axes.plot([i - _BAR / 2, i + _BAR / 2], border, color=COLOURS["paper"], linewidth=1.5)
        if size.step(len(facts.weeks)) == 1:
            _write_dose(axes, i, week, highest, size)
    axes.plot([-0.5, len(facts.weeks) - 0.5], [0, 0], color=COLOURS["soft"], linewidth=1)
    _draw_target(axes, facts)


def _write_dose(axes: "Axes", i: int, week: WeekFacts, highest: float, size: _Size) -> None:
    """Above the bar; within it where it would seem to lie above the target."""
    number = number_text(week.full_minutes)
    if _is_close(week, highest, size):
        box = {"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 1}
        _write(axes, i, week.dose_min - 0.03 * highest, number, size, va="top", bbox=box)
    else:
        _write(axes, i, week.dose_min + 0.015 * highest, number, size)


def _is_close(week: WeekFacts, highest: float, size: _Size) -> bool:
    """Whether the number above a bar would lie on the line of the target."""
    letters = 1.35 * size.text / size.minutes * _HEADROOM * highest
    return week.not_judged is None and -letters < week.dose_min - week.target_min < 0


def _draw_target(axes: "Axes", facts: ReportFacts) -> None:
    """A line above each stretch of weeks that are held against one target."""
    aims = [(i, week.target_min if week.not_judged is None else None) for i, week in enumerate(facts.weeks)]
    for target, stretch in groupby(aims, key=itemgetter(1)):
        if target is not None:
            places = [i for i, _target in stretch]
            axes.plot(
                [places[0] - 0.5, places[-1] + 0.5],
                [target] * 2,
                color=COLOURS["ink"],
                linewidth=1.6,
                linestyle=(0, (4, 2.2)),
            )


def _say_why_not(axes: "Axes", i: int, week: WeekFacts, highest: float, size: _Size) -> None:
    why = _("no limits") if week.is_measured else _("not measured")
    _write(axes, i, 0.03 * highest, why, size, rotation=90, color=COLOURS["soft"])


def _draw_hours(axes: "Axes", facts: ReportFacts, size: _Size) -> None:
    axes.set_ylim(0, WEEK_HOURS * 1.4)
    for i, week in enumerate(facts.weeks):
        gone_h = WEEK_HOURS if week.is_over else week.measured_h + week.not_measured_h
        axes.bar(i, gone_h, _BAR, color=COLOURS["grid"])
        if gone_h < WEEK_HOURS:
            to_come_h = WEEK_HOURS - gone_h
            axes.bar(i, to_come_h, _BAR, gone_h, fill=False, edgecolor=COLOURS["grid"], linewidth=1)
        axes.bar(i, week.measured_h, _BAR, color=COLOURS["measured"])
        if size.step(len(facts.weeks)) == 1:
            _write(axes, i, WEEK_HOURS * 1.04, number_text(week.measured_h), size)


def _name_weeks(axes: "Axes", weeks: Sequence[WeekFacts], size: _Size, middle: float = 0.0) -> None:
    """Their first days below, as many as there is room for; the month where it changes. `middle` is that of the first week."""
    step = size.step(len(weeks))
    named: int | None = None
    for i, week in enumerate(weeks):
        # Where a week is narrower than its name the first and the last one stay inside.
        side = "center" if step == 1 else "left" if i == 0 else "right" if i == len(weeks) - 1 else "center"
        if i % step == 0:
            _below(axes, i + middle, number_text(week.first.day), size, 1, side)
        changes = i == 0 or weeks[i - 1].first.month != week.first.month
        if changes and (named is None or i - named >= 1.5 * step):
            _below(axes, i + middle, date_text(week.first, MONTH), size, 2, side)
            named = i


# --- the heart at rest ---


def _draw_resting(facts: ReportFacts, size: _Size) -> "Figure":
    days = [(day, bpm) for week in facts.weeks for day, bpm in week.resting_bpm]
    first = facts.weeks[0].first
    figure, (axes,) = _panels(size, [70], [], left=30)
    axes.scatter(
        [(day - first).days / 7 for day, _bpm in days],
        [bpm for _day, bpm in days],
        s=9,
        color=COLOURS["measured"],
        linewidths=0,
    )
    for i, week in enumerate(facts.weeks):
        if week.resting is not None:
            axes.plot([i - 0.04, i + 0.9], [week.resting] * 2, color=COLOURS["ink"], linewidth=2.4)
    low, high = min(bpm for _day, bpm in days), max(bpm for _day, bpm in days)
    step = 5 if high - low < 25 else 10
    low, high = (low - 2) // step * step, -(-(high + 2) // step) * step
    axes.set_ylim(low, high)
    axes.set_xlim(-0.15, len(facts.weeks) + 0.05)
    for bpm in range(int(low), int(high) + 1, step):
        axes.axhline(bpm, color=COLOURS["grid"], linewidth=1, zorder=0)
        axes.annotate(
            number_text(bpm), (0, bpm), (-6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            ha="right", va="center", fontsize=size.text, color=COLOURS["soft"],
        )  # fmt: skip
    _name_weeks(axes, facts.weeks, size, 0.43)
    return figure


# --- what they share ---


def _panels(
    size: _Size, heights: Sequence[int], titles: Sequence[str], left: int = 2
) -> "tuple[Figure, list[Axes]]":
    """Panels above each other with their titles, without frames; below the last one is room for two lines."""
    from matplotlib.figure import Figure

    line = size.text * 1.35
    above = 1.5 * line if titles else 0.6 * line
    total = sum(heights) + len(heights) * above + 2.2 * line
    figure = Figure(figsize=(size.width / 72, total / 72), dpi=72)
    figure.patch.set_visible(False)
    panels, top = [], total
    for height, title in zip_longest(heights, titles):
        top -= above + height
        axes = figure.add_axes(
            (left / size.width, top / total, (size.width - left - 2) / size.width, height / total)
        )
        axes.set_axis_off()
        if title:
            axes.annotate(
                title, (0, 1), (-left, 0.25 * line), xycoords="axes fraction", textcoords="offset points",
                ha="left", va="bottom", fontsize=size.text, fontweight="bold", color=COLOURS["ink"],
            )  # fmt: skip
        panels.append(axes)
    return figure, panels


def _write(axes: "Axes", x: float, y: float, text: str, size: _Size, **more: Any) -> None:
    axes.text(
        x, y, text,
        **{"ha": "center", "va": "bottom", "fontsize": size.text, "color": COLOURS["ink"], **more},
    )  # fmt: skip


def _below(axes: "Axes", x: float, text: str, size: _Size, line: int, side: str) -> None:
    axes.annotate(
        text, (x, 0), (0, -3 - (line - 1) * 1.25 * size.text), xycoords=("data", "axes fraction"), textcoords="offset points",
        ha=side, va="top", fontsize=size.text, color=COLOURS["soft"],
    )  # fmt: skip
