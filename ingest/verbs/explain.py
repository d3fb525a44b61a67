"""Why is this minute, day, week or file counted as it is? The answer in words."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.language import said
from ingest.retelling import retold
from ingest.verbs.called import as_called
from ingest.verbs.command import Invocation, print_json, verb

if TYPE_CHECKING:
    from ingest.collect.inbox import Waiting
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.verbs.explanation import Explanation

_WIDE = 10_000
"""Columns of a pipe: none is too many."""


def explanation_lines(x: "Explanation", columns: int = _WIDE) -> Iterator[str]:
    """The answer in plain lines; tables in them are no wider than so many columns."""
    from ingest.verbs import explain_words as words
    from ingest.verbs import explain_workout as workout
    from ingest.verbs.clock_offsets import offset_text
    from ingest.verbs.times import zone_at

    subject, profile, calendar = x.subject, x.subject.profile, x.subject.profile.calendar
    yield _("{person}, {what} ({zone}): {begin} to {end}").format(
        person=subject.person.name,
        what=subject.words,
        zone=zone_at(calendar, subject.start_ms),
        begin=words.moment(subject.start_ms, calendar),
        end=words.moment(subject.end_ms, calendar),
    )
    yield from words.file_lines(subject)
    yield ""
    yield from words.total_lines(x)
    yield ""
    yield from words.edge_lines(x.edges, profile)
    for sport, edges in x.sports.items():
        yield from words.edge_lines(edges, profile, sport)
    parts: list[Iterable[str]] = [
        [line for share in x.account.shares.values() for line in words.source_lines(share)],
        words.masked_lines(x.masked, calendar),
        [f"  {offset_text(d.json(), d.zone, {})}" for d in x.clocks],
        [words.sample_line(sample, calendar) for sample in x.samples],
        workout.day_lines(x.measures, calendar, each=len(subject.borders_ms) > 2),
        *_workouts(x, columns),
        *(words.claim_lines(claim, calendar) for claim in x.claims),
        *(words.comparison_lines(check, calendar, columns) for check in x.checks),
    ]
    for part in parts:
        for i, line in enumerate(part):
            if i == 0:
                yield ""
            yield line


def _workouts(x: "Explanation", columns: int) -> Iterator[list[str]]:
    """The lines of each workout, and of each time in which a strap was worn outside of one."""
    from ingest.verbs import explain_workout as workout
    from ingest.verbs.explain_words import moment

    profile = x.subject.profile
    for e, row in x.measures.workouts:
        what = _("Workout {time}").format(time=moment(e.at_ms, profile.calendar))
        yield [
            *workout.session_lines(
                what, e.at_ms, row, x.measures, profile, x.measures.without_samples.get(e.position, 0)
            ),
            *workout.pause_lines(e.content, x.measures.stood_ms.get(e.position, 0)),
            *(f"    {text}" for text in workout.doubt_texts(e.content.get("doubts", []))),
            *workout.copy_lines(e),
            *workout.told_lines(e, profile, columns, x.measures.told_ms.get(e.position, 0)),
        ]
    for name, s in x.measures.strap_sessions:
        what = _("{source} worn {time}").format(source=name, time=moment(s.start_ms, profile.calendar))
        yield [*workout.session_lines(what, s.start_ms, s.fields, x.measures, profile)]


def _forgotten_lines(journal: "Journal", x: "Explanation") -> Iterator[str]:
    """What of this time was said not to count."""
    subject = x.subject
    text = _("Does not count, as it is forgotten: {what} (`hartslag forget --undo {number}` takes that back)")
    for f in journal.forgotten(subject.person.id):
        spans = journal.touched_by_files(f.files) if f.files else [(f.from_ms, f.to_ms - 1)]
        if f.is_said and any(a < subject.end_ms and b >= subject.start_ms for a, b in spans):
            yield text.format(what=f.name, number=f.position)


def _answer(as_json: dict[str, str] | None, text: str) -> None:
    from ingest.verbs.messages import print_sentences

    if as_json is not None:
        print_json(as_json)
    else:
        print_sentences([as_called(text)])


def _waiting(settings: "Settings", journal: "Journal", name: str) -> "Waiting | None":
    """The file in the inbox that is meant by a name, or by its path; None where none waits under it."""
    from ingest.collect.inbox import files
    from ingest.verbs.status_answer import waiting_files

    there = [
        n for e, n in files(settings.inbox_folder) if name in {n, e.name, e.path} or n.endswith(f"/{name}")
    ]
    if not there:
        return None
    for waits in waiting_files(settings, journal):
        if waits.passed_over:
            continue
        if there[0] == waits.name or (waits.name.endswith("/") and there[0].startswith(waits.name)):
            return replace(waits, name=there[0])
    return None


@verb(
    "explain",
    ("One minute", "hartslag explain 2026-11-16T10:30"),
    ("A week of Anna's", "hartslag explain 2026-W47 Anna"),
)
@click.argument("what", metavar="TIME|DAY|WEEK|FILE")
@click.argument("person", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON, with every sample of a minute and every mask."
)
@click.pass_obj
def command(invocation: Invocation, what: str, person: str | None, as_json: bool) -> None:
    """Say why a minute, day, week or file counts as it does.

    A time (2026-11-16T10:30, local unless it says otherwise) means its minute; a day is 2026-11-16, a week 2026-W47,
    a file its name. Shows which source was believed, the limits in force, what counted, what did not, and why.
    """
    from ingest.verbs.explain_subject import NoTime, parse_subject
    from ingest.verbs.explanation import explain

    with invocation.view_journal() as (settings, journal):
        try:
            subject = parse_subject(journal, what, person)
        except NoTime as e:
            f = e.file
            told = {"file": f.name, "person": f.person, "outcome": f.outcome, "reason": f.reason}
            _answer(told if as_json else None, said(e.text))
            return
        except Stop:
            if (waits := _waiting(settings, journal, what)) is None:
                raise
            text = _(
                "The file {name} waits in the inbox, and counts once it is taken: {why}. `hartslag status` says more."
            )
            told = {"file": waits.name, "outcome": "waiting", "reason": waits.why}
            _answer(told if as_json else None, text.format(name=waits.name, why=retold(waits.why)))
            return
        explanation = explain(journal, subject)
        if as_json:
            print_json(explanation.json())
        else:
            from ingest.grafana.sensor_names import with_names
            from ingest.verbs.messages import print_wrapped
            from ingest.verbs.terminal import PIPE, find_terminal

            columns = (find_terminal() or PIPE).width
            print_wrapped(with_names(explanation_lines(explanation, columns), settings, journal))
            print_wrapped(_forgotten_lines(journal, explanation))
