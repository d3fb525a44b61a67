"""The verbs of `hartslag`."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import HartslagError, Stop, TryLater, WrongSettings

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

# Before numpy is imported anywhere: each thread of its linear algebra, which we do not use, maps tens of megabytes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@dataclass(slots=True)
class _Given:
    """What stood before the verb."""

    config: Path | None
    data: Path | None

    def settings(self) -> "Settings":
        from ingest.settings.file import load

        return load(self.config, self.data, os.environ, Path.cwd())


class _Verbs(click.Group):
    """All verbs; to be cut off by `| head` is no failure of any."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:
            # The reader has had enough. What is still in the buffer must not complain at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(0)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings file (default: hartslag.toml in the data folder).",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default: ./data).")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.version_option(package_name="hartslag")
@click.pass_context
def hartslag(context: click.Context, config: Path | None, data: Path | None, verbose: bool) -> None:
    """Count the minutes that move you: heart rate from straps and watch files, at home.

    Minutes against a target of your own. Not a medical device.
    """
    from ingest.log import setup

    setup(verbose)
    context.obj = _Given(config, data)


@hartslag.command()
@click.pass_obj
def run(given: _Given) -> None:
    """Listen to straps, watch the inbox and keep the store up to date, until told to stop."""
    from ingest import daemon

    daemon.run(given.settings())


@hartslag.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--person", help="Whose files these are (default: the first person in the settings).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file and line.")
@click.pass_obj
def add(given: _Given, files: tuple[Path, ...], person: str | None, as_json: bool) -> None:
    """Take FILES (or all files in a folder) into the journal; they stay where they are.

    Ends with 1 when a file was rejected.
    """
    from ingest.verbs import add as adding

    settings = given.settings()
    found = adding.files_in(files)
    rejected = False
    told = adding.Told(as_json=as_json, wait=adding.has_bar(found))
    try:
        with adding.bar(found) as shown:
            for path, outcomes in zip(shown, adding.add(settings, found, person), strict=True):
                rejected |= told.take(path, outcomes)
    finally:
        told.finish()
    if rejected:
        sys.exit(1)


@hartslag.command()
@click.argument("person", required=False)
@click.option(
    "--weeks", type=click.IntRange(1), default=4, show_default=True, help="How many weeks with data."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON array, newest first.")
@click.option(
    "--what-if",
    "asked",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="The same weeks if this held: method=reserve,resting_bpm=60 or maximum_bpm=175 or bout_min=10. May be repeated.",
)
@click.pass_obj
def week(given: _Given, person: str | None, weeks: int, as_json: bool, asked: tuple[str, ...]) -> None:
    """Show the minutes of the newest weeks against the target."""
    from ingest.verbs import week as showing

    with _reading(given) as (settings, journal):
        now_ms = journal.now_ms()
        rows = showing.shown(journal, person, weeks, now_ms)
        if asked:
            from ingest.verbs import what_if

            try:
                others = what_if.others(journal, rows, asked, now_ms)
            except ValueError as e:
                raise click.BadParameter(str(e), param_hint="--what-if") from e
            if as_json:
                pairs = zip(rows, others, strict=True)
                _print_json([{**row.json(), "what_if": [o.json() for o in them]} for row, them in pairs])
            else:
                _print_lines(what_if.told(rows, others))
        elif as_json:
            _print_json([row.json() for row in rows])
        else:
            file = settings.file or settings.data / "hartslag.toml"
            _print_lines(showing.told(rows, str(file)))


@hartslag.command()
@click.argument("person", required=False)
@click.option("--propose", is_flag=True, help="What your own data know better; nothing is changed by asking.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, one per person or proposal.")
@click.pass_obj
def profile(given: _Given, person: str | None, propose: bool, as_json: bool) -> None:
    """Show which limits held since when, why, and when each entry was recorded."""
    from ingest.verbs import profile as showing
    from ingest.verbs.week import wanted

    with _reading(given) as (_, journal):
        persons, now_ms = wanted(journal, person), journal.now_ms()
        if propose:
            from ingest.verbs import propose as proposing

            proposed = [(p.name, proposing.proposals(journal, p, now_ms)) for p in persons]
            if as_json:
                _print_json([one.json() for _, them in proposed for one in them])
            else:
                _print_lines(line for name, them in proposed for line in proposing.told(name, them))
            return
        found = [showing.known(journal, p, now_ms) for p in persons]
        if as_json:
            _print_json(found)
        else:
            _print_lines(line for one in found for line in (*showing.told(one), ""))


@hartslag.command()
@click.argument("what", metavar="TIME|DAY|WEEK|FILE")
@click.argument("person", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON, with every sample of a minute and every mask."
)
@click.pass_obj
def explain(given: _Given, what: str, person: str | None, as_json: bool) -> None:
    """Say why a minute, day, week or file counts as it does.

    A time (2026-11-16T10:30, local unless it says otherwise) means its minute; a day is 2026-11-16, a week 2026-W47,
    a file its name. Shows which source was believed, the limits in force, what counted, what did not, and why.
    """
    from ingest.verbs import explain as showing

    with _reading(given) as (_, journal):
        found = showing.explain(journal, showing.asked(journal, what, person))
        if as_json:
            _print_json(found.json())
        else:
            _print_lines(showing.told(found))


@hartslag.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(given: _Given, as_json: bool) -> None:
    """Show what is collected, what waits, and how the stores are."""
    from ingest.verbs import status as showing

    with _reading(given) as (settings, journal):
        now = showing.status(settings, journal)
        if as_json:
            _print_json(now)
        else:
            _print_lines(showing.told(settings, journal, now))


@hartslag.command()
@click.option(
    "--seconds", type=click.IntRange(1, 600), default=12, show_default=True, help="How long to listen."
)
@click.option(
    "--listen-only", is_flag=True, help="Connect to nothing: battery and serial number stay unknown."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON array.")
@click.pass_obj
def scan(given: _Given, seconds: int, listen_only: bool, as_json: bool) -> None:
    """Find straps in reach, and print them as lines for the settings.

    Connects to each for a moment to read its battery and serial number, unless this computer has a link to it already.
    """
    import asyncio

    from ingest.collect.radio import Radio
    from ingest.verbs import scan as showing

    settings = given.settings()

    async def listen() -> list[showing.Found]:
        async with showing.progress(seconds):
            return await showing.scan(
                settings, Radio(settings.bluetooth.adapter), seconds, ask=not listen_only
            )

    found = asyncio.run(listen())
    if as_json:
        _print_json([one.json() for one in found])
    else:
        _print_lines(showing.told(settings, found))


@hartslag.command()
@click.pass_obj
def check(given: _Given) -> None:
    """Check settings, journal and store; ends with 1 when something is wrong."""
    from contextlib import nullcontext

    from ingest.household import open_journal
    from ingest.verbs.check import check as checking

    settings = given.settings()
    wrong = False
    # A folder that is not there is mistyped, one without a journal waits for the first run of the daemon.
    unmade = settings.data.is_dir() and not settings.journal_file.exists()
    with nullcontext() if unmade else open_journal(settings, create=False) as journal:
        for is_wrong, line in checking(settings, journal):
            wrong |= is_wrong
            click.echo(line)
    if wrong:
        sys.exit(1)


@hartslag.command()
@click.option("--csv", is_flag=True, help="As CSV, the only format there is.")
@click.option("--person", help="Only this person.")
@click.option(
    "--from", "start", help="From this date or time, local unless it says otherwise (2026-11-16T10:00Z)."
)
@click.option("--to", "end", help="To before this date or time.")
@click.pass_obj
def export(given: _Given, csv: bool, person: str | None, start: str | None, end: str | None) -> None:  # noqa: ARG001
    """Print all samples in order of time."""
    from ingest.household import find_person
    from ingest.journal import ALWAYS_MS
    from ingest.rows.profile import read_profile as profile_now
    from ingest.verbs import export as showing

    with _reading(given) as (_, journal):
        persons = journal.persons()
        if person is not None:
            wanted = find_person(journal, person)
            if wanted is None:
                raise Stop(
                    f"Nobody called {person} is known here; known: {', '.join(p.name for p in persons) or 'nobody'}."
                )
            persons = [wanted]
        zone = "UTC"
        if persons:
            calendar = profile_now(journal, persons[0].id).calendar
            zone = calendar.zone_on(calendar.day_of(journal.now_ms()))
        span = [-ALWAYS_MS, ALWAYS_MS]
        for i, (option, text) in enumerate((("--from", start), ("--to", end))):
            if text is not None:
                try:
                    span[i] = showing.moment_ms(text, zone)
                except (ValueError, OverflowError) as e:
                    raise click.BadParameter(
                        f"{text!r} is no date or time; right would be 2026-11-16", param_hint=option
                    ) from e
        _print_lines(showing.lines(journal, persons, span[0], span[1]))


@hartslag.command()
@click.option(
    "--store",
    type=click.Choice(["sqlite", "influx"]),
    default="sqlite",
    show_default=True,
    help="Which store; influx is the server below [influx] in the settings.",
)
@click.option("--resume", is_flag=True, help="Go on where it was broken off; nothing is forgotten first.")
@click.pass_obj
def rebuild(given: _Given, store: str, resume: bool) -> None:
    """Make a store anew from the journal.

    Broken off, it goes on by itself in the daemon.
    """
    from ingest.verbs.rebuild import rebuild as rebuilding

    with _reading(given) as (settings, journal):
        try:
            click.echo(rebuilding(settings, journal, store, resume=resume))
        except KeyboardInterrupt:
            click.echo(
                "Broken off. The daemon goes on with it, or `hartslag rebuild --resume` with the same --store.",
                err=True,
            )
            raise


@hartslag.command()
@click.pass_obj
def retry(given: _Given) -> None:
    """Send once more the rows that a server refused; ends with 1 when it refuses some again."""
    from ingest.verbs.retry import retry as retrying

    with _reading(given) as (settings, _):
        left, line = retrying(settings)
        click.echo(line)
    if left:
        sys.exit(1)


@hartslag.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--server",
    type=click.Choice(["influxdb", "victoriametrics"]),
    help="What the server below [influx] is (default: it is asked).",
)
@click.option(
    "--token", is_flag=True, help="The server wants a token of Grafana too (assumed with a token_file)."
)
@click.pass_obj
def grafana(given: _Given, folder: Path, server: str | None, token: bool) -> None:
    """Write dashboards and data sources for Grafana into DIR, with your paths, and say what to do next.

    Nothing that was written or changed by somebody else is written over.
    """
    from ingest.grafana import folder as grafana_folder

    settings = given.settings()
    if settings.influx and server is None:
        server = _kind_of_server(settings)
    sources = grafana_folder.data_sources(settings, server or "influxdb", token=token)
    defaults = grafana_folder.dashboard_defaults(settings)
    grafana_folder.write_folder(
        folder,
        {
            path: text
            for one in sources
            for path, text in grafana_folder.provisioning_files(one, defaults).items()
        },
    )
    _print_lines(grafana_folder.instruction_lines(folder, sources))


def _kind_of_server(settings: "Settings") -> str:
    """What the server introduces itself as. Raises Stop when it does not."""
    from contextlib import closing

    from ingest.stores.influx.client import ServerClient
    from ingest.stores.influx.detection import detect_server
    from ingest.stores.influx.victoria import VictoriaServer

    assert settings.influx is not None
    try:
        with closing(ServerClient(settings.influx)) as wire:
            is_victoria = isinstance(detect_server(wire, settings.influx), VictoriaServer)
    except TryLater as e:
        raise Stop(
            f"{e}\nOr say what it is, and it is not asked: --server influxdb, or --server victoriametrics."
        ) from e
    return "victoriametrics" if is_victoria else "influxdb"


# --- around every verb ---


@contextmanager
def _reading(given: _Given) -> "Iterator[tuple[Settings, Journal]]":
    """The settings and the journal, which must be there."""
    from ingest.household import open_journal

    settings = given.settings()
    with open_journal(settings, create=False) as journal:
        yield settings, journal


def _print_lines(lines: Iterable[str]) -> None:
    """Write lines as they come; many at a time when nobody watches."""
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == 10_000:
            sys.stdout.write("\n".join(batch) + "\n")
            batch.clear()
    if batch:
        sys.stdout.write("\n".join(batch) + "\n")
    sys.stdout.flush()


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def main() -> None:
    """The command `hartslag`; ends with 2 for bad usage, 78 for wrong settings, 1 for what a person must mend."""
    try:
        hartslag(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except WrongSettings as e:
        click.echo(str(e), err=True)
        sys.exit(WrongSettings.exit_code)
    except (Stop, TryLater) as e:
        click.echo(str(e), err=True)
        sys.exit(1)
    except HartslagError as e:
        click.echo(str(e), err=True)
        sys.exit(1)
    except OSError as e:
        if "--verbose" in sys.argv or "-v" in sys.argv:
            raise
        what = f"{e.filename}: " if e.filename else ""
        click.echo(f"{what}{e.strerror or e}. (hartslag -v says where.)", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
