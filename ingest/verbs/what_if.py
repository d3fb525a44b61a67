"""The same weeks under other methods or limits, side by side; nothing is written down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingest.journal import Journal, Person
from ingest.language import gettext as _
from ingest.language import number_text, said
from ingest.rows.profile import Profile, build_profile
from ingest.rows.week import count_week
from ingest.settings.mistakes import mistakes_in
from ingest.settings.profile_history import NEEDS, NUMBERS, ProfileState, mistakes, profile_states
from ingest.verbs.week_answer import WeekAnswer, answer_of
from ingest.verbs.week_words import not_judged_text
from zones.dose import full_minutes

NOT_OF_A_PROFILE = ("bout_min", "target_min")
"""Keys that are no part of a profile but may be asked about too."""

KEYS = ("method", *NUMBERS, *NOT_OF_A_PROFILE)


@dataclass(frozen=True, slots=True)
class HypotheticalWeek:
    """A week of a person as it would be if something else held."""

    question: str
    answer: WeekAnswer

    def json(self) -> dict[str, Any]:
        return {"what_if": self.question, **self.answer.json()}


def parse_question(text: str) -> dict[str, Any]:
    """The keys and values of `method=reserve,resting_bpm=60`.

    Raises ValueError with a sentence for anything else.
    """
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or key not in KEYS:
            raise ValueError(f"{part.strip()!r} is none of {', '.join(f'{k}=...' for k in KEYS)}")
        found[key] = int(value) if value.lstrip("-").isdecimal() else value
    entry = {k: v for k, v in found.items() if k not in {*NOT_OF_A_PROFILE, "born"}}
    person = {k: v for k, v in found.items() if k in {*NOT_OF_A_PROFILE, "born"}}
    wrong = mistakes_in("person.profile", {"from": date(2000, 1, 1), **entry})
    wrong += mistakes_in("person", {"name": "me", "zone": "UTC", **person})
    if wrong:
        raise ValueError("; ".join(wrong))
    return found


def hypothetical_weeks(
    journal: Journal, rows: Sequence[WeekAnswer], questions: Sequence[str], now_ms: int
) -> list[list[HypotheticalWeek]]:
    """For each week that is shown, what it would be under each of the questions.

    Raises ValueError with a sentence where a question cannot be answered.
    """
    persons = {p.name: p for p in journal.persons()}
    profiles = {
        (name, text): hypothetical_profile(journal, persons[name], text, now_ms)
        for name in {row.person for row in rows}
        for text in questions
    }
    return [
        [
            HypotheticalWeek(
                text,
                answer_of(
                    count_week(journal, persons[row.person], profiles[row.person, text], row.first), now_ms
                ),
            )
            for text in questions
        ]
        for row in rows
    ]


def hypothetical_profile(journal: Journal, person: Person, text: str, now_ms: int) -> Profile:
    """The profile of a person if something held from the beginning instead of what was said of their heart.

    Numbers that the question leaves out are those in force now.
    """
    asked = parse_question(text)
    facts = journal.profile(person.id) or {}
    limits = journal.facts(person.id, "limits")
    if "target_min" in asked:  # instead of every target that was said, as of everything else
        facts = {key: value for key, value in facts.items() if key not in {"target", "plan"}}
    facts = {**facts, **{key: asked.pop(key) for key in NOT_OF_A_PROFILE if key in asked}}
    if not asked:
        return build_profile(facts, limits)
    state = _state_now(profile_states(facts), build_profile(facts, limits), now_ms)
    numbers = {**state.numbers, **asked}
    if not {"method", "moderate_bpm"} & asked.keys() and "maximum_bpm" in asked:
        # Another maximum alone: by the method that uses one.
        numbers["method"] = "reserve" if state.method == "reserve" else "max"
    method = numbers.get("method") or ("bpm" if "moderate_bpm" in asked else state.method)
    if method in {"max", "reserve"} and numbers.get("maximum_bpm") is None:
        maximum = build_profile(facts, limits).heart_at(now_ms)[1]
        numbers |= {} if maximum is None else {"maximum_bpm": maximum}
    entry = {"from": "2000-01-01", **{k: v for k, v in numbers.items() if k != "born"}, "method": method}
    wrong = [why for _, why in mistakes({"born": numbers.get("born"), "profile": [entry]})]
    if method == "age" and state.medicine:
        wrong += [
            why for _, why in mistakes({"born": 2000, "profile": [{**entry, "limiting_medicine": True}]})
        ]
    if method is not None and wrong:
        example = ",".join(f"{key}=..." for key in NEEDS[method])
        raise ValueError(f"{'; '.join(wrong)}. For instance: method={method},{example}")
    born = {"born": numbers["born"]} if numbers.get("born") else {}
    return build_profile({**facts, **born, "what_if": {**numbers, "method": method}}, limits)


def _state_now(found: Sequence[ProfileState], profile: Profile, now_ms: int) -> ProfileState:
    """The state in force today."""
    today = profile.calendar.day_of(now_ms)
    return [s for s in found if s.since is None or s.since <= today][-1]


def what_if_json(
    rows: Sequence[WeekAnswer], answers: Sequence[Sequence[HypotheticalWeek]]
) -> list[dict[str, Any]]:
    """What `week --what-if ... --json` prints."""
    return [
        {**row.json(), "what_if": [other.json() for other in hypothetical]}
        for row, hypothetical in zip(rows, answers, strict=True)
    ]


def what_if_lines(rows: Sequence[WeekAnswer], answers: Sequence[Sequence[HypotheticalWeek]]) -> Iterator[str]:
    """The weeks in plain lines, each as it is and as it would be."""
    if not rows:
        yield _("Nothing is measured yet, so nothing would be different.")
        return
    yield _("The same weeks under other limits. Asking changes nothing.")
    as_it_is = _("as it is")
    width = max(len(text) for text in [as_it_is, *(other.question for others in answers for other in others)])
    for row, weeks in zip(rows, answers, strict=True):
        yield ""
        yield _("{person}, {week}{not_judged}: measured {hours} h").format(
            person=row.person,
            week=row.week,
            not_judged=not_judged_text(row),
            hours=number_text(row.measured_min / 60, 1),
        )
        for heading, answer in [(as_it_is, row), *((other.question, other.answer) for other in weeks)]:
            yield f"  {heading:<{width}}  {_dose_text(answer)}"
            edges = "; ".join(
                _("from {moderate} and {vigorous} bpm, {origin}").format(
                    moderate=e.moderate_bpm, vigorous=e.vigorous_bpm, origin=said(e.origin)
                )
                for _begins, e in answer.edges
            )
            limits = edges or _("limits unknown")
            yield f"  {'':<{width}}         {limits}"


def _dose_text(answer: WeekAnswer) -> str:
    if answer.not_judged is not None:
        text = _("{dose} min = moderate {moderate} + 2 x vigorous {vigorous}")
    else:
        text = _("{dose} of {target} min = moderate {moderate} + 2 x vigorous {vigorous}")
    return text.format(
        dose=f"{answer.full_minutes:>5}",
        target=f"{answer.target_min:.0f}",
        moderate=full_minutes(answer.moderate_min),
        vigorous=full_minutes(answer.vigorous_min),
    )
