"""What stands on the page of a person: the numbers of `week --json`, in words, whatever anybody is called."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from ingest.journal import Person
from ingest.language import N_, Text, speak
from ingest.report.facts import ReportFacts
from ingest.report.page import page_html
from ingest.verbs.report_answer import report_facts
from ingest.verbs.week_answer import week_answers
from tests.support.grafana_homes import Homes
from tests.support.grafana_states import ANNA, STATES, ZONE, Event, Noted, State, weeks
from tests.support.households import at
from tests.support.made_up_days import Wearer

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "\u202eanna \u05d0\u05e0\u05d4",
    "{{ 7 * 7 }} %(x)s {person}",
    "W" * 200,
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    with Homes(tmp_path_factory.mktemp("homes")) as made:
        yield made


def facts_of(homes: Homes, state: State, names: dict[str, str] | None = None) -> ReportFacts:
    return report_facts(homes.journal(state), person_of(homes, state), 12, state.now_ms, names or {})


def person_of(homes: Homes, state: State) -> Person:
    return next(p for p in homes.journal(state).persons() if p.name == state.picked)


def words_of(page: str) -> str:
    """What is read of it."""
    body = page[page.index("<body>") :]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("name", STATES)
def test_the_numbers_are_those_of_week(homes: Homes, name: str) -> None:
    """Protects whoever compares the page with `hartslag week`: nothing is counted twice, so nothing can differ."""
    state = STATES[name]
    facts = facts_of(homes, state)
    answers = week_answers(homes.journal(state), [person_of(homes, state)], 13, state.now_ms)
    told = {
        (w.first, w.last): (w.moderate_min, w.vigorous_min, w.dose_min, w.measured_min, w.active_days)
        for w in facts.weeks
        if w.is_measured
    }
    since = min((w.first for w in facts.weeks), default=None)
    assert told == {
        (a.first, a.last): (a.moderate_min, a.vigorous_min, a.dose_min, a.measured_min, a.active_days)
        for a in answers
        if since is not None and a.first >= since
    }


def test_days_are_written_as_people_write_them(homes: Homes) -> None:
    """Protects whoever is handed the page: no date as a computer writes it, wherever the words come from."""
    speak("en")
    facts = facts_of(homes, STATES["a usual week"])
    origin = Text(N_("own limits, since {since}"), since=date(2026, 10, 16))
    facts = replace(facts, limits=[replace(facts.limits[0], origin=origin)])
    told = words_of(page_html(facts))
    assert "own limits, since 16 October 2026" in told
    assert re.findall(r"\d{4}-\d\d-\d\d", told) == []


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("name", STATES)
def test_a_page_is_small_and_needs_nothing(homes: Homes, name: str, language: str) -> None:
    """Protects a page that is mailed or opened years later: below 300 KB, no script, nothing fetched from anywhere."""
    speak(language)
    page = page_html(facts_of(homes, STATES[name]))
    assert len(page.encode()) < 300_000
    assert f'<html lang="{language}">' in page
    assert not re.search(r"<script|<link|<img|\son\w+=|https?://|url\((?!#)|@import| style=", page)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_are_only_names(homes: Homes, hostile: str) -> None:
    """Protects whoever opens the page: what a person or a sensor is called is shown, and nothing else comes of it."""
    state = STATES["a usual week"]
    sources = [s.name for s in homes.journal(state).sources(person_of(homes, state).id)]
    facts = facts_of(homes, state, dict.fromkeys(sources, hostile))
    page = page_html(facts)
    assert "<script" not in page
    assert "<img" not in page
    assert " ".join(hostile.split()) in words_of(page)


def test_ids_are_unique(homes: Homes) -> None:
    """Protects screen readers and drawings: a reference finds its own drawing, not the first of that id."""
    page = page_html(facts_of(homes, STATES["twelve years"]))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    labels = [name for names in re.findall(r'aria-labelledby="([^"]+)"', page) for name in names.split()]
    assert {*referred, *labels} <= set(ids)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first day", "Nothing is measured yet."),
        ("no limits known", "it is not set yet at which heart rate moderate movement begins"),
        ("week not judged", "On holiday at the sea, without the bicycle"),
        ("target met", "Yes: all of the last 4 weeks reached the target."),
        ("twelve years", "That cannot be said: only"),
        ("watch only", "Not shown to be enough: none of the last 4 weeks reached the target."),
    ],
)
def test_the_answer_is_in_words(homes: Homes, name: str, words: str) -> None:
    """Protects fresh eyes: in each state the top says how it stands, also that nothing can be said and why."""
    assert words in words_of(page_html(facts_of(homes, STATES[name])))


def test_nothing_measured_is_never_a_zero(homes: Homes) -> None:
    """Protects whoever could not wear a sensor: a week without limits or without data has words and no number."""
    page = page_html(facts_of(homes, STATES["no limits known"]))
    rows = [
        html.unescape(re.sub(r"<[^>]+>", " ", row)).split()
        for row in re.findall(r'<tr role="row"><th role="rowheader".*?</tr>', page, re.DOTALL)
    ]
    weeks = [row for row in rows if "known" in row and "limits" in row]
    assert len(weeks) == 3
    assert not any("0" in row for row in weeks)


def test_a_guess_by_age_says_how_far_it_may_be_off(homes: Homes) -> None:
    """Protects whoever takes minutes at their word whose limits are guessed: what they come to if the guess is off."""

    def events() -> Iterator[Event]:
        yield Noted(at("2026-09-30T20:00+02:00"), ANNA, {"born": 1978, "zone": ZONE})
        yield from weeks(Wearer(ANNA), date(2026, 10, 19), at("2026-11-16T08:00+01:00"), (40, 30))

    state = State("by age", at("2026-11-16T09:00+01:00"), events)
    facts = facts_of(homes, state)
    assert facts.guess is not None
    assert facts.mean_dose_min is not None
    assert facts.guess.if_lower_min > facts.mean_dose_min > facts.guess.if_higher_min > 0
    told = words_of(page_html(facts))
    assert "Estimated: the limits (moderate from 115, vigorous from 139 beats per minute)" in told
    assert f"becomes {facts.guess.if_lower_min:.0f} or {facts.guess.if_higher_min:.0f} minutes a week" in told


def test_colours_stand_out() -> None:
    """Protects who sees badly: text has 4.5 : 1 and shapes 3 : 1 beside the page, light and dark."""
    style = files("ingest.report").joinpath("page.css").read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w+)", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    )
    for colours in (light, {**light, **dark}):
        for page in (colours["paper"], colours["tint"]):
            assert min(_contrast(colours[name], page) for name in ("ink", "soft", "accent")) >= 4.5
        assert (
            min(_contrast(colours[name], colours["paper"]) for name in ("moderate", "vigorous", "measured"))
            >= 3
        )


def _contrast(one: str, other: str) -> float:
    """As WCAG 2.2 has it."""
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
