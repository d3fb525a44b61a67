"""Was this week enough? The answer in words."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from ingest.verbs.command import Invocation, print_json, print_lines

if TYPE_CHECKING:
    from ingest.verbs.week_answer import WeekAnswer
    from zones.edges import Edges

_BAR = 20
_MANY = 3


def week_lines(rows: list["WeekAnswer"], settings_file: str) -> Iterator[str]:
    """The weeks in plain lines: of each person the newest in full, those before in a line each."""
    if not rows:
        yield "Nothing is measured yet. Drop FIT files into the inbox, or give them to `hartslag add`."
        return
    for name in dict.fromkeys(row.person for row in rows):
        mine = [row for row in rows if row.person == name]
        yield from _person_lines(name, mine, settings_file)
        yield ""
    yield "Minutes from a heart-rate sensor against a target of your own. Not a medical device."


def _person_lines(name: str, rows: list["WeekAnswer"], settings_file: str) -> Iterator[str]:
    newest = rows[0]
    if newest.is_current:
        yield f"{name}, this week: {_days_text(newest)}"
    else:
        yield f"{name}: nothing is measured this week yet. The newest week with data:"
        yield f"  {newest.week}, {_days_text(newest)}"
    yield ""
    if newest.not_judged is None:
        yield f"  {dose_text(newest)} of {_minutes_text(newest.target_min)} minutes  {_bar(newest)}"
    else:
        yield f"  {dose_text(newest)} minutes{not_judged_text(newest)}"
    yield (
        f"  moderate {_minutes_text(newest.moderate_min)} min + 2 x vigorous {_minutes_text(newest.vigorous_min)} min;"
        f" light {_minutes_text(newest.light_min)} min; {_active_days_text(newest.active_days)}"
    )
    if newest.elevated_min >= 0.5:
        short = f" or in bouts shorter than {newest.bout_min} min" if newest.bout_min else ""
        yield f"  {_minutes_text(newest.elevated_min)} min of raised heart rate without movement{short} are not counted."
    so_far = " so far" if newest.is_current else ""
    so_least = ", so this is the least it can be" if newest.may_be_more else ""
    yield f"  {_measured_text(newest)}{so_far}{so_least}."
    last_seven = newest.last_seven_days
    if last_seven is not None and last_seven.first != newest.first:
        yield f"  The last seven days: {dose_text(last_seven).lower()} minutes. {_measured_text(last_seven)}."
    if newest.still_to_come:
        weeks = ", ".join(newest.still_to_come[:_MANY]) + (", ..." if newest.still_to_come[_MANY:] else "")
        yield f"  Files hold days that are still to come ({weeks}): the clock of a watch was wrong."
    yield from _limit_lines(newest.edges, "Moderate")
    for sport, edges in newest.sports.items():
        yield from _limit_lines(edges, f"In {sport} moderate")
    if len(rows) > 1:
        yield ""
        for row in rows[1:]:
            target = not_judged_text(row) or f" of {_minutes_text(row.target_min)} min  {_bar(row)}"
            yield f"  {row.week}  {_minutes_text(row.dose_min):>5}{target}  measured {row.measured_min / 60:.0f} h"
    yield from _unclassified_lines(name, rows, settings_file)


def _unclassified_lines(name: str, rows: list["WeekAnswer"], settings_file: str) -> Iterator[str]:
    unclassified = [row for row in rows if row.unclassified_min > 0]
    limited = [row for row in unclassified if row.medicine_since is not None]
    unknown = [row for row in unclassified if row.medicine_since is None]
    if limited and limited[0].medicine_since:
        yield ""
        minutes = sum(row.unclassified_min for row in limited)
        yield from _medicine_lines(minutes, limited[0].medicine_since, settings_file)
    if unknown:
        yield ""
        yield from _no_limits_lines(name, sum(row.unclassified_min for row in unknown), settings_file)


def _limit_lines(edges: list[tuple[date | None, "Edges"]], what: str) -> Iterator[str]:
    for begins, e in edges:
        since = f" since {begins}" if begins and "since" not in e.origin else ""
        yield f"  {what} from {e.moderate_bpm}, vigorous from {e.vigorous_bpm} bpm{since}: {e.origin}."


def _medicine_lines(minutes: float, since: date, settings_file: str) -> Iterator[str]:
    yield f"  {_minutes_text(minutes)} min are measured but not counted: since {since} a medicine limits this heart rate,"
    yield "  so neither a formula by age nor the maximum in the watch is used. Limits from an exercise test or from a"
    yield f"  physiotherapist mend that, in an entry [[person.profile]] of {settings_file}:"
    yield "      moderate_bpm = 95"
    yield "      vigorous_bpm = 115"
    yield "  with the numbers that you were given. By effort: you can talk but not sing is moderate."


def _no_limits_lines(name: str, minutes: float, settings_file: str) -> Iterator[str]:
    """How to have minutes counted whose person's limits are not known."""
    yield f"  {_minutes_text(minutes)} min are measured but not counted: nothing tells where moderate begins for {name}."
    yield f"  One line in {settings_file} mends that, with your own year of birth:"
    yield "      born = 1970"
    yield f'  below the lines  [[person]]  and  name = "{name}". A measured  maximum_bpm  is better than the year.'


def dose_text(row: "WeekAnswer") -> str:
    """The minutes of a week; where a part of it was not measured, they are the least that it can be."""
    return f"{'At least ' if row.may_be_more else ''}{_minutes_text(row.dose_min)}"


def not_judged_text(row: "WeekAnswer") -> str:
    """That a week is held against nothing, and why; "" for any other week."""
    if row.not_judged is None:
        return ""
    return f", not to be judged{f' ({row.not_judged})' if row.not_judged else ''}"


def _measured_text(row: "WeekAnswer") -> str:
    rest = f"; {int(row.not_measured_h + 0.5)} h not measured" if row.may_be_more else ""
    return f"Measured {row.measured_min / 60:.1f} h{rest}"


def _days_text(row: "WeekAnswer") -> str:
    same_year = row.first.year == row.last.year
    first = f"{row.first.day} {row.first:%B}" + ("" if same_year else f" {row.first.year}")
    return f"{row.first:%A} {first} to {row.last:%A} {row.last.day} {row.last:%B} {row.last.year}"


def _minutes_text(value: float) -> str:
    return f"{value:.0f}"


def _active_days_text(days: int) -> str:
    return f"{days} active {'day' if days == 1 else 'days'}"


def _bar(row: "WeekAnswer") -> str:
    full = min(int(row.dose_min / row.target_min * _BAR), _BAR)
    return "[" + "#" * full + "." * (_BAR - full) + "]"


@click.command("week")
@click.argument("person", required=False)
@click.option(
    "--weeks", type=click.IntRange(1), default=4, show_default=True, help="How many weeks with data."
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
    from ingest.verbs.week_answer import week_answers

    with invocation.view_journal() as (settings, journal):
        now_ms = journal.now_ms()
        rows = week_answers(journal, persons_called(journal, person), weeks, now_ms)
        if questions:
            from ingest.verbs import what_if

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
            file = settings.file or settings.data / "hartslag.toml"
            print_lines(week_lines(rows, str(file)))
