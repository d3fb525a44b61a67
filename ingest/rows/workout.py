"""Workouts as files tell of them: the one place that finds them, whoever needs to know."""

from collections.abc import Iterable

from ingest.formats.recording import LONGEST_SESSION_MS
from ingest.journal import ALWAYS_MS, Entry, Journal
from zones.spans import Spans


def find_workouts(
    journal: Journal, person: int, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
) -> list[Entry]:
    """The workouts of a person that lie in [start, end) at least in part, in order of their starts.

    Entries `session` of the journal, from `at_ms` to `last_ms`; one without length counts where it starts. Of two with
    one key (source and start) the one that came in later is the workout: it corrects the other, as in the store's row.
    """
    entries = journal.facts(person, "session", max(start_ms - LONGEST_SESSION_MS, -ALWAYS_MS), end_ms)
    # By key first and by time then: what corrects a workout may no longer reach into the span.
    latest = {(e.content["source"], e.at_ms): e for e in entries if e.last_ms is not None}
    return sorted(
        (e for e in latest.values() if workout_end_ms(e) > start_ms or e.at_ms >= start_ms), key=_order
    )


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
