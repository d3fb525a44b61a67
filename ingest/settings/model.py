"""What the owner can decide: a class for each table of the settings file, and the whole as the program works with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.language import ENGLISH, N_, languages
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings.names import NOBODY, same_name, wrong_with_name
from ingest.settings.person import (
    PauseEntry,
    PersonSettings,
    PlanEntry,
    ProfileEntry,
    SportEntry,
    TargetEntry,
    TravelEntry,
)
from ingest.settings.table import (
    Setting,
    SettingsTable,
    flag,
    found_but_right,
    many,
    number,
    setting,
    text,
    unfit,
    whole,
)

# --- straps, watches and the adapter ----------------------------------------------------------------------


def _on_one_line(right: str) -> Callable[[str], str]:
    def keep(found: str) -> str:
        if not found.isprintable() or found != found.strip() or not 1 <= len(found.encode()) <= 248:
            raise ValueError(found_but_right(quoted(found), right))
        return found

    return keep


_ADVERTISED = N_("the text that `hartslag scan` shows")


def _address(found: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", found) is None:
        raise ValueError(found_but_right(quoted(found), N_('an address like "A0:9E:1A:12:34:56"')))
    return found.upper().replace("-", ":")


_STRAP_ADDRESS = N_(
    'the address of the strap in quotes, like "A0:9E:1A:12:34:56", or name and serial of one that changes its address'
)


def _one_way_to_know_it(address: str | None, before: Mapping[str, Any]) -> None:
    if not {"name", "serial"} <= before.keys():
        return  # that one is wrong and says so itself
    name, serial = before["name"], before["serial"]
    if address is None and name is None and serial is None:
        raise ValueError(_("missing; right would be {right}").format(right=_(_STRAP_ADDRESS)))
    if address is None and serial is None:
        raise ValueError(
            _(
                "serial is missing; a name alone could be a neighbour's strap; give both name and serial, or an address"
            )
        )
    if address is None and name is None:
        raise ValueError(
            _(
                "name is missing; a serial number is only told after connecting; give both name and serial, or an address"
            )
        )
    if address is not None and serial is not None:
        raise ValueError(
            _("found {found} beside a serial number; give an address, or both name and serial").format(
                found=quoted(address)
            )
        )


class StrapSettings(SettingsTable):
    """A sensor that is listened to, and whose heart it hears.

    `name` is what people see. Without an address it is also, with the serial number, how the sensor is known.
    """

    name: str | None = setting(
        text(
            _on_one_line(
                N_(
                    "the text that `hartslag scan` shows, or beside an address a name of your own, on one line"
                )
            )
        ),
        N_("a name in quotes; where there is no address, the one that `hartslag scan` shows"),
        default=None,
    )
    serial: str | None = setting(
        text(_on_one_line(_ADVERTISED)),
        N_("the serial number that `hartslag scan` shows, in quotes"),
        default=None,
    )
    address: str | None = setting(text(_address), _STRAP_ADDRESS, default=None, checks=(_one_way_to_know_it,))
    person: str = setting(text(), N_("the name of one of the persons in quotes"))
    pair: bool = setting(flag, N_("true or false, without quotes"), default=False)

    @property
    def source(self) -> str:
        """What the journal calls it, for ever."""
        return f"strap {self.address or f'{self.name} {self.serial}'}"


def _watch_serial(found: object) -> str:
    digits = str(found) if type(found) is int else found
    if not isinstance(digits, str):
        raise unfit(found)
    if re.fullmatch(r"[0-9]{1,10}", digits) is None or not 0 < int(digits) < 1 << 32:
        raise ValueError(found_but_right(quoted(digits), _WATCH_SERIAL))
    return str(int(digits))


_WATCH_SERIAL = N_("the digits that `hartslag status` shows for the watch")


class WatchSettings(SettingsTable):
    """Whose a watch is when it is plugged in, and what people call it; it is known by the serial number in its files."""

    serial: str = setting(_watch_serial, _WATCH_SERIAL)
    person: str | None = setting(text(), N_("the name of one of the persons in quotes"), default=None)
    name: str | None = setting(
        text(_on_one_line(N_("a name on one line, without spaces around it"))),
        N_('a name in quotes, like "Anna\'s watch"'),
        default=None,
    )


class BluetoothSettings(SettingsTable):
    """Which of several adapters listens."""

    adapter: str | None = setting(
        text(_address), N_('the address of the adapter in quotes, like "B8:27:EB:12:34:56"'), default=None
    )


# --- the server, the inbox, the folder --------------------------------------------------------------------


def _url(found: str) -> str:
    from urllib.parse import urlsplit  # only where a server is named

    try:
        parts = urlsplit(found)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # "a..b" is no name, nor is one with a very long part
    except ValueError:
        good = False
    # The text itself is not shown again: somebody may have written a password into it.
    if not good or any(ch.isspace() or not ch.isprintable() for ch in found):
        raise ValueError(_('right would be an address like "http://127.0.0.1:8086"'))
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            _('write the address alone, like "http://127.0.0.1:8086"; a token goes into token_file')
        )
    return found.rstrip("/")


def _path(found: object) -> Path:
    if isinstance(found, Path):
        return found
    if not isinstance(found, str):
        raise unfit(found)
    if not found or not found.isprintable():
        raise ValueError(found_but_right(quoted(found), N_("a path without invisible characters")))
    return Path(found)


def _bucket(name: str) -> str:
    # What stands before the first / is the database that is asked.
    if not name.partition("/")[0].strip() or not name.isprintable():
        raise ValueError(found_but_right(quoted(name), N_("the name of the bucket in quotes")))
    return name


def _site(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", name):
        raise ValueError(found_but_right(quoted(name), N_('letters, digits, - . and _ only, like "room-7"')))
    return name


class InfluxSettings(SettingsTable):
    """A server that is sent what the store for Grafana holds."""

    url: str = setting(text(_url), N_('an address like "http://127.0.0.1:8086"'))
    org: str = setting(text(least=1), N_("the name of the organisation in quotes"), default="hartslag")
    bucket: str = setting(text(_bucket), N_("the name of the bucket in quotes"), default="hartslag")
    token_file: Path | None = setting(
        _path, N_('a path in quotes, like "/etc/hartslag/token"'), default=None, secret=True
    )
    site: str | None = setting(
        text(_site), N_('a short name of this Pi in quotes, like "room-7"'), default=None
    )


def _longer_than_settling(patience: float, before: Mapping[str, Any]) -> None:
    settle = before.get("settle_s", 0.0)
    if patience < settle:
        raise ValueError(
            _("found {found}; right would be at least settle_s, {settle_s}").format(
                found=f"{patience:g}", settle_s=f"{settle:g}"
            )
        )


class InboxSettings(SettingsTable):
    """How files that are dropped are taken."""

    settle_s: float = setting(number(0, 600), N_("seconds from 0 to 600, without quotes"), default=2.0)
    patience_s: float = setting(
        number(0, 86400),
        N_("seconds from 0 to 86400, without quotes"),
        default=60.0,
        checks=(_longer_than_settling,),
    )
    largest_mb: int = setting(
        whole(1, 1024), N_("whole megabytes from 1 to 1024, without quotes"), default=64
    )


class DataSettings(SettingsTable):
    """Where everything is kept."""

    folder: Path | None = setting(_path, N_('a folder in quotes, like "/var/lib/hartslag"'), default=None)


class ReportSettings(SettingsTable):
    """Where the daemon keeps a page of each person that is never older than a day."""

    folder: Path | None = setting(_path, 'a folder in quotes, like "/var/lib/hartslag/report"', default=None)


class BackupSettings(SettingsTable):
    """Where the daemon keeps copies of everything, never older than an hour."""

    folder: Path | None = setting(_path, N_('a folder in quotes, like "/media/usb/hartslag"'), default=None)


# --- the whole --------------------------------------------------------------------------------------------


def _language(found: str) -> str:
    if found not in languages():
        these = ", ".join(f'"{language}"' for language in languages())
        raise ValueError(
            _("found {found}; right would be one of {these}").format(found=quoted(found), these=these)
        )
    return found


class FileSettings(SettingsTable):
    """The whole file: what stands above all headings, then a key for each heading, a tuple where it may stand often."""

    language: str | None = setting(text(_language), N_('a language in quotes, like "nl"'), default=None)
    data: DataSettings = setting(DataSettings.read, default_factory=DataSettings)
    inbox: InboxSettings = setting(InboxSettings.read, default_factory=InboxSettings)
    person: tuple[PersonSettings, ...] = setting(many(PersonSettings.read), default=())
    strap: tuple[StrapSettings, ...] = setting(many(StrapSettings.read), default=())
    watch: tuple[WatchSettings, ...] = setting(many(WatchSettings.read), default=())
    bluetooth: BluetoothSettings = setting(BluetoothSettings.read, default_factory=BluetoothSettings)
    influx: InfluxSettings | None = setting(InfluxSettings.read, default=None)
    report: ReportSettings = setting(ReportSettings.read, default_factory=ReportSettings)
    backup: BackupSettings = setting(BackupSettings.read, default_factory=BackupSettings)


TABLES: Mapping[str, type[SettingsTable]] = {
    "data": DataSettings,
    "inbox": InboxSettings,
    "person": PersonSettings,
    "person.profile": ProfileEntry,
    "person.sport": SportEntry,
    "person.target": TargetEntry,
    "person.plan": PlanEntry,
    "person.pause": PauseEntry,
    "person.travel": TravelEntry,
    "strap": StrapSettings,
    "watch": WatchSettings,
    "bluetooth": BluetoothSettings,
    "influx": InfluxSettings,
    "report": ReportSettings,
    "backup": BackupSettings,
}
MANY = frozenset(
    {
        "person",
        "person.profile",
        "person.sport",
        "person.target",
        "person.pause",
        "person.travel",
        "strap",
        "watch",
    }
)
"""Tables that may stand several times, with double brackets."""


TOP = ""
"""The place of what stands above all headings."""


def keys(table: str) -> dict[str, Setting]:
    """What may stand below a heading, or at the top, as it is written there; headings of its own are left out."""
    settings = TABLES[table].SETTINGS if table else FileSettings.SETTINGS
    named = {found.key or name: found for name, found in settings.items()}
    below = f"{table}." if table else ""
    return {name: found for name, found in named.items() if f"{below}{name}" not in TABLES}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the owner has decided, complete with defaults; all paths are absolute."""

    data: Path
    file: Path | None = None
    persons: tuple[PersonSettings, ...] = ()
    straps: tuple[StrapSettings, ...] = ()
    influx: InfluxSettings | None = None
    inbox: InboxSettings = field(default_factory=InboxSettings)
    bluetooth: BluetoothSettings = field(default_factory=BluetoothSettings)
    watches: tuple[WatchSettings, ...] = ()
    language: str = ENGLISH
    """That which people are spoken to in; without a setting the system's."""
    report_folder: Path | None = None
    """Where pages are renewed each day; None: nowhere."""
    backup_folder: Path | None = None
    """Where copies of everything are kept; None: nowhere."""
    mark: str = field(default="", compare=False)
    """Differs where the file held anything else, comments apart; so a clock that was wrong at the start deceives nobody."""

    @property
    def names_are_open(self) -> bool:
        """Whether a new folder in the inbox is a new person: nobody has been named in the settings."""
        return not self.persons

    @property
    def default_person(self) -> str:
        """Who owns a file that lies directly in the inbox."""
        return self.persons[0].name if self.persons else NOBODY

    def person(self, name: str) -> PersonSettings | None:
        """The person of that name, however it is capitalised; while names are open, anybody with a usable one."""
        if self.names_are_open:
            return None if wrong_with_name(name) else PersonSettings(name=name)
        return next((p for p in self.persons if same_name(p.name) == same_name(name)), None)

    def owner_of_watch(self, serial: str) -> str | None:
        """Whose files a watch brings that is plugged in; the only person there is needs no line. None: nobody knows."""
        named = next((w.person for w in self.watches if w.serial == serial), None)
        return named or (self.default_person if len(self.persons) < 2 else None)

    @property
    def inbox_folder(self) -> Path:
        return self.data / "inbox"

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def watch_folder(self) -> Path:
        """What is known of watches that were plugged in."""
        return self.data / "watches"

    @property
    def rejected(self) -> Path:
        return self.data / "rejected"

    @property
    def journal_file(self) -> Path:
        return self.data / "journal" / "journal.db"

    @property
    def store_file(self) -> Path:
        return self.data / "store" / "hartslag.db"
