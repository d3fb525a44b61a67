"""Dashboards and data sources for Grafana, with the values of one owner filled in."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import HartslagError, Stop, TryLater
from ingest.language import gettext as _
from ingest.language import said
from ingest.verbs.command import Invocation, print_lines, verb
from ingest.verbs.messages import print_wrapped

if TYPE_CHECKING:
    from ingest.settings.model import Settings


def kind_of_server(settings: "Settings") -> str:
    """What the server below [influx] introduces itself as. Raises Stop when it does not."""
    from ingest.stores.influx.client import ServerClient
    from ingest.stores.influx.detection import detect_server
    from ingest.stores.influx.victoria import VictoriaServer

    assert settings.influx is not None
    try:
        with closing(ServerClient(settings.influx)) as client:
            is_victoria = isinstance(detect_server(client, settings.influx), VictoriaServer)
    except TryLater as e:
        way_out = _("Or say what it is, and it is not asked: --server influxdb, or --server victoriametrics.")
        raise Stop(f"{said(e.text)}\n{way_out}") from e
    return "victoriametrics" if is_victoria else "influxdb"


def known_sensors(settings: "Settings") -> tuple[dict[str, str], str]:
    """Source -> what people call it, from the settings and the journal; and why the journal could not be asked, if so."""
    from ingest.grafana.sensor_names import sensor_names
    from ingest.household import JournalView

    try:
        with JournalView(settings) as journal:
            return sensor_names(settings, journal), ""
    except HartslagError as e:
        # It was never begun where the dashboards come first; then nothing is amiss.
        return sensor_names(settings, None), str(e) if _is_there(settings.journal_file) else ""


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # out of this user's reach


def write_dashboards(settings: "Settings", folder: Path) -> list[str]:
    """Write dashboards and the data source of the store without a server, and say what to do next. Raises Stop."""
    from ingest.grafana import folder as grafana_folder
    from ingest.system.acting import acting_as_root

    sources = grafana_folder.data_sources(settings, "influxdb", token=False)
    defaults = grafana_folder.dashboard_defaults(settings, known_sensors(settings)[0])
    files: dict[str, str] = {}
    for one in sources:
        files |= grafana_folder.provisioning_files(one, defaults)
    with acting_as_root():
        grafana_folder.write_folder(folder, files)
    return list(grafana_folder.instruction_lines(folder, sources, ()))


@verb(
    "grafana",
    ("Where Grafana looks for them", "sudo hartslag grafana /etc/grafana"),
    ("To look at them first", "hartslag grafana build/grafana"),
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--server",
    type=click.Choice(["influxdb", "victoriametrics"]),
    help="What the server below [influx] is (default: it is asked).",
)
@click.option(
    "--token", is_flag=True, help="The server wants a token of Grafana too (assumed with a token_file)."
)
@click.option(
    "--home",
    is_flag=True,
    help="Also write what makes This week the first page of Grafana, and shows it on a screen at the Pi.",
)
@click.option(
    "--without-login",
    is_flag=True,
    help="With --home: everybody in your network may look, at everybody's, without a password.",
)
@click.pass_obj
def command(
    invocation: Invocation,
    folder: Path,
    server: str | None,
    token: bool,
    home: bool,
    without_login: bool,
) -> None:
    """Write dashboards and data sources for Grafana into DIR, with your paths, and say what to do next.

    Nothing that was written or changed by somebody else is written over.
    """
    from ingest.grafana import folder as grafana_folder
    from ingest.grafana import start_page
    from ingest.system.acting import acting_as_root

    if without_login and not home:
        raise click.UsageError("--without-login goes with --home.")
    settings = invocation.load_settings()
    if settings.influx is None and (server or token):
        raise Stop(
            _(
                "The settings name no server, so {option} means nothing. Write [influx] and its url, or leave {option} out."
            ).format(option="--server" if server else "--token")
        )
    if settings.influx and server is None:
        server = kind_of_server(settings)
    sources = grafana_folder.data_sources(settings, server or "influxdb", token=token)
    sensors, unasked = known_sensors(settings)
    defaults = grafana_folder.dashboard_defaults(settings, sensors)
    files = {
        path: text
        for one in sources
        for path, text in grafana_folder.provisioning_files(one, defaults).items()
    }
    if home:
        files |= start_page.start_page_files(sources[0], without_login=without_login)
    with acting_as_root():
        grafana_folder.write_folder(folder, files)
    print_lines(grafana_folder.instruction_lines(folder, sources, start_page.install_lines() if home else ()))
    if home:
        print_lines(["", *start_page.screen_lines(without_login=without_login)])
    if unasked:
        unnamed = _("The dashboards do not know what your watches are called: {why}")
        print_wrapped(["", unnamed.format(why=unasked)])
