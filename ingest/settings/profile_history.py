"""What a person has said of their heart, and from when on: dated entries in, one state after the other out.

An entry says what is new; what it does not say stays as it was. Nothing here knows of watches, minutes or a clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

from ingest.language import N_
from ingest.language import gettext as _

METHODS = ("bpm", "max", "reserve", "threshold", "age")
"""Ways to find where moderate and vigorous begin, the best first."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "bpm": ("moderate_bpm", "vigorous_bpm"),
    "max": ("maximum_bpm",),
    "reserve": ("resting_bpm", "maximum_bpm"),
    "threshold": ("threshold_bpm", "sport"),
    "age": ("born",),
}
"""What a method cannot do without."""

NUMBERS = (
    "moderate_bpm",
    "vigorous_bpm",
    "maximum_bpm",
    "resting_bpm",
    "threshold_bpm",
    "sport",
    "formula",
    "born",
)

SIMPLE = ("moderate_bpm", "vigorous_bpm", "maximum_bpm", "born")
"""Those that may stand among the simple keys of a person, where "sport" is something else."""

FORMULAS = ("fox", "tanaka", "gellish", "nes", "gulati", "sydo-women", "sydo-men")
THRESHOLD_SPORTS = ("running", "cycling")

USUAL_FORMULA = "nes"
LEAST_RESERVE_BPM = 40


@dataclass(frozen=True, slots=True)
class ProfileState:
    """What holds from a day on (None: from the beginning).

    `method` is None where the person leaves it to the watch and to a guess. `method_since` is when the method or one
    of the numbers it needs was last said; `medicine_since` when a medicine began that limits the heart rate;
    `medicine_over` from when to when the last one lasted that has ended.
    """

    since: date | None
    method: str | None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    method_since: date | None = None
    medicine: bool = False
    medicine_since: date | None = None
    medicine_over: tuple[date, date] | None = None

    @property
    def missing(self) -> list[str]:
        """What the method needs and nobody has said."""
        return [key for key in NEEDS.get(self.method or "", ()) if self.numbers.get(key) is None]


def profile_states(facts: Mapping[str, Any]) -> list[ProfileState]:
    """One state for the simple keys, which hold from the beginning, and one for each dated entry, in order.

    Where it is asked what would be if, there is one state only.
    """
    if "what_if" in facts:
        said = facts["what_if"]
        return [ProfileState(None, said.get("method") or _implied(None, said), said)]
    numbers = {key: facts[key] for key in SIMPLE if facts.get(key) is not None}
    found = [ProfileState(None, _implied(None, numbers), numbers)]
    for entry in sorted(facts.get("profile", ()), key=lambda e: str(e["from"])):
        found.append(_then(found[-1], entry))
    return found


def _then(before: ProfileState, entry: Mapping[str, Any]) -> ProfileState:
    """The state after an entry."""
    since = day(entry["from"])
    said = {key: entry[key] for key in NUMBERS if entry.get(key) is not None}
    numbers = {**before.numbers, **said}
    method = entry.get("method") or _implied(before.method, said)
    asked = {*NEEDS.get(method or "", ()), *(("formula",) if method == "age" else ())}
    news = method != before.method or bool(entry.get("method")) or bool(asked & said.keys())
    medicine = before.medicine if entry.get("limiting_medicine") is None else entry["limiting_medicine"]
    return ProfileState(
        since,
        method,
        numbers,
        since if news else before.method_since,
        medicine,
        (before.medicine_since if before.medicine else since) if medicine else None,
        (before.medicine_since, since) if before.medicine_since and not medicine else before.medicine_over,
    )


def _implied(method: str | None, said: Mapping[str, Any]) -> str | None:
    """The method of an entry that names none: own limits if it has them, a maximum if there was nothing better."""
    if "moderate_bpm" in said:
        return "bpm"
    if "maximum_bpm" in said and method in {None, "age"}:
        return "max"
    return method


def day(text: str | date) -> date:
    """A date as the settings have it, or as the journal keeps it."""
    return text if isinstance(text, date) else date.fromisoformat(text)


# --- mistakes that show between entries -------------------------------------------------------------------

MEDICINE = N_(
    "a medicine that limits your heart rate makes formulas by age wrong, so none is used while limiting_medicine is "
    "true; give limits from an exercise test or from your physiotherapist (limiting_medicine = false ends it)"
)


def mistakes(facts: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong between the keys of a person: where, as (key, number of the entry, key), and why in words.

    Entries are numbered as they stand in `facts`.
    """
    yield from _wrong_profiles(facts)
    yield from _wrong_sports(facts)
    yield from _twice(facts, "target", lambda e: e["from"])
    yield from _wrong_spans(facts, "pause")
    yield from _wrong_spans(facts, "travel")
    plan = facts.get("plan")
    same = plan and [i for i, e in enumerate(facts.get("target", ())) if e["from"] == plan["from"]]
    if same:
        yield ("target", same[0], "from"), _("found the day on which the plan begins; keep one of the two")


def _wrong_profiles(facts: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    entries = list(facts.get("profile", ()))
    yield from _twice(facts, "profile", lambda e: e["from"])
    order = sorted(range(len(entries)), key=lambda i: str(entries[i]["from"]))
    for i, state in zip(order, profile_states(facts)[1:], strict=True):
        entry = entries[i]
        if entry.get("method") and state.missing:
            yield ("profile", i, "method"), _needs_more(str(state.method), state.missing)
        if entry.get("method") == "age" and state.medicine:
            yield ("profile", i, "method"), _('found "age", but {why}').format(why=_(MEDICINE))
        maximum, resting = state.numbers.get("maximum_bpm"), state.numbers.get("resting_bpm")
        if maximum is not None and resting is not None and maximum - resting < LEAST_RESERVE_BPM:
            key = "resting_bpm" if entry.get("resting_bpm") is not None else "maximum_bpm"
            if entry.get(key) is not None:
                words = _(
                    "found {found}; resting {resting} and maximum {maximum} lie less than {least} beats apart, "
                    "so one of them is something else"
                )
                yield (
                    ("profile", i, key),
                    words.format(found=entry[key], resting=resting, maximum=maximum, least=LEAST_RESERVE_BPM),
                )
        yield from ((("profile", i, key), why) for key, why in _beyond_the_heart(entry, state))


def _beyond_the_heart(entry: Mapping[str, Any], state: ProfileState) -> Iterator[tuple[str, str]]:
    """Limits that the heart they are of can never reach or never falls below, by what this entry and those before it say.

    It is told at the entry with which they no longer go together: a new maximum under a medicine, as a rule.
    """
    numbers = state.numbers
    asked = {"bpm": ("moderate_bpm", "vigorous_bpm"), "threshold": ("threshold_bpm",)}.get(
        state.method or "", ()
    )
    limits = {key: numbers[key] for key in asked if numbers.get(key) is not None}
    maximum, resting = numbers.get("maximum_bpm"), numbers.get("resting_bpm")
    if not limits or not {"method", "maximum_bpm", "resting_bpm", *limits} & _said_in(entry):
        return
    highest, lowest = max(limits, key=lambda k: limits[k]), min(limits, key=lambda k: limits[k])
    if maximum is not None and limits[highest] >= maximum:
        yield _told_at(entry, highest, "maximum_bpm", numbers, asked, is_more=True)
    elif resting is not None and limits[lowest] <= resting:
        yield _told_at(entry, lowest, "resting_bpm", numbers, asked, is_more=False)


def _told_at(
    entry: Mapping[str, Any],
    limit: str,
    bound: str,
    numbers: Mapping[str, Any],
    asked: tuple[str, ...],
    *,
    is_more: bool,
) -> tuple[str, str]:
    """At which key of an entry a limit is told to lie beyond a bound, and in which words."""
    if entry.get(limit) is not None:
        return limit, _found_beyond(entry[limit], bound, numbers[bound], is_more=is_more)
    key = next(k for k in (bound, "method", *entry) if k != "from" and entry.get(k) is not None)
    words = (
        _(
            "found {found}, but {limit} = {bpm} holds from then on, too, and is not less than {bound} = {most};"
            " give {asked} that fit in this entry"
        )
        if is_more
        else _(
            "found {found}, but {limit} = {bpm} holds from then on, too, and is not more than {bound} = {most};"
            " give {asked} that fit in this entry"
        )
    )
    told = words.format(
        found=entry[key],
        limit=limit,
        bpm=numbers[limit],
        bound=bound,
        most=numbers[bound],
        asked=_(" and ").join(asked),
    )
    return key, told


def _found_beyond(found: int, bound: str, bpm: int, *, is_more: bool) -> str:
    words = (
        _("found {found}; right would be less than {bound}, which is {bpm}")
        if is_more
        else _("found {found}; right would be more than {bound}, which is {bpm}")
    )
    return words.format(found=found, bound=bound, bpm=bpm)


def _said_in(entry: Mapping[str, Any]) -> set[str]:
    return {key for key, value in entry.items() if value is not None}


def _needs_more(method: str, missing: list[str]) -> str:
    if len(missing) == 1:
        return _('found "{method}", which also needs {one}').format(method=method, one=missing[0])
    return _('found "{method}", which also needs {one} and {other}').format(
        method=method, one=missing[0], other=missing[1]
    )


def vigorous_too_low(vigorous: int, moderate: int) -> str:
    """That vigorous cannot begin before moderate."""
    return _("found {found}; right would be more than moderate_bpm, which is {moderate_bpm}").format(
        found=vigorous, moderate_bpm=moderate
    )


LARGEST_OFFSET_BPM = 30
_LEAST_EDGE, _MOST_EDGE = 31, 230
_PERCENTAGES = {"moderate_bpm": (76, 0.5), "vigorous_bpm": (100, 0.6)}
"""The most that each limit is in per cent of a maximum, and the least share of a maximum that it can be in beats."""


def looks_like_percentage(key: str, limit: int, maximum: int | None) -> bool:
    """Whether a limit is the per cent of a guideline rather than beats, which would be those of somebody sitting.

    Medicines can bring a heart there, but then its maximum is low as well.
    """
    most, least_share = _PERCENTAGES[key]
    return limit <= most and (maximum is None or limit < least_share * maximum)


def percentage_words(limit: int) -> str:
    """That a limit looks like a percentage."""
    return _(
        "found {limit}; {limit} would be a heart rate of {limit}; limits are in beats per minute, "
        "not in percent (if a medicine keeps your heart this slow, give your maximum_bpm too)"
    ).format(limit=limit)


def _wrong_sports(facts: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield from _twice(facts, "sport", lambda e: (e["name"], e.get("from")))
    entries = list(facts.get("sport", ()))
    for i, entry in enumerate(entries):
        offset, moderate, vigorous = (entry.get(k) for k in ("offset_bpm", *_OWN))
        both = moderate is not None and vigorous is not None
        if (moderate is None) != (vigorous is None):
            absent = "moderate_bpm" if moderate is None else "vigorous_bpm"
            yield (
                ("sport", i, absent),
                _("missing; give both limits, moderate_bpm and vigorous_bpm, or neither"),
            )
        elif offset is None and not both:
            yield (
                ("sport", i, "offset_bpm"),
                _("missing; give it, or both moderate_bpm and vigorous_bpm, for this sport"),
            )
        elif both and vigorous <= moderate:
            yield ("sport", i, "vigorous_bpm"), vigorous_too_low(vigorous, moderate)
        else:
            found = (list(_wrong_in_sport(facts, i, state)) for state in _while_it_holds(facts, i))
            yield from next((wrong for wrong in found if wrong), [])


_OWN = ("moderate_bpm", "vigorous_bpm")


def _while_it_holds(facts: Mapping[str, Any], number: int) -> Iterator[ProfileState]:
    """What holds of a heart while an entry for a sport does, which lasts until the next one of that sport."""
    entry = facts["sport"][number]
    begins = _begins(entry)
    others = [_begins(e) for e in facts["sport"] if e["name"] == entry["name"]]
    ends = min((b for b in others if b > begins), default=date.max)
    states = profile_states(facts)
    for state, following in zip(states, [*states[1:], None], strict=True):
        until = following.since if following and following.since else date.max
        if (state.since or date.min) < ends and until > begins:
            yield state


def _begins(entry: Mapping[str, Any]) -> date:
    return day(entry["from"]) if entry.get("from") else date.min


def _wrong_in_sport(
    facts: Mapping[str, Any], number: int, state: ProfileState
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the limits for a sport while a state holds, by the same rules as for limits of all sports."""
    entry = facts["sport"][number]
    maximum, resting = (state.numbers.get(k) for k in ("maximum_bpm", "resting_bpm"))
    limits = {k: entry[k] for k in _OWN if entry.get(k) is not None}
    if not limits:
        words = _wrong_offset(entry["offset_bpm"], state)
        yield from [(("sport", number, "offset_bpm"), words)] if words else []
        return
    for key, limit in limits.items():
        if looks_like_percentage(key, limit, maximum):
            yield ("sport", number, key), percentage_words(limit)
    if maximum is not None and limits["vigorous_bpm"] >= maximum:
        yield _told_of_sport(facts, number, state, "vigorous_bpm", "maximum_bpm")
    elif resting is not None and limits["moderate_bpm"] <= resting:
        yield _told_of_sport(facts, number, state, "moderate_bpm", "resting_bpm")


def _wrong_offset(offset: int, state: ProfileState) -> str | None:
    """Why limits so many beats lower or higher are none, in words; None if they are, or depend on a device."""
    if state.method != "bpm" or state.missing:
        return None
    maximum, resting = (state.numbers.get(k) for k in ("maximum_bpm", "resting_bpm"))
    low, high = (state.numbers[k] + offset for k in _OWN)
    if low < _LEAST_EDGE or high > _MOST_EDGE:
        words = _(
            "found {offset}; with it the limits would be {low} and {high} beats, which is no heart rate"
        )
    elif maximum is not None and high >= maximum:
        words = _(
            "found {offset}; with it the limits would be {low} and {high} beats, and the second is not less than"
            " maximum_bpm = {maximum}"
        )
    elif resting is not None and low <= resting:
        words = _(
            "found {offset}; with it the limits would be {low} and {high} beats, and the first is not more than"
            " resting_bpm = {resting}"
        )
    else:
        return None
    return words.format(offset=offset, low=low, high=high, maximum=maximum, resting=resting)


def _told_of_sport(
    facts: Mapping[str, Any], number: int, state: ProfileState, limit: str, bound: str
) -> tuple[tuple[str | int, ...], str]:
    """At which entry it is told that a limit for a sport lies beyond a bound: at the later of the two, and in which words."""
    entry = facts["sport"][number]
    is_more = bound == "maximum_bpm"
    if state.since is None or state.since <= _begins(entry):
        return ("sport", number, limit), _found_beyond(
            entry[limit], bound, state.numbers[bound], is_more=is_more
        )
    at = next(i for i, e in enumerate(facts["profile"]) if day(e["from"]) == state.since)
    words = (
        _(
            "found {found}, but for the sport {sport} {limit} = {bpm} holds from then on, too, and is not less than that;"
            " give that sport an entry [[person.sport]] with from = {since} and limits that fit"
        )
        if is_more
        else _(
            "found {found}, but for the sport {sport} {limit} = {bpm} holds from then on, too, and is not more than that;"
            " give that sport an entry [[person.sport]] with from = {since} and limits that fit"
        )
    )
    told = words.format(
        found=state.numbers[bound],
        sport=f'"{entry["name"]}"',
        limit=limit,
        bpm=entry[limit],
        since=state.since,
    )
    return ("profile", at, bound), told


def _twice(facts: Mapping[str, Any], key: str, what: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """A mistake for each entry that begins when an earlier one of its sort does."""
    seen: dict[Any, int] = {}
    for i, entry in enumerate(facts.get(key, ())):
        if (first := seen.setdefault(what(entry), i)) != i:
            found = entry.get("from") or _("no date")
            words = _("found {found}, as number {number} has; keep one of the two")
            yield (key, i, "from"), words.format(found=found, number=first + 1)


def _wrong_spans(facts: Mapping[str, Any], key: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    entries = list(facts.get(key, ()))
    for i, entry in enumerate(entries):
        if entry.get("to") is not None and entry["to"] < entry["from"]:
            words = _("found {found}; right would be {begins} or later, the day it begins")
            yield (key, i, "to"), words.format(found=entry["to"], begins=entry["from"])
    order = sorted(range(len(entries)), key=lambda i: str(entries[i]["from"]))
    for a, b in pairwise(order):
        # Without an end it lasts until the next one.
        if entries[a]["from"] == entries[b]["from"] or (
            entries[a].get("to") is not None and entries[a]["to"] >= entries[b]["from"]
        ):
            words = _("found {found}, which lies within number {number}; let one end before the other begins")
            yield (key, b, "from"), words.format(found=entries[b]["from"], number=a + 1)
