"""Was this week enough? The answer in words."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ingest.language import gettext as _
from ingest.language import number_text
from ingest.verbs.command import Invocation, WholeNumber, print_json, print_lines, verb

if TYPE_CHECKING:
    from ingest.journal import Journal, Person
    from ingest.settings.model import Settings
    from ingest.verbs.week_answer import WeekAnswer

_BAR = 20


def week_lines(rows: list["WeekAnswer"], settings_file: str, without: Sequence[str] = ()) -> Iterator[str]:
    """The weeks in plain lines: of each person the newest in full, those before in a line each.

    `without` says of others why they have none.
    """
    from ingest.verbs.week_words import closing_text, nothing_text

    if not rows:
        yield from without or [nothing_text()]
        return
    for name in dict.fromkeys(row.person for row in rows):
        mine = [row for row in rows if row.person == name]
        yield from _person_lines(name, mine, settings_file)
        yield ""
    for text in without:
        yield text
        yield ""
    yield closing_text()


def _person_lines(name: str, rows: list["WeekAnswer"], settings_file: str) -> Iterator[str]:
    from ingest.verbs import unmeasured_words as unmeasured
    from ingest.verbs import week_words as words

    newest = rows[0]
    days = words.days_text(newest)
    if newest.is_current:
        yield _("{name}, this week: {days}").format(name=name, days=days)
    else:
        yield _("{name}: nothing is measured this week yet. The newest week with data:").format(name=name)
        yield f"  {newest.week}, {days}"
    yield ""
    if not newest.is_measured:
        yield f"  {unmeasured.nothing_counts_text(newest)}"
    elif not newest.has_limits:
        yield f"  {words.not_counted_text()}"
    elif newest.not_judged is None:
        yield f"  {words.dose_of_target_text(newest)}  {_bar(newest)}"
    else:
        yield f"  {words.dose_without_target_text(newest)}"
    of_measured = [
        words.open_text(newest),
        words.zones_text(newest),
        unmeasured.told_text(newest.unmeasured.told_dose_min),
        words.elevated_text(newest),
        words.measured_text(newest),
    ]
    told = [
        *(of_measured if newest.is_measured else []),
        *unmeasured.unmeasured_texts(newest),
        words.last_seven_days_text(newest),
        words.still_to_come_text(newest),
        *words.limit_texts(newest),
    ]
    yield from (f"  {text}" for text in told if text)
    if len(rows) > 1:
        yield ""
        yield from map(_old_week_line, rows[1:])
    parts = [*words.not_counted_parts(name, rows, settings_file), *words.doubted_parts(rows)]
    for text, lines, more in parts:
        yield ""
        yield from (f"  {line}" for line in text.split("\n"))
        yield from (f"      {line}" for line in lines)
        yield from (f"  {line}" for line in more.split("\n"))


def _old_week_line(row: "WeekAnswer") -> str:
    from ingest.verbs import week_words as words

    if not row.is_measured:
        from ingest.verbs.unmeasured_words import in_short_text

        return f"  {row.week}  {in_short_text(row.unmeasured)}"
    if not row.has_limits:
        text = _("{week}  not counted, no limits are known  {measured}")
    elif row.not_judged is None:
        text = _("{week}  {minutes} of {target} min  {bar}  {measured}")
    elif row.not_judged:
        text = _("{week}  {minutes}, not to be judged ({why})  {measured}")
    else:
        text = _("{week}  {minutes}, not to be judged  {measured}")
    return "  " + text.format(
        week=row.week,
        minutes=f"{words.minutes_or_range(row):>5}",
        target=number_text(row.target_min),
        bar=_bar(row),
        why=row.not_judged,
        measured=words.measured_in_short(row),
    )


def _bar(row: "WeekAnswer") -> str:
    full = min(int(row.dose_min / row.target_min * _BAR), _BAR)
    return "[" + "#" * full + "." * (_BAR - full) + "]"


def _with_names(rows: list["WeekAnswer"], settings: "Settings", journal: "Journal") -> list["WeekAnswer"]:
    """The same with what people call their devices, which is only looked up where devices are named."""
    from dataclasses import replace

    from ingest.grafana.sensor_names import sensor_names
    from ingest.verbs.limit_doubts import device_names

    names = device_names(sensor_names(settings, journal))
    return [replace(row, doubts=row.doubts and row.doubts.named(names)) for row in rows]


def _without_weeks(journal: "Journal", persons: list["Person"], rows: list["WeekAnswer"]) -> list[str]:
    """Why some persons have no week though something of them came in."""
    shown = {row.person for row in rows}
    others = [person for person in persons if person.name not in shown]
    if not others:
        return []
    from ingest.verbs.nothing_measured import nothing_reason

    return [reason for person in others if (reason := nothing_reason(journal, person))]


@verb(
    "week",
    ("This week and the three before", "hartslag week"),
    ("Anna's last twelve weeks", "hartslag week Anna --weeks 12"),
    ("What if my maximum were 175?", "hartslag week --what-if maximum_bpm=175"),
)
@click.argument("person", required=False)
@click.option(
    "--weeks", type=WholeNumber(1, 100_000), default=4, show_default=True, help="How many weeks with data."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON array, newest first.")
@click.option(
    "--what-if",
    "questions",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="The same weeks if this held: method=reserve,resting_bpm=60 or maximum_bpm=175 or bout_min=10. May be repeated.",
)
@click.pass_obj
def command(
    invocation: Invocation, person: str | None, weeks: int, as_json: bool, questions: tuple[str, ...]
) -> None:
    """Show the minutes of the newest weeks against the target."""
    from ingest.household import persons_called
    from ingest.verbs.terminal import find_terminal
    from ingest.verbs.week_answer import week_answers

    with invocation.view_journal() as (settings, journal):
        now_ms = journal.now_ms()
        persons = persons_called(journal, person)
        rows = week_answers(journal, persons, weeks, now_ms)
        if any(row.doubts and row.doubts.devices for row in rows):
            rows = _with_names(rows, settings, journal)
        if questions:
            from ingest.verbs import what_if

            rows = [row for row in rows if row.is_measured]
            try:
                answers = what_if.hypothetical_weeks(journal, rows, questions, now_ms)
            except ValueError as e:
                raise click.BadParameter(str(e), param_hint="--what-if") from e
            if as_json:
                print_json(what_if.what_if_json(rows, answers))
            else:
                print_lines(what_if.what_if_lines(rows, answers))
        elif as_json:
            print_json([row.json() for row in rows])
        else:
            file = str(settings.file or settings.data / "hartslag.toml")
            terminal = find_terminal()
            without = _without_weeks(journal, persons, rows)
            if terminal is None:
                print_lines(week_lines(rows, file, without))
            else:
                from ingest.verbs.week_screen import week_screen

                print_lines(week_screen(terminal, rows, file, without))
            if journal.damages:
                from ingest.verbs.damage_words import damaged_line
                from ingest.verbs.messages import print_wrapped

                print_wrapped(map(damaged_line, journal.damages))
