"""A better maximum or resting heart rate than the one in use, from a person's own data: proposed, never applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from ingest.journal import ALWAYS_MS, DAY_MS, RANKS, Journal, Person
from ingest.language import N_, Text, day_text, said
from ingest.language import gettext as _
from ingest.rows.evidence import read_evidence
from ingest.rows.profile import Profile, build_profile, read_profile
from ingest.settings.profile_history import profile_states
from zones.days import day_of, midnights
from zones.pieces import resolve
from zones.recovery import find_highest
from zones.resting import find_resting, find_usual_resting
from zones.spans import Spans

DAYS = 14
"""The newest days with a resting heart rate of which the median is taken: a fever or a bad night does not move it."""

AS_GOOD_BPM = 3
"""A resting rate nearer than this to the one in use is the same one: days differ by more."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A number that the data know better, why, and the lines to paste."""

    person: str
    today: date
    """Where the person is."""
    key: str
    bpm: int
    in_use: int | None
    evidence: Text
    lines: tuple[str, ...]
    leads_to: Text

    def json(self) -> dict[str, Any]:
        names = ("person", "key", "bpm", "in_use", "evidence", "leads_to")
        return {**{name: getattr(self, name) for name in names}, "lines": list(self.lines)}


def find_proposals(journal: Journal, person: Person, now_ms: int) -> list[Proposal]:
    """What is known better than what is in use; nothing is changed by it."""
    profile = read_profile(journal, person.id)
    today = profile.calendar.day_of(now_ms)
    state = [
        s for s in profile_states(journal.profile(person.id) or {}) if s.since is None or s.since <= today
    ][-1]
    since_ms = -ALWAYS_MS
    if state.medicine_since is not None:  # what a heart did without the medicine says nothing of it now
        since_ms = int(midnights(profile.zone, state.medicine_since, state.medicine_since)[0])
    at_rest, maximum, _ = profile.heart_at(now_ms)
    found = []
    best = _highest(journal, person, profile, since_ms, now_ms)
    if best is not None and maximum is not None and best[0] > maximum:
        bpm, day, source = best
        why = Text(
            N_(
                "the median of 15 samples reached {bpm} bpm on {day}, seen by {source}; in use is {maximum} bpm"
            ),
            bpm=bpm,
            day=day,
            source=source,
            maximum=maximum,
        )
        found.append(_proposal(journal, person, today, now_ms, "maximum_bpm", bpm, maximum, why))
    rest = _resting(journal, person, profile, since_ms, now_ms)
    if rest is not None and (at_rest is None or abs(rest[0] - at_rest) >= AS_GOOD_BPM):
        in_use = (
            Text(N_("none is in use")) if at_rest is None else Text(N_("in use is {bpm} bpm"), bpm=at_rest)
        )
        why = Text(N_("{why}; {in_use}"), why=rest[1], in_use=in_use)
        found.append(_proposal(journal, person, today, now_ms, "resting_bpm", rest[0], at_rest, why))
    return found


def _proposal(
    journal: Journal,
    person: Person,
    today: date,
    now_ms: int,
    key: str,
    bpm: int,
    in_use: int | None,
    why: Text,
) -> Proposal:
    facts = journal.profile(person.id) or {}
    limits = journal.facts(person.id, "limits")
    # An entry that begins today already gets the new number; there may be only one of a day.
    entries = [e for e in facts.get("profile", ()) if e["from"] != today.isoformat()]
    same = [e for e in facts.get("profile", ()) if e["from"] == today.isoformat()]
    entry = {"from": today.isoformat(), **(same[0] if same else {}), key: bpm}
    then = build_profile({**facts, "profile": [*entries, entry]}, limits).timeline.edges_at(now_ms)
    before = build_profile(facts, limits).timeline.edges_at(now_ms)
    lines = ("[[person.profile]]", f"from = {today}", f"{key} = {bpm}") if not same else (f"{key} = {bpm}",)
    if then is None:
        leads_to = Text(N_("limits stay unknown"))
    elif before is not None and (before.moderate_bpm, before.vigorous_bpm) == (
        then.moderate_bpm,
        then.vigorous_bpm,
    ):
        leads_to = Text(
            N_("limits stay {moderate} and {vigorous} bpm"),
            moderate=then.moderate_bpm,
            vigorous=then.vigorous_bpm,
        )
    else:
        words = (
            N_(
                "moderate would begin at {moderate}, vigorous at {vigorous} bpm (now {before} and {before_vigorous})"
            )
            if before
            else N_("moderate would begin at {moderate}, vigorous at {vigorous} bpm")
        )
        leads_to = Text(
            words,
            moderate=then.moderate_bpm,
            vigorous=then.vigorous_bpm,
            before=before and before.moderate_bpm,
            before_vigorous=before and before.vigorous_bpm,
        )
    return Proposal(person.name, today, key, bpm, in_use, why, lines, leads_to)


def _highest(
    journal: Journal, person: Person, profile: Profile, since_ms: int, now_ms: int
) -> tuple[int, date, str] | None:
    """The highest heart rate that a strap held and that is believed, with the day and the source; a wrist may count steps."""
    best: tuple[int, date, str] | None = None
    for day in _measured_days(journal, person, profile, since_ms, now_ms):
        begins, ends = _midnights(profile, day)
        start_ms = max(begins, since_ms)
        for e in read_evidence(journal, person.id, start_ms, ends):
            if e.source.rank > RANKS["activity strap"]:
                continue
            bpm = find_highest(e.good.between(np.datetime64(start_ms, "ms"), np.datetime64(ends, "ms")))
            if bpm is not None and (best is None or bpm > best[0]):
                best = bpm, day, e.source.name
    return best


def _measured_days(
    journal: Journal, person: Person, profile: Profile, since_ms: int, now_ms: int
) -> list[date]:
    """The local days between two moments with anything measured, ascending."""
    spans = np.array(journal.chunk_spans(person.id, since_ms, now_ms), np.int64).reshape(-1, 2)
    first = day_of(np.maximum(spans[:, 0], since_ms), profile.zone)
    last = day_of(np.minimum(spans[:, 1], now_ms), profile.zone)
    days = {day for a, b in zip(first.tolist(), last.tolist(), strict=True) for day in range(a, b + 1)}
    return [date.fromordinal(day) for day in sorted(days)]


def _midnights(profile: Profile, day: date) -> tuple[int, int]:
    """When a local day begins and ends."""
    begins, ends = midnights(profile.zone, day, day + timedelta(days=1)).tolist()
    return begins, ends


def _resting(
    journal: Journal, person: Person, profile: Profile, since_ms: int, now_ms: int
) -> tuple[int, Text] | None:
    """The usual resting heart rate of the newest days, by the watch's own word or else from its all-day files."""
    by_day = {
        profile.calendar.day_of(e.at_ms): float(e.content["resting_bpm"])
        for e in journal.facts(person.id, "claim", since_ms, now_ms)
        if e.content.get("resting_bpm")
    }
    words = N_(
        "the median of {days} days from {first} to {last} is {median} bpm (lowest {lowest}, highest {highest}), as the"
        " watch says"
    )
    if np.isnan(find_usual_resting(np.array(list(by_day.values()), dtype=np.float64))):
        by_day = _quietest(journal, person, profile, since_ms, now_ms)
        words = N_(
            "the median of {days} days from {first} to {last} is {median} bpm (lowest {lowest}, highest {highest}), as"
            " the all-day files show"
        )
    newest = sorted(by_day)[-DAYS:]
    bpm = np.array([by_day[day] for day in newest], dtype=np.float64)
    median = find_usual_resting(bpm)
    if np.isnan(median):
        return None
    return int(median + 0.5), Text(
        words,
        days=len(newest),
        first=newest[0],
        last=newest[-1],
        median=f"{median:g}",
        lowest=f"{bpm.min():.0f}",
        highest=f"{bpm.max():.0f}",
    )


def _quietest(
    journal: Journal, person: Person, profile: Profile, since_ms: int, now_ms: int
) -> dict[date, float]:
    """The resting heart rate of each of the newest days of an all-day watch that have one."""
    found: dict[date, float] = {}
    for day in _measured_days(journal, person, profile, since_ms, now_ms)[-3 * DAYS :]:
        a, b = _midnights(profile, day)
        pieces = [e.pieces for e in read_evidence(journal, person.id, a, b) if e.source.kind == "monitoring"]
        worked = [
            (e.at_ms, e.last_ms)
            for e in journal.facts(person.id, "session", a - DAY_MS, b)
            if e.last_ms is not None
        ]
        if pieces:
            lowest = find_resting(resolve(pieces), Spans.pairs(worked), np.array([a, b], dtype=np.int64))[0]
            if not np.isnan(lowest):
                found[day] = float(lowest)
    return found


def proposal_lines(person: str, found: list[Proposal], *, asked: bool = False) -> Iterator[str]:
    """The proposals in plain lines; what to paste only where it is not asked whether to write it."""
    if not found:
        yield _("{person}: nothing in the data is known better than what is in use.").format(person=person)
        return
    for p in found:
        words = (
            _("{person}: a maximum heart rate of {bpm} bpm.")
            if p.key == "maximum_bpm"
            else _("{person}: a resting heart rate of {bpm} bpm.")
        )
        yield words.format(person=person, bpm=p.bpm)
        yield "  " + _("Why: {why}.").format(why=said(p.evidence))
        text = _("With it {leads_to}. Nothing before {day} would change.")
        yield "  " + text.format(leads_to=said(p.leads_to), day=day_text(p.today))
        if asked:
            continue
        words = (
            _('If you think so too, put this into the settings, below the person "{person}":')
            if len(p.lines) > 1
            else _("If you think so too, put this into the entry of today in the settings:")
        )
        yield "  " + words.format(person=person)
        yield ""
        yield from (f"    {line}" for line in p.lines)
        yield ""
    if not asked:
        yield _(
            "Nothing is changed by the program itself; `hartslag profile --propose --write` asks, and writes it."
        )
