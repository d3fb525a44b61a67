"""*This week* put to every store: in the words that a person reads it says what `week --json` says."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.support.grafana_panels import STORES, Board, Filled, Open, looking, the_only
from tests.support.grafana_stores import (
    ANNA,
    MEDICATED,
    NOW,
    ODD,
    PLACE,
    TARGET_MIN,
    UNLIMITED,
    WEEKS,
    WORN,
    week_ms,
)
from tests.support.grafana_words import text, words
from tests.support.households import HOUR, MINUTE, S
from zones.dose import full_minutes

Said = Mapping[str, Any]

each_store = pytest.mark.parametrize("store", STORES)
each_week = pytest.mark.parametrize("week", WEEKS)

NOT_MEANT = {"not judged": "no reason given", "april 2026": "holiday"}
"""The weeks of Anna that are not to be judged, and why."""


@pytest.fixture(scope="module")
def stores(filled: Filled) -> Open:
    return filled.stores


@pytest.fixture(scope="module")
def truth(filled: Filled) -> dict[tuple[str, str], dict[str, Any]]:
    return filled.truth


def as_shown(first_day: str) -> tuple[int, int]:
    """The range in which a week is shown: up to now, or up to its last millisecond."""
    start, end = week_ms(first_day)
    return start, min(end, NOW)


def board(stores: Open, store: str, person: str, span: tuple[int, int]) -> Board:
    return Board(stores[store], "week", looking(person, *span, now_ms=min(span[1], NOW)))


def in_dutch(stores: Open, store: str, person: str, span: tuple[int, int]) -> Board:
    looks = looking(person, *span, now_ms=min(span[1], NOW))
    return Board(stores[store], "week", looks, language="nl")


def whole(number: float) -> str:
    return text(number, {})


def answer(said: Said, *, running: bool) -> tuple[str, list[str]]:
    """What is to be read of a week: the answer, and the lines below it."""
    dose, target = full_minutes(said["dose_min"]), whole(said["target_min"])
    if not said["judged"]:
        return "Not judged", [said["not_judged_why"] or "no reason given"]
    if said["to_go_min"] == 0:
        return "✓ Enough", [f"{dose} min", f"of {target}"]
    done = whole(said["target_min"] - said["to_go_min"])
    gaps = [f"{whole(said['not_measured_h'])} h not measured"] if said["not_measured_h"] >= 0.5 else []
    if not running:
        return f"At least {done}" if gaps else f"{done} min", [f"of {target}", *gaps]
    left = said["days_left"]
    days = "today is the last day" if left == 1 else f"{left} days left"
    return f"{said['to_go_min']} to go", [f"{done} min so far", f"of {target}", days, *gaps]


@each_store
@each_week
def test_the_answer_is_what_hartslag_says(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects the one answer that matters, in the weeks that databases get wrong: whoever looks, it is the same."""
    first = WEEKS[week]
    said = truth[ANNA, first]
    shown = board(stores, store, ANNA, as_shown(first))
    assert (said["judged"], said["not_judged_why"] or "no reason given") == (
        week not in NOT_MEANT,
        NOT_MEANT.get(week, "no reason given"),
    )
    wanted, details = answer(said, running=week == "this week")
    assert shown.texts("Enough?") == [wanted]
    assert shown.texts("In numbers") == details
    parts = [
        f"{whole(said['moderate_min'])} min moderate",
        f"{whole(said['vigorous_min'])} min vigorous, counted twice",
        f"{said['active_days']} active days",
        f"{whole(said['measured_min'] / 60)} h measured",
    ]
    assert shown.texts("What it is made of") == [
        part for part in parts if part != "0 min vigorous, counted twice"
    ]
    assert shown.texts("Not counted") == [f"{whole(said['elevated_min'])} min raised without movement"]


DUTCH = {
    "✓ Enough": "✓ Genoeg",
    "Not judged": "Niet beoordeeld",
    "no reason given": "geen reden opgegeven",
    "today is the last day": "vandaag is de laatste dag",
    "At least {}": "Minstens {}",
    "of {}": "van {}",
    "{} to go": "Nog {}",
    "{} min so far": "{} min tot nu toe",
    "{} days left": "{} dagen te gaan",
    "{} h not measured": "{} uur niet gemeten",
    "{} min moderate": "{} min matig",
    "{} min vigorous, counted twice": "{} min zwaar, telt dubbel",
    "{} active days": "{} actieve dagen",
    "{} h measured": "{} uur gemeten",
    "{} min raised without movement": "{} min verhoogd zonder beweging",
}
"""What the lines of a week are in Dutch; one with neither is the same in both."""


def dutch(line: str) -> str:
    number = re.search(r"\d+", line)
    said = DUTCH.get(line.replace(number[0], "{}") if number else line, line)
    return said.format(number[0]) if number else said


@each_store
@each_week
def test_the_answer_is_the_same_in_dutch(stores: Open, store: str, week: str) -> None:
    """Protects a household that is spoken to in Dutch: the same numbers, in sentences of its language."""
    span = as_shown(WEEKS[week])
    english, other = board(stores, store, ANNA, span), in_dutch(stores, store, ANNA, span)
    for title in ("Enough?", "In numbers", "What it is made of", "Not counted"):
        assert other.texts(title) == [dutch(line) for line in english.texts(title)] != []
    first = date.fromisoformat(WEEKS[week])
    assert other.texts("Week of") == [f"{first.day}-{first.month}-{first.year}"]
    assert other.rows("How far") == english.rows("How far")
    moves, moves_in_dutch = (
        words(b.panels["Other weeks"], b.frames("Other weeks")) for b in (english, other)
    )
    assert [word.leads_to for word in moves] == [word.leads_to for word in moves_in_dutch]


def test_the_weeks_have_every_kind_of_answer(truth: Any) -> None:
    """Protects the tests around it: among the weeks some are met, some missed, one runs and two are not judged."""
    answers = [answer(truth[ANNA, first], running=name == "this week")[0] for name, first in WEEKS.items()]
    kinds = {a.rstrip("0123456789 ") for a in answers}
    assert {"✓ Enough", "At least", "Not judged"} <= kinds
    assert answers[-1].endswith("to go")


@each_store
@each_week
def test_the_bar_is_as_long_as_the_minutes(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects who sees a length and reads no number: done and to go are the target, more is what lies beyond it."""
    said = truth[ANNA, WEEKS[week]]
    shown = board(stores, store, ANNA, as_shown(WEEKS[week]))
    if not said["judged"]:
        assert shown.rows("How far") == {}
        return
    target, go = said["target_min"], said["to_go_min"]
    more = said["dose_min"] - target if go == 0 else 0
    bar = the_only(shown.rows("How far"))
    assert bar == pytest.approx({"Done": target - go, "To go": go, "Target": target / 60, "More": more})


@each_store
def test_unknown_limits_are_said_and_nothing_is_judged(stores: Open, store: str) -> None:
    """Protects a household that has not told the limits from "0 of 150": it is told the line to paste, or why not."""
    for person, lines in (
        (
            UNLIMITED,
            [
                "One line is missing below [[person]]",
                "in the settings: born = 1970",
                "with your own year of birth",
            ],
        ),
        (
            MEDICATED,
            [
                "Limits of your own are missing in",
                "[[person.profile]]: moderate_bpm",
                "and vigorous_bpm",
            ],
        ),
    ):
        for week in ("this week", "october 2026"):
            shown = board(stores, store, person, as_shown(WEEKS[week]))
            assert shown.texts("Enough?") == ["Not counted"]
            assert shown.texts("In numbers") == lines
            assert shown.rows("How far") == {}
            assert shown.texts("What it is made of") == ["20 min measured"]
            assert shown.texts("Not counted") == ["20 min while limits were not known"]
            days = shown.rows("So far, against an even pace")
            assert not any(days.values())


@each_store
def test_a_week_that_was_all_measured_is_not_at_least(stores: Open, truth: Any, store: str) -> None:
    """Protects the words "at least": where nothing can have been missed, the minutes are all there were."""
    said = truth[WORN, WEEKS["october 2026"]]
    shown = board(stores, store, WORN, week_ms(WEEKS["october 2026"]))
    assert shown.texts("Enough?") == [f"{said['dose_min']:.0f} min"]
    assert shown.texts("In numbers") == [f"of {said['target_min']:.0f}"]


@each_store
def test_a_week_without_anything_measured_says_so(stores: Open, store: str) -> None:
    """Protects Monday morning: words instead of an answer, whoever looks."""
    shown = board(stores, store, ODD, week_ms("2026-06-07"))
    assert shown.texts("Enough?") == ["Not measured"]
    assert shown.texts("In numbers") == ["Nothing measured this week"]
    assert shown.texts("Other weeks") == ["See History"]


def moments(first_day: str) -> Iterator[int]:
    """The first and the last moments of a week, those around each midnight and around each hour of its last night."""
    start, end = week_ms(first_day)
    first = date.fromisoformat(first_day)
    midnights = [
        round(datetime.combine(first + timedelta(days=i), datetime.min.time(), PLACE).timestamp() * 1000)
        for i in range(1, 7)
    ]
    around = {at + by for at in midnights for by in (-HOUR // 2, HOUR // 2)}
    around |= {midnights[-1] + i * HOUR + by for i in range(1, 5) for by in (-1, 0)}
    yield from sorted({start + S, end + 1 - HOUR // 2, end + 1 - 2 * S, end} | around)


@each_store
@pytest.mark.parametrize("week", ["october 2025", "march 2026", "this week"])
def test_one_answer_applies_at_any_moment_of_a_week(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects who looks at odd times: always one answer and the days that are left, also where the clocks change."""
    first = WEEKS[week]
    start, end = week_ms(first)
    said = truth[ANNA, first]
    for moment in moments(first):
        shown = board(stores, store, ANNA, (start, moment))
        (found,) = shown.texts("Enough?")
        today = datetime.fromtimestamp(moment / 1000, PLACE).date()
        so_far = {
            **said,
            "days_left": 7 - (today - date.fromisoformat(first)).days,
            "not_measured_h": (moment - start) / HOUR - said["measured_min"] / 60,
        }
        wanted, details = answer(so_far, running=moment < end)
        assert found == wanted, moment
        assert shown.texts("In numbers") == details, moment


@each_store
def test_a_week_of_sundays_has_its_days_left(stores: Open, truth: Any, store: str) -> None:
    """Protects households whose week begins on the day on which clocks change: days left are theirs."""
    first = "2026-10-25"
    start, _ = week_ms(first)
    assert truth[ODD, first]["to_go_min"] > 0
    for moment in list(moments(first))[1:]:
        shown = board(stores, store, ODD, (start, moment))
        today = datetime.fromtimestamp(moment / 1000, PLACE).date()
        left = 7 - (today - date.fromisoformat(first)).days
        if moment < week_ms(first)[1]:
            wanted = "today is the last day" if left == 1 else f"{left} days left"
            assert wanted in shown.texts("In numbers"), moment


@each_store
def test_the_week_is_found_where_grafanas_begins_later(stores: Open, store: str) -> None:
    """Protects who lives elsewhere, or begins the week with another day than the browser: the answer is there all week."""
    start, _ = week_ms(WEEKS["this week"])
    wanted = board(stores, store, ANNA, (start, NOW))
    for later in (start + HOUR, start + 30 * HOUR, NOW - HOUR):
        shown = board(stores, store, ANNA, (later, NOW))
        for title in ("In numbers", "What it is made of", "Other weeks"):
            assert shown.texts(title) == wanted.texts(title) != []


@each_store
@each_week
def test_other_weeks_are_whole_ones(stores: Open, store: str, week: str) -> None:
    """Protects the way to the neighbours: from their first to their last millisecond, also where clocks change."""
    first = date.fromisoformat(WEEKS[week])
    shown = board(stores, store, ANNA, as_shown(WEEKS[week]))
    uid = stores[store][0].uid
    found = words(shown.panels["Other weeks"], shown.frames("Other weeks"))
    neighbours = []
    for days in (-7, 7):
        start, end = week_ms((first + timedelta(days=days)).isoformat())
        neighbours.append([(f"/d/{uid}-week", {"from": str(start), "to": str(end)})])
    wanted = [("< The week before", neighbours[0])]
    if week != "this week":
        wanted = [
            ("This week", [(f"/d/{uid}-week", {"from": "now/w", "to": "now"})]),
            *wanted,
            ("The week after >", neighbours[1]),
        ]
    assert [(word.text, word.leads_to) for word in found] == wanted
    assert shown.texts("Week of") == [f"{first:%A} {first.day} {first:%B} {first:%Y}"]


@each_store
@each_week
def test_days_add_up_to_the_week(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects the bars by day: none is missing, none belongs to the neighbours, and a day with nothing has none."""
    said = truth[ANNA, WEEKS[week]]
    start, end = week_ms(WEEKS[week])
    shown = board(stores, store, ANNA, as_shown(WEEKS[week]))
    minutes = {at: row["Minutes"] for at, row in shown.rows("Minutes by day").items()}
    measured = {at: row["Measured"] for at, row in shown.rows("Hours measured by day").items()}
    assert sum(minutes.values()) == pytest.approx(said["dose_min"])
    assert sum(measured.values()) == pytest.approx(said["measured_min"] / 60)
    assert set(minutes) == set(measured)
    assert all(start <= at <= end and (at - start + HOUR) % (24 * HOUR) <= 2 * HOUR for at in minutes)
    assert all(hours > 0 for hours in measured.values())
    assert len(minutes) == {"this week": 3, "october 2026": 4}.get(week, 4)
    pace = shown.rows("So far, against an even pace")
    total = 0.0
    for at, dose in sorted(minutes.items()):
        total += dose
        assert pace[at]["So far"] == pytest.approx(total)
        nth = (at - start + 2 * HOUR) // (24 * HOUR) + 1
        assert pace[at].get("Even pace") == (pytest.approx(TARGET_MIN * nth / 7) if said["judged"] else None)


@each_store
def test_heart_rate_of_the_last_day_is_of_the_minutes(stores: Open, store: str) -> None:
    """Protects the curve below the answer: a mean for each minute that was worn, with the limits in force."""
    shown = board(stores, store, ANNA, as_shown(WEEKS["this week"]))
    rows = shown.rows("Heart rate, last 24 hours")
    worn = [row["Heart rate"] for at, row in rows.items() if at >= NOW - 41 * MINUTE and "Heart rate" in row]
    assert len(worn) == 41
    assert all(100 <= bpm < 160 for bpm in worn)
