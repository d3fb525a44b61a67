"""Workouts as files tell of them: the one place that finds them, whoever needs to know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from ingest.formats.recording import LONGEST_SESSION_MS, NEAR_S
from ingest.journal import ALWAYS_MS, Entry, Journal, Source
from ingest.sports import UNTOLD
from zones.spans import Spans

SAME = 0.75
"""Of the longer of two workouts, how much both must have in common to be two copies of one: a watch and a phone are started and
stopped within minutes of each other; a leg of a triathlon is less of the whole."""

_COPY_REACH_MS = LONGEST_SESSION_MS // 3
"""How much before or after a workout a copy of it may begin or end."""


WHOLE = "multisport"
"""What files call a workout of several sports, beside a workout for each of its legs."""


def find_workouts(
    journal: Journal, person: int, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
) -> list[Entry]:
    """The workouts of a person that lie in [start, end) at least in part, in order of their starts.

    Entries `session` of the journal, from `at_ms` to `last_ms`; one without length counts where it starts. Of two with
    one key (source and start) the longer one is the workout, and of two of one length that which came in later: the whole
    before a copy that was cut, as the samples of both count.
    Two copies of one workout, of a watch and of a phone, are one: the better source is believed, and `copies` in its
    content names the others. Of a workout of several sports the legs are the workouts, where its file tells them.
    """
    back_ms = LONGEST_SESSION_MS + _COPY_REACH_MS
    entries = journal.facts(
        person, "session", max(start_ms - back_ms, -ALWAYS_MS), min(end_ms + _COPY_REACH_MS, ALWAYS_MS)
    )
    # By key first and by time then: what corrects a workout may no longer reach into the span.
    longest: dict[tuple[str, int], Entry] = {}
    for e in sorted(_without_wholes([e for e in entries if e.last_ms is not None]), key=workout_end_ms):
        longest[e.content["source"], e.at_ms] = e
    each = _without_copies(journal, person, sorted(longest.values(), key=_order))
    return workouts_in(each, start_ms, end_ms)


def workouts_in(workouts: Iterable[Entry], start_ms: int, end_ms: int) -> list[Entry]:
    """Those of the workouts that lie in [start, end) at least in part; one without length where it starts."""
    return [e for e in workouts if e.at_ms < end_ms and (workout_end_ms(e) > start_ms or e.at_ms >= start_ms)]


def _without_wholes(entries: list[Entry]) -> list[Entry]:
    """The workouts without those that only hold their legs, before a first leg that begins with the whole is lost to it."""
    beside: dict[int | None, list[Entry]] = {}
    for e in entries:
        beside.setdefault(e.file, []).append(e)
    # By what they tell: another copy of the file may have lost some of the legs.
    several = [e for e in entries if e.file is not None and len(beside[e.file]) > 1]
    wholes = {_told(e) for e in several if _is_whole(e, beside[e.file])}
    return [e for e in entries if _told(e) not in wholes] if wholes else entries


def _told(workout: Entry) -> tuple[str, str | None, int, int]:
    return workout.content["source"], workout.content.get("sport"), workout.at_ms, workout_end_ms(workout)


def _is_whole(workout: Entry, beside: Iterable[Entry]) -> bool:
    """Whether the workouts beside it in its file are its legs, of other sports, make up nearly all of it, and tell what it does.

    Pieces of a run are no workouts of their own; a leg alone is told apart from a copy by the name of the whole.
    """
    near_ms, length_ms = int(NEAR_S * 1000), workout_end_ms(workout) - workout.at_ms
    named = workout.content.get("sport") == WHOLE
    legs = [
        e
        for e in beside
        if e.content["source"] == workout.content["source"]
        and e.content.get("sport") not in {WHOLE, workout.content.get("sport")}
        and e.at_ms >= workout.at_ms - near_ms
        and workout_end_ms(e) <= workout_end_ms(workout) + near_ms
    ]
    if not named and len({e.content.get("sport") for e in legs}) < 2:
        return False
    for name in ("bpm_mean", "bpm_max", "watch_s"):
        if workout.content.get(name) and not any(e.content.get(name) for e in legs):
            return False
    return bool(legs) and workout_spans(legs).measure_ms >= SAME * length_ms


def are_copies(one: Entry, other: Entry) -> bool:
    """Whether two workouts are so much at the same time that a person can have done only one.

    A device records one at a time: what lies within another of its files is a part of it, as of a file that was given a date.
    """
    common = min(workout_end_ms(one), workout_end_ms(other)) - max(one.at_ms, other.at_ms)
    shorter, longer = sorted(workout_end_ms(e) - e.at_ms for e in (one, other))
    one_device = one.content["source"] == other.content["source"] and one.file != other.file
    return common > 0 and (common >= SAME * longer or (one_device and common == shorter))


def _without_copies(journal: Journal, person: int, workouts: list[Entry]) -> list[Entry]:
    """The workouts in their order, of copies the best alone."""
    alike: dict[int, list[Entry]] = {}
    for one, other in _pairs(workouts):
        alike.setdefault(one.position, []).append(other)
        alike.setdefault(other.position, []).append(one)
    if not alike:
        return workouts
    sources = {s.name: s for s in journal.sources(person)}
    best: dict[int, list[Entry]] = {}
    copies: set[int] = set()
    for e in sorted((e for e in workouts if e.position in alike), key=partial(_trust, journal, sources)):
        if e.position not in copies:
            mine = [other for other in alike[e.position] if other.position not in copies | best.keys()]
            best[e.position] = mine
            copies.update(other.position for other in mine)
    return [_with_copies(e, best.get(e.position, [])) for e in workouts if e.position not in copies]


def _pairs(workouts: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Every two that are copies, of workouts in order of their starts."""
    for i, one in enumerate(workouts):
        for j in range(i + 1, len(workouts)):
            if workouts[j].at_ms >= workout_end_ms(one):
                break
            if are_copies(one, workouts[j]):
                yield one, workouts[j]


def _trust(
    journal: Journal, sources: Mapping[str, Source], workout: Entry
) -> tuple[bool, int, str, int, int]:
    """Which of several copies is believed first: one that recorded, by the rank of its source, as samples are, the whole before a part."""
    source = sources.get(workout.content["source"])
    recorded = source is not None and (
        workout.file is None or source.id in journal.recorded_by_file(workout.file)[1]
    )
    length_ms = workout_end_ms(workout) - workout.at_ms
    return (
        not recorded,
        source.rank if source else 0,
        workout.content["source"],
        -length_ms,
        workout.at_ms,
    )


def _with_copies(workout: Entry, others: list[Entry]) -> Entry:
    """A workout that names its copies; what its own file does not tell of it, theirs may."""
    if not others:
        return workout
    content = dict(workout.content)
    for other in others:
        if content.get("sport") in UNTOLD:
            content |= {name: other.content.get(name) for name in ("sport", "sub_sport")}
        content |= {
            name: other.content.get(name) for name in ("bpm_mean", "bpm_max") if content.get(name) is None
        }
    copies = list(dict.fromkeys(other.content["source"] for other in others))
    content["copies"] = [source for source in copies if source != content["source"]]
    return replace(workout, content=content)


def workout_end_ms(workout: Entry) -> int:
    """When a workout ended (ms)."""
    return workout.at_ms if workout.last_ms is None else workout.last_ms


def workout_spans(workouts: Iterable[Entry]) -> Spans:
    """When workouts were."""
    return Spans.pairs((e.at_ms, workout_end_ms(e)) for e in workouts)


def sport_spans(workouts: Iterable[Entry], sport: str) -> Spans:
    """When a sport was done."""
    return workout_spans(e for e in workouts if sport in {e.content.get("sport"), e.content.get("sub_sport")})


def _order(workout: Entry) -> tuple[int, int, str, str, str]:
    """The same order whichever came in first."""
    content = workout.content
    names = str(content.get("sub_sport")), str(content.get("sport")), str(content["source"])
    return workout.at_ms, workout_end_ms(workout), *names


def beside_workout(journal: Journal, person: int, first_ms: int, last_ms: int) -> list[Entry]:
    """The entries of workouts whose rows may be others' as one comes or goes from first to last: what overlaps it."""
    near = journal.facts(person, "session", max(first_ms - LONGEST_SESSION_MS, -ALWAYS_MS), last_ms + 1)
    return [e for e in near if workout_end_ms(e) > first_ms or e.at_ms >= first_ms]
