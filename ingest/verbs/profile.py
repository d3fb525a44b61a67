"""What holds for a person's heart since when, when it was written down, and which limits follow from it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ingest.language import N_, Text, said
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, verb
from ingest.verbs.messages import print_wrapped
from ingest.verbs.times import zoned_text

if TYPE_CHECKING:
    from ingest.journal import Journal, Person
    from ingest.rows.profile import Profile
    from zones.edges import Timeline

LISTS = ("profile", "sport", "target", "pause", "travel", "moved")
"""Keys of a person's facts that hold several entries."""


@dataclass(frozen=True, slots=True)
class ProfileItem:
    """Something that the settings say or said: since when it holds, when it was recorded and when withdrawn."""

    what: str
    since: str | None
    until: str | None
    words: str
    recorded_ms: int | None
    """None for what the settings say and the daemon is still to record."""
    withdrawn_ms: int | None

    def json(self, zone: str) -> dict[str, Any]:
        """With moments on the clock of a time zone."""
        return {
            "what": self.what,
            "from": self.since,
            "to": self.until,
            "said": self.words,
            "recorded": None if self.recorded_ms is None else zoned_text(self.recorded_ms, zone),
            "withdrawn": None if self.withdrawn_ms is None else zoned_text(self.withdrawn_ms, zone),
        }


def profile_items(journal: "Journal", person: int) -> list[ProfileItem]:
    """Everything that was ever said, in the order in which it was recorded; two clocks: valid from, and recorded.

    Last comes what the settings say now, if that is still to be recorded.
    """
    recorded = sorted(journal.facts(person, "profile"), key=lambda e: e.position)
    versions: list[tuple[int | None, Mapping[str, Any]]] = [(e.recorded_ms, e.content) for e in recorded]
    now = journal.profile(person)
    if now is not None and (not versions or now != versions[-1][1]):
        versions.append((None, now))
    found: list[ProfileItem] = []
    held: dict[tuple[str, ...], tuple[int | None, tuple[str, str | None, str | None, str]]] = {}
    for at_ms, facts in versions:
        current = dict(_flatten(facts))
        for key in [k for k in held if k not in current]:
            recorded_ms, value = held.pop(key)
            found.append(ProfileItem(*value, recorded_ms, journal.now_ms() if at_ms is None else at_ms))
        for key, value in current.items():
            held.setdefault(key, (at_ms, value))
    found += [ProfileItem(*value, recorded_ms, None) for recorded_ms, value in held.values()]
    return sorted(found, key=_order)


def _order(item: ProfileItem) -> tuple[bool, float, str, str]:
    recorded = math.inf if item.recorded_ms is None else item.recorded_ms
    return item.withdrawn_ms is None, recorded, item.since or "", item.what


def _flatten(
    facts: Mapping[str, Any],
) -> Iterator[tuple[tuple[str, ...], tuple[str, str | None, str | None, str]]]:
    """What facts say, one by one, each with a key that tells it from all others."""
    for key, value in facts.items():
        entries = value if key in LISTS else [value] if key == "plan" else None
        if entries is None:
            words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield (key, words), (key, None, None, words)
            continue
        for entry in entries:
            values = {k: v for k, v in entry.items() if k not in {"from", "to"}}
            words = ", ".join(
                f"{k} {str(v).lower() if isinstance(v, bool) else v}" for k, v in sorted(values.items())
            )
            since, until = entry.get("from"), entry.get("to")
            yield (key, str(since), str(until), words), (key, since, until, words)


def profile_answer(journal: "Journal", person: "Person", now_ms: int) -> dict[str, Any]:
    """All of it, in the shape that `--json` prints."""
    from ingest.journal import ALWAYS_MS
    from ingest.rows.profile import read_profile

    p = read_profile(journal, person.id)
    held = journal.chunk_spans(person.id, -ALWAYS_MS, ALWAYS_MS)
    begins = min((first for first, _ in held), default=now_ms)
    today = p.calendar.day_of(now_ms)
    first_day, name = p.calendar.week_of(today)
    resting, maximum, sex = p.heart_at(now_ms)
    return {
        "person": person.name,
        "said": [i.json(p.calendar.zone_on(today)) for i in profile_items(journal, person.id)],
        "edges": _edges(p, p.timeline, begins, now_ms),
        "sports": {sport: _edges(p, line, begins, now_ms) for sport, line in p.sports.items()},
        "resting_bpm": resting,
        "maximum_bpm": maximum,
        "sex": sex,
        "zone": p.calendar.zone_on(today),
        "bout_min": p.bout_min,
        "week": name,
        "target_min": p.calendar.target(first_day),
        "judged": p.calendar.not_judged(first_day) is None,
    }


def _edges(p: "Profile", line: "Timeline", begins_ms: int, now_ms: int) -> list[dict[str, Any]]:
    """The edges from the first thing measured until now and all that is written for later; guesses for later are not."""
    from ingest.journal import ALWAYS_MS

    found = []
    for i, e in enumerate(line.edges):
        a, b = line.governed(i)
        if b <= min(begins_ms, now_ms) or (a > now_ms and (e is None or e.method == "age")):
            continue
        found.append(
            {
                "from": None if a == -ALWAYS_MS else p.calendar.day_of(a).isoformat(),
                "moderate_bpm": e and e.moderate_bpm,
                "vigorous_bpm": e and e.vigorous_bpm,
                "method": e and e.method,
                "origin": e.origin if e else Text(N_("unknown: nothing that may be used tells them")),
            }
        )
    return found


def profile_lines(found: dict[str, Any]) -> Iterator[str]:
    """The same in plain lines."""
    yield f"{found['person']}"
    yield ""
    yield "  " + _("Where moderate and vigorous begin:")
    yield from _limit_lines(found["edges"])
    for sport, edges in found["sports"].items():
        yield "  " + _("In {sport}:").format(sport=_(sport))
        yield from _limit_lines(edges)
    if found["judged"]:
        target = _("The target of this week ({week}) is {target} min.")
    else:
        target = _("The target of this week ({week}) is {target} min; it is not to be judged.")
    yield "  " + target.format(week=found["week"], target=f"{found['target_min']:.0f}")
    yield ""
    yield "  " + _("What the settings say, and when that was recorded:")
    for item in found["said"]:
        if item["from"] and item["to"]:
            span = _("from {first} to {last}")
        else:
            span = _("from {first}") if item["from"] else _("always")
        if item["withdrawn"]:
            when = _("(recorded {recorded}, withdrawn {withdrawn})")
        else:
            when = _("(recorded {recorded})")
        span = span.format(first=item["from"], last=item["to"])
        recorded = item["recorded"][:10] if item["recorded"] else _("when the daemon starts next")
        told = when.format(recorded=recorded, withdrawn=(item["withdrawn"] or "")[:10])
        yield f"    {span:<29} {item['what']}: {item['said']}  {told}"
    if not found["said"]:
        yield "    " + _("nothing")


def _limit_lines(edges: list[dict[str, Any]]) -> Iterator[str]:
    begins = [_("from {first}").format(first=e["from"]) if e["from"] else _("always") for e in edges]
    width = max(map(len, begins), default=0)
    for since, e in zip(begins, edges, strict=True):
        bpm = _("{moderate} and {vigorous} bpm") if e["method"] else _("not known")
        limits = bpm.format(moderate=e["moderate_bpm"], vigorous=e["vigorous_bpm"])
        yield f"    {since:<{max(width, 15)}} {limits:<16} {e['method'] or '-':<9} {said(e['origin'])}"
    if not edges:
        yield "    " + _("not known; one line in the settings mends that, such as  born = 1970")


@verb(
    "profile",
    ("Anna's limits", "hartslag profile Anna"),
    ("Do my data know better?", "hartslag profile --propose"),
    ("If they do, write it down", "hartslag profile --propose --write"),
)
@click.argument("person", required=False)
@click.option("--propose", is_flag=True, help="What your own data know better; nothing is changed by asking.")
@click.option("--write", is_flag=True, help="With --propose: ask whether to write it into the settings.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, one per person or proposal.")
@click.pass_obj
def command(invocation: Invocation, person: str | None, propose: bool, write: bool, as_json: bool) -> None:
    """Show which limits held since when, why, and when each entry was recorded."""
    from ingest.household import persons_called

    if write and (not propose or as_json):
        raise click.UsageError("--write goes with --propose, and without --json.")
    with invocation.view_journal() as (_, journal):
        persons, now_ms = persons_called(journal, person), journal.now_ms()
        if propose:
            from ingest.verbs.proposals import find_proposals, proposal_lines

            proposals = [(p.name, find_proposals(journal, p, now_ms)) for p in persons]
            if write:
                from ingest.verbs.accepted_proposals import offer

                offer(invocation, proposals)
            elif as_json:
                print_json([proposal.json() for _, of_person in proposals for proposal in of_person])
            else:
                print_wrapped(line for name, them in proposals for line in proposal_lines(name, them))
            return
        answers = [profile_answer(journal, p, now_ms) for p in persons]
        if as_json:
            print_json(answers)
        else:
            print_wrapped(line for answer in answers for line in (*profile_lines(answer), ""))
