"""A folder to be copied into Grafana's own, with the values of one owner filled in."""

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ingest.errors import Stop
from ingest.grafana.boards import dashboards
from ingest.grafana.boards.week import WEEK
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import (
    FOLDER,
    GRAFANA,
    DataSource,
    dashboards_yaml,
    datasource_yaml,
    influxdb,
    sqlite,
    victoriametrics,
)
from ingest.grafana.sqlite import Sqlite
from ingest.language import gettext
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings.model import InfluxSettings, Settings
from ingest.system.files import write_file

CHECKSUMS = f"{FOLDER}/SHA256SUMS"
"""What we wrote, so that we never write over what somebody else has written or changed."""

WEEKS = {"monday", "saturday", "sunday"}
"""The days that Grafana lets a week begin with."""


def data_sources(settings: Settings, server: str, *, token: bool = False) -> list[DataSource]:
    """The stores that the settings ask for.

    `server` says what the one below [influx] is, influxdb or victoriametrics; `token` that Grafana needs one for it even
    though the settings name no file with ours.
    """
    found = [sqlite(str(settings.store_file))]
    if settings.influx:
        found.append(_server_source(settings.influx, server, token=token))
    return found


def _server_source(influx: InfluxSettings, server: str, *, token: bool) -> DataSource:
    has_token = token or influx.token_file is not None
    has_sites = bool(influx.site)
    if server == "victoriametrics":
        return victoriametrics(influx.url, has_token=has_token, has_sites=has_sites)
    return influxdb(influx.url, influx.bucket, has_token=has_token, has_sites=has_sites)


def dashboard_defaults(settings: Settings, sensors: Mapping[str, str]) -> DashboardDefaults:
    """How the dashboards look at first: the first person's, in the zone and the weeks that all persons share.

    `sensors` are the names of sources.
    """
    zones = {p.zone for p in settings.persons}
    weeks = {p.week_begins for p in settings.persons} or {"monday"}
    return DashboardDefaults(
        zone=zones.pop() if len(zones) == 1 else "browser",
        week_begins=weeks.pop() if len(weeks) == 1 and weeks <= WEEKS else "",
        person=settings.persons[0].name if settings.persons else "",
        site=settings.influx.site or "" if settings.influx else "",
        sensors=sensors,
    )


def provisioning_files(source: DataSource, defaults: DashboardDefaults) -> dict[str, str]:
    """Everything Grafana needs for one store: path below its own folder -> content."""
    found = {
        f"provisioning/datasources/{source.uid}.yaml": datasource_yaml(source),
        f"provisioning/dashboards/{source.uid}.yaml": dashboards_yaml(source),
    }
    for one in dashboards(source.language):
        content = dashboard_json(one, source.language, source.uid, defaults)
        found[f"{FOLDER}/{source.name}/{one.name}.json"] = (
            json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        )
    return found


def default_files() -> dict[str, str]:
    """What config/grafana holds: each store with the paths and addresses of a usual installation, and servers of many Pis."""
    usual = (
        sqlite("/var/lib/hartslag/store/hartslag.db"),
        influxdb("http://127.0.0.1:8086", "hartslag", has_token=False, has_sites=True),
        victoriametrics("http://127.0.0.1:8428", has_token=False, has_sites=True),
    )
    return {
        f"{source.name}/{path}": text
        for source in usual
        for path, text in provisioning_files(source, DashboardDefaults()).items()
    }


def write_folder(folder: Path, wanted: Mapping[str, str]) -> None:
    """Put files into a folder, and take away those that an earlier call put there and that are no longer wanted.

    Raises Stop, having written nothing, when something would be lost that we did not write; and where it may not write.
    """
    try:
        _write_folder(folder, wanted)
    except OSError as e:
        raise Stop(_words(e, folder)) from e


def _words(e: OSError, folder: Path) -> str:
    """What kept us from writing, and what to do about it."""
    path = Path(e.filename or folder)
    # A file is written beside its place first, under a name that nobody knows.
    place = quoted(str(path.parent if path.suffix == ".tmp" else path))
    if isinstance(e, PermissionError):
        return _(
            "{place} is not this user's to write. Put sudo before the same line; or name a folder of your own, like"
            " for-grafana, and it says how to copy that."
        ).format(place=place)
    return _("{place} cannot be written: {why}. Mend that, or name another folder.").format(
        place=place, why=e.strerror
    )


def _write_folder(folder: Path, wanted: Mapping[str, str]) -> None:
    recorded = _read_checksums(folder)
    new = {path: {_checksum(text.encode())} for path, text in wanted.items()}
    foreign = [path for path in wanted if _is_foreign(folder / path, new[path] | recorded.get(path, set()))]
    if foreign:
        names = ", ".join([quoted(str(folder / p)) for p in foreign[:3]] + (["..."] if foreign[3:] else []))
        raise Stop(
            _(
                "{files} was not written by hartslag, or has been changed since. Move it away, or name another folder."
            ).format(files=names)
        )
    # After a power cut between the files each is still one of ours, be it the one from before or the new one.
    _write_checksums(folder, {p: new.get(p, set()) | recorded.get(p, set()) for p in new | recorded})
    for path in recorded.keys() - wanted.keys():
        if not _is_foreign(folder / path, recorded[path]):
            (folder / path).unlink(missing_ok=True)
    for path, text in wanted.items():
        _write(folder / path, text)
    _write_checksums(folder, new)


def _write_checksums(folder: Path, checksums: Mapping[str, set[str]]) -> None:
    lines = [f"{one}  {path}\n" for path in sorted(checksums) for one in sorted(checksums[path])]
    _write(folder / CHECKSUMS, "".join(lines))


def _write(path: Path, text: str) -> None:
    """A file that everybody may read, whatever the umask: there is no secret in it, and Grafana is another user."""
    for made in reversed([above for above in path.parents if not above.exists()]):
        made.mkdir(exist_ok=True)
        made.chmod(0o755)
    write_file(path, text.encode())
    path.chmod(0o644)


def _read_checksums(folder: Path) -> dict[str, set[str]]:
    """What was written before: path -> checksums, several where a power cut came between."""
    found: dict[str, set[str]] = {}
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return found
    for line in lines:
        checksum, _, path = line.partition("  ")
        # Whoever writes a line of their own shall not have a file elsewhere taken away by it.
        if ".." not in Path(path).parts and not Path(path).is_absolute():
            found.setdefault(path, set()).add(checksum)
    return found


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_foreign(path: Path, ours: set[str]) -> bool:
    """Whether something stands there that has none of these checksums."""
    try:
        return _checksum(path.read_bytes()) not in ours
    except (FileNotFoundError, NotADirectoryError):
        return False


def instruction_lines(
    folder: Path, sources: Sequence[DataSource], before_restart: Iterable[str] = ()
) -> Iterator[str]:
    """What to do next, in plain lines, the commands indented."""
    yield _("Written to {folder}. Now, on the computer where Grafana runs:").format(
        folder=quoted(str(folder))
    )
    yield ""
    if any(source.language.type == Sqlite().type for source in sources):
        yield f"  sudo grafana-cli plugins install {Sqlite().type}"
    if folder.absolute() != Path(GRAFANA):
        yield f"  sudo cp -r {shlex.quote(str(folder))}/. {GRAFANA}/"
    for source in sources:
        if source.has_token:
            yield f"  sudo install -m 640 -g grafana /dev/stdin {source.token_file}"
    if any(source.language.type == Sqlite().type for source in sources):
        yield "  sudo usermod -aG hartslag grafana"
    yield from before_restart
    yield "  sudo systemctl enable grafana-server"
    yield "  sudo systemctl restart grafana-server"
    yield ""
    if any(source.has_token for source in sources):
        yield _(
            "The line with /dev/stdin waits for a token that may read the bucket: paste it, press Enter, then Ctrl-D."
        )
    for source in sources:
        if str(source.json_data.get("path", "")).startswith(("/home/", "/root/")):
            yield _(
                "Grafana may not look into /home, where {path} is: docs/grafana.md says what helps."
            ).format(path=source.json_data["path"])
    yield _(
        "Then open http://localhost:3000: the dashboard is called {title}. Run this again after an update, and when a"
        " sensor or a person is new."
    ).format(title=gettext(WEEK.title))
