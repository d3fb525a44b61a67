"""All samples as they were recorded, as CSV."""

from datetime import date, datetime

import click

from ingest.language import gettext
from ingest.verbs.command import Invocation, print_lines, verb, write_utf8
from ingest.verbs.times import local_ms, parse_moment


def _parse_option(option: str, text: str | None) -> date | datetime | None:
    from ingest.rows.calendar import Calendar

    if text is None:
        return None
    try:
        moment = parse_moment(text)
        local_ms(moment, Calendar())
    except (ValueError, OverflowError) as e:
        words = gettext("{value} is no date or time; right would be 2026-11-16")
        raise click.BadParameter(words.format(value=repr(text)), param_hint=option) from e
    return moment


@verb(
    "export",
    ("One day as a file for a spreadsheet", "hartslag export --from 2026-11-16 --to 2026-11-17 > day.csv"),
)
@click.option(
    "--csv", is_flag=True, hidden=True, expose_value=False, help="As CSV, the only format there is."
)
@click.argument("file", required=False, metavar="")
@click.option("--person", metavar="NAME", help="Only this person.")
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="From this date or time, local unless it says otherwise (2026-11-16T10:00Z).",
)
@click.option("--to", "end", metavar="TIME", help="To before this date or time.")
@click.pass_obj
def command(
    invocation: Invocation, file: str | None, person: str | None, start: str | None, end: str | None
) -> None:
    """Print all samples in order of time."""
    from ingest.household import persons_called
    from ingest.verbs.samples_csv import export_lines, local_spans

    if file is not None:
        words = gettext(
            "The samples are printed. To have them in a file, write a > before its name: > {file}"
        )
        raise click.UsageError(words.format(file=file))
    with invocation.view_journal() as (_, journal):
        persons = persons_called(journal, person)
        begins, ends = _parse_option("--from", start), _parse_option("--to", end)
        write_utf8()
        print_lines(export_lines(journal, local_spans(journal, persons, begins, ends)))
