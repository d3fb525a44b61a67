"""What the owner has decided: one TOML file in, checked settings or every mistake in words out.

Nothing here touches the journal, a store or the network, and the file with a token is not read.
"""

import contextlib
import re
import tomllib
import unicodedata
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from ingest.errors import WrongSettings
from ingest.log import quoted
from ingest.settings import profile_history

SYSTEM_FILE = Path("/etc/hartslag/hartslag.toml")
"""Where an installed daemon finds its settings."""

FILE_NAME = "hartslag.toml"

LARGEST_FILE = 1 << 20
"""Bytes; a thousand persons fit. Anything larger was named by mistake, and shall not fill the memory."""

NOBODY = "me"
"""Who the heart belongs to as long as nobody has been named."""


# --- what may stand in the file ---------------------------------------------------------------------------


def wrong_with_name(name: str) -> str | None:
    """Why `name` cannot be a person's name, and with it a folder on any computer in the house; None if it can."""
    if not 1 <= len(name) <= 40:
        return "a name has 1 to 40 characters"
    if any(unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for ch in name):
        return "a name has no invisible characters"
    if found := sorted(set(name) & set('/\\<>:"|?*')):
        return f"a name is also a folder and cannot contain {' '.join(found)}"
    if name[0] == "." or name != name.strip() or name[-1] == ".":
        return "a name is also a folder and cannot begin with a dot, end with one, or stand between spaces"
    if re.fullmatch(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", name, re.IGNORECASE):
        return "Windows cannot have a folder of this name"
    return None


def same_name(name: str) -> str:
    """What two spellings of one name have in common: a Mac's accents and a share's capitals make no new person."""
    return unicodedata.normalize("NFC", name).casefold()


def _name(name: str) -> str:
    if wrong := wrong_with_name(name):
        raise ValueError(f"found {quoted(name)}; {wrong}")
    return unicodedata.normalize("NFC", name)


def _zone(name: str) -> str:
    # The system's folder of zones also holds these: with leap seconds, or not the same everywhere.
    odd = name.startswith(("right/", "posix/")) or name in {"localtime", "posixrules", "Factory"}
    try:
        if not odd:
            ZoneInfo(name)
            return name
    except (KeyError, ValueError, OSError):
        pass
    known = {zone.casefold(): zone for zone in available_timezones()}
    cities = {key.rpartition("/")[2]: zone for key, zone in sorted(known.items())}
    key = name.strip().casefold().replace(" ", "_")
    near = known | cities
    hint = "".join(f"; did you mean {quoted(near[k])}?" for k in get_close_matches(key, near, 1, 0.75))
    raise ValueError(
        f'found {quoted(name)}, which is no time zone; right would be one like "Europe/Amsterdam"{hint}'
    )


def machine_zone() -> str:
    """The name of the time zone this machine is set to, "UTC" when that cannot be known."""
    from tzlocal import get_localzone_name

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing is set; UTC is our answer to that
        with contextlib.suppress(KeyError, ValueError, OSError):
            return _zone(get_localzone_name() or "UTC")
    return "UTC"


def _address(address: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", address) is None:
        raise ValueError(f'found {quoted(address)}; right would be an address like "A0:9E:1A:12:34:56"')
    return address.upper().replace("-", ":")


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    # The text itself is not shown again: somebody may have written a password into it.
    if not good or any(ch.isspace() or not ch.isprintable() for ch in url):
        raise ValueError('right would be an address like "http://127.0.0.1:8086"')
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            'write the address alone, like "http://127.0.0.1:8086"; a token goes into token_file'
        )
    return url.rstrip("/")


def _path(path: object) -> object:
    if isinstance(path, str) and (not path or not path.isprintable()):
        raise ValueError(f"found {quoted(path)}; right would be a path without invisible characters")
    return Path(path) if isinstance(path, str) else path


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, allow_inf_nan=False
    )


def _bpm(least: int, most: int) -> Any:
    """A heart rate that may be left out."""
    says = f"a whole number of beats per minute from {least} to {most}, without quotes"
    return Field(default=None, ge=least, le=most, description=says)


class _Limits(_Table):
    """A maximum and limits of one's own, in beats per minute."""

    maximum_bpm: int | None = _bpm(100, 230)
    moderate_bpm: int | None = _bpm(40, 220)
    vigorous_bpm: int | None = _bpm(40, 220)

    @field_validator("moderate_bpm", "vigorous_bpm", mode="before")
    @classmethod
    def _no_percent_sign(cls, limit: object) -> object:
        if isinstance(limit, str) and (found := re.fullmatch(r"\s*([\d.]+)\s*%\s*", limit)):
            raise ValueError(f"found {found[1]} percent; limits are in beats per minute, like 115")
        return limit

    @field_validator("moderate_bpm", "vigorous_bpm")
    @classmethod
    def _no_percentage(cls, limit: int | None, info: ValidationInfo) -> int | None:
        if limit is None:
            return None
        maximum = info.data.get("maximum_bpm")
        # Guidelines put moderate at 64 to 76 percent of the maximum and vigorous above; as beats these are the
        # rates of somebody sitting. Medicines can bring a heart there, but then its maximum is low as well.
        most_percent, least_share = (76, 0.5) if info.field_name == "moderate_bpm" else (100, 0.6)
        if limit <= most_percent and (maximum is None or limit < least_share * maximum):
            raise ValueError(
                f"found {limit}; {limit} would be a heart rate of {limit}; limits are in beats per minute, "
                "not in percent (if a medicine keeps your heart this slow, give your maximum_bpm too)"
            )
        if maximum is not None and limit >= maximum:
            raise ValueError(f"found {limit}; right would be less than maximum_bpm, which is {maximum}")
        return limit

    @field_validator("vigorous_bpm")
    @classmethod
    def _both_in_order(cls, vigorous: int | None, info: ValidationInfo) -> int | None:
        if "moderate_bpm" not in info.data:
            return vigorous  # that one is wrong and says so itself
        moderate = info.data["moderate_bpm"]
        if (moderate is None) != (vigorous is None):
            absent = "moderate_bpm" if moderate is None else "vigorous_bpm"
            raise ValueError(
                f"{absent} is missing; give both limits, moderate_bpm and vigorous_bpm, or neither"
            )
        if moderate is not None and vigorous is not None and vigorous <= moderate:
            raise ValueError(f"found {vigorous}; right would be more than moderate_bpm, which is {moderate}")
        return vigorous


_DATE = "a date like 2026-03-01, without quotes"


class ProfileEntry(_Limits):
    """What is known of a heart from a day on; what it does not say stays as it was before."""

    since: date = Field(alias="from", description=_DATE)
    method: Literal["bpm", "max", "reserve", "threshold", "age"] | None = Field(
        default=None, description='one of "bpm", "max", "reserve", "threshold", "age"'
    )
    resting_bpm: int | None = _bpm(30, 120)
    threshold_bpm: int | None = _bpm(80, 220)
    sport: Literal["running", "cycling"] | None = Field(
        default=None, description='"running" or "cycling", in which the threshold was measured'
    )
    formula: Literal["fox", "tanaka", "gellish", "nes", "gulati", "sydo-women", "sydo-men"] | None = Field(
        default=None,
        description='one of "nes", "tanaka", "gellish", "fox", "gulati", "sydo-women", "sydo-men"',
    )
    limiting_medicine: bool | None = Field(default=None, description="true or false, without quotes")


def _sport(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_ ]{1,40}", name):
        like = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
        hint = f"; did you mean {quoted(like)}?" if like else ""
        raise ValueError(f'found {quoted(name)}; right would be a sport like "hand_cycling"{hint}')
    return name


class SportEntry(_Table):
    """How the limits differ in one sport."""

    name: Annotated[str, AfterValidator(_sport)] = Field(
        description='a sport as the watch calls it, in quotes, like "hand_cycling"'
    )
    since: date | None = Field(default=None, alias="from", description=_DATE)
    offset_bpm: int | None = Field(
        default=None,
        ge=-profile_history.LARGEST_OFFSET_BPM,
        le=profile_history.LARGEST_OFFSET_BPM,
        description="whole beats per minute from -30 to 30, without quotes",
    )
    moderate_bpm: int | None = _bpm(40, 220)
    vigorous_bpm: int | None = _bpm(40, 220)


class Target(_Table):
    """A target for the weeks that begin on a day or later."""

    since: date = Field(alias="from", description=_DATE)
    target_min: int = Field(ge=1, le=2000, description="whole minutes a week, from 1 to 2000, without quotes")


class Steps(_Table):
    """A target that rises step by step and stays at the last one."""

    since: date = Field(alias="from", description=_DATE)
    targets_min: Annotated[
        tuple[Annotated[int, Field(ge=1, le=2000)], ...], Field(strict=False, min_length=1, max_length=100)
    ] = Field(description="a list of whole minutes a week, each from 1 to 2000, like [60, 90, 120, 150]")
    weeks: int = Field(default=4, ge=1, le=52, description="whole weeks from 1 to 52, without quotes")


class Pause(_Table):
    """Days whose weeks are not to be judged."""

    since: date = Field(alias="from", description=_DATE)
    to: date = Field(description=_DATE)
    why: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="a few words in quotes, 100 characters at most",
    )

    @field_validator("why")
    @classmethod
    def _one_line(cls, why: str | None) -> str | None:
        if why is not None and not why.isprintable():
            raise ValueError("right would be a few words without invisible characters")
        return why


class Travel(_Table):
    """Days in another time zone."""

    since: date = Field(alias="from", description=_DATE)
    to: date | None = Field(default=None, description=_DATE)
    zone: Annotated[str, AfterValidator(_zone)] = Field(description='a time zone like "Asia/Kolkata"')


def _week(name: str) -> str:
    # Whether a year has a week 53 depends on the day a week begins: the person says that.
    if re.fullmatch(r"(19|20|21)[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])", name):
        return name
    raise ValueError(f'found {quoted(name)}; right would be a week like "2026-W47"')


def _weeks_in(year: int, first_weekday: int) -> int:
    """How many weeks a year has: as many as it has of the fourth day of a week, as in ISO 8601."""
    last = date(year, 12, 31)
    last -= timedelta(days=(last.weekday() - first_weekday - 3) % 7)
    return (last - date(year, 1, 1)).days // 7 + 1


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Person(_Limits):
    """Somebody whose heart rate is collected; the description of each key says what would be right."""

    name: Annotated[str, AfterValidator(_name)] = Field(description="a first name in quotes")
    born: int | None = Field(default=None, ge=1900, description="a year like 1978, without quotes")
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default_factory=machine_zone, description='a time zone like "Europe/Amsterdam"'
    )
    target_min: int = Field(
        default=150, ge=1, le=2000, description="whole minutes a week, from 1 to 2000, without quotes"
    )
    sex: Literal["woman", "man"] | None = Field(default=None, description='"woman" or "man"')
    week_begins: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        Field(default="monday", description='a day of the week in small letters, like "monday"')
    )
    bout_min: int | None = Field(
        default=None, ge=1, le=60, description="whole minutes from 1 to 60, without quotes"
    )
    not_judged: Annotated[tuple[Annotated[str, AfterValidator(_week)], ...], Field(strict=False)] = Field(
        default=(), description='a list of weeks like ["2026-W47", "2026-W48"]'
    )
    profile: Annotated[tuple[ProfileEntry, ...], Field(strict=False)] = ()
    sport: Annotated[tuple[SportEntry, ...], Field(strict=False)] = ()
    target: Annotated[tuple[Target, ...], Field(strict=False)] = ()
    plan: Steps | None = None
    pause: Annotated[tuple[Pause, ...], Field(strict=False)] = ()
    travel: Annotated[tuple[Travel, ...], Field(strict=False)] = ()

    def facts(self) -> dict[str, Any]:
        """What decides derived numbers, for the journal to remember: set keys only, sorted, fit for JSON.

        Entries stand in the order of their days, so that moving them about in the file is no news.
        """
        found = self.model_dump(mode="json", by_alias=True, exclude={"name"}, exclude_none=True)
        if found["week_begins"] == WEEKDAYS[0]:
            del found["week_begins"]
        for key, value in found.items():
            if isinstance(value, list):
                value.sort(
                    key=lambda e: (e.get("from", ""), e.get("name", "")) if isinstance(e, dict) else (e, "")
                )
                found[key] = value
        return {key: value for key, value in sorted(found.items()) if value != []}

    @field_validator("not_judged")
    @classmethod
    def _weeks_that_are(cls, weeks: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        begins = info.data.get("week_begins")  # without it that one is wrong and says so itself
        for name in weeks if begins else ():
            year, number = name.split("-W")
            most = _weeks_in(int(year), WEEKDAYS.index(begins))
            if int(number) > most:
                raise ValueError(
                    f"found {quoted(name)}, but where weeks begin on {begins} the last week of {year} is W{most}"
                )
        return weeks

    @field_validator("born", mode="before")
    @classmethod
    def _a_year(cls, born: object) -> object:
        text = born.isoformat() if isinstance(born, date) else born
        if isinstance(text, str) and (found := re.match(r"(\d{4})-\d\d?-\d\d?", text)):
            raise ValueError(f"found {found[0]}; the year is enough: born = {found[1]}")
        return born

    @field_validator("born")
    @classmethod
    def _a_year_that_was(cls, born: int | None) -> int | None:
        # A Pi has no clock of its own and may start in 1970: its owner is not refused for that.
        this_year = max(datetime.now().astimezone().year, 2026)
        if born is not None and born > this_year:
            raise ValueError(f"found {born}; right would be a year from 1900 to {this_year}")
        return born


def _as_advertised(text: str) -> str:
    if not text.isprintable() or text != text.strip() or not 1 <= len(text.encode()) <= 248:
        raise ValueError(f"found {quoted(text)}; right would be the text that `hartslag scan` shows")
    return text


class Strap(_Table):
    """A sensor that is listened to, and whose heart it hears."""

    name: Annotated[str, AfterValidator(_as_advertised)] | None = Field(
        default=None, description="the name that `hartslag scan` shows, in quotes"
    )
    serial: Annotated[str, AfterValidator(_as_advertised)] | None = Field(
        default=None, description="the serial number that `hartslag scan` shows, in quotes"
    )
    address: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description='the address of the strap in quotes, like "A0:9E:1A:12:34:56", or name and serial of one that changes'
        " its address",
    )
    person: str = Field(description="the name of one of the persons in quotes")
    pair: bool = Field(default=False, description="true or false, without quotes")

    @property
    def source(self) -> str:
        """What the journal calls it, for ever."""
        return f"strap {self.address or f'{self.name} {self.serial}'}"

    @field_validator("address")
    @classmethod
    def _one_way_to_know_it(cls, address: str | None, info: ValidationInfo) -> str | None:
        if not {"name", "serial"} <= info.data.keys():
            return address  # that one is wrong and says so itself
        name, serial = info.data["name"], info.data["serial"]
        if address is None and name is None and serial is None:
            raise ValueError(f"missing; right would be {cls.model_fields['address'].description}")
        if address is None and (name is None or serial is None):
            absent, why = (
                ("serial", "a name alone could be a neighbour's strap")
                if serial is None
                else ("name", "a serial number is only told after connecting")
            )
            raise ValueError(f"{absent} is missing; {why}; give both name and serial, or an address")
        if address is not None and (name is not None or serial is not None):
            raise ValueError(
                f"found {quoted(address)} beside name or serial; give an address, or both name and serial"
            )
        return address


class Bluetooth(_Table):
    """Which of several adapters listens."""

    adapter: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None, description='the address of the adapter in quotes, like "B8:27:EB:12:34:56"'
    )


def _site(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", name):
        raise ValueError(
            f'found {quoted(name)}; right would be letters, digits, - . and _ only, like "room-7"'
        )
    return name


class Influx(_Table):
    """A server that is sent what the store for Grafana holds."""

    url: Annotated[str, AfterValidator(_url)] = Field(description='an address like "http://127.0.0.1:8086"')
    org: str = Field(default="hartslag", min_length=1, description="the name of the organisation in quotes")
    bucket: str = Field(default="hartslag", min_length=1, description="the name of the bucket in quotes")
    token_file: Annotated[Path | None, BeforeValidator(_path)] = Field(
        default=None, description='a path in quotes, like "/etc/hartslag/token"'
    )
    site: Annotated[str, AfterValidator(_site)] | None = Field(
        default=None, description='a short name of this Pi in quotes, like "room-7"'
    )


class Inbox(_Table):
    """How files that are dropped are taken."""

    settle_s: float = Field(default=2.0, ge=0, le=600, description="seconds from 0 to 600, without quotes")
    patience_s: float = Field(
        default=60.0, ge=0, le=86400, description="seconds from 0 to 86400, without quotes"
    )
    largest_mb: int = Field(
        default=64, ge=1, le=1024, description="whole megabytes from 1 to 1024, without quotes"
    )

    @field_validator("patience_s")
    @classmethod
    def _longer_than_settling(cls, patience: float, info: ValidationInfo) -> float:
        if patience < info.data.get("settle_s", 0):
            raise ValueError(
                f"found {patience:g}; right would be at least settle_s, {info.data['settle_s']:g}"
            )
        return patience


class Data(_Table):
    """Where everything is kept."""

    folder: Annotated[Path | None, BeforeValidator(_path)] = Field(
        default=None, description='a folder in quotes, like "/var/lib/hartslag"'
    )


class Sheet(_Table):
    """The whole file: a field per table, a tuple where the table may stand several times."""

    data: Data = Data()
    inbox: Inbox = Inbox()
    person: Annotated[tuple[Person, ...], Field(strict=False)] = ()
    strap: Annotated[tuple[Strap, ...], Field(strict=False)] = ()
    bluetooth: Bluetooth = Bluetooth()
    influx: Influx | None = None


TABLES: Mapping[str, type[_Table]] = {
    "data": Data,
    "inbox": Inbox,
    "person": Person,
    "person.profile": ProfileEntry,
    "person.sport": SportEntry,
    "person.target": Target,
    "person.plan": Steps,
    "person.pause": Pause,
    "person.travel": Travel,
    "strap": Strap,
    "bluetooth": Bluetooth,
    "influx": Influx,
}
MANY = frozenset(
    {"person", "person.profile", "person.sport", "person.target", "person.pause", "person.travel", "strap"}
)
"""Tables that may stand several times, with double brackets."""


def keys(table: str) -> dict[str, FieldInfo]:
    """What may stand below a heading, as it is written there; headings of its own are left out."""
    fields = TABLES[table].model_fields
    named = {found.alias or name: found for name, found in fields.items()}
    return {name: found for name, found in named.items() if f"{table}.{name}" not in TABLES}


# --- what the program works with --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settings:
    """What the owner has decided, complete with defaults; all paths are absolute."""

    data: Path
    file: Path | None = None
    persons: tuple[Person, ...] = ()
    straps: tuple[Strap, ...] = ()
    influx: Influx | None = None
    inbox: Inbox = field(default_factory=Inbox)
    bluetooth: Bluetooth = field(default_factory=Bluetooth)

    @property
    def names_are_open(self) -> bool:
        """Whether a new folder in the inbox is a new person: nobody has been named in the settings."""
        return not self.persons

    @property
    def default_person(self) -> str:
        """Who owns a file that lies directly in the inbox."""
        return self.persons[0].name if self.persons else NOBODY

    def person(self, name: str) -> Person | None:
        """The person of that name, however it is capitalised; while names are open, anybody with a usable one."""
        if self.names_are_open:
            return None if wrong_with_name(name) else Person(name=name)
        return next((p for p in self.persons if same_name(p.name) == same_name(name)), None)

    @property
    def inbox_folder(self) -> Path:
        return self.data / "inbox"

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def rejected(self) -> Path:
        return self.data / "rejected"

    @property
    def journal_file(self) -> Path:
        return self.data / "journal" / "journal.db"

    @property
    def store_file(self) -> Path:
        return self.data / "store" / "hartslag.db"


def load(
    config: Path | None,
    data: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    system: Path = SYSTEM_FILE,
) -> Settings:
    """The settings in force; `config` and `data` are what the command line said.

    Raises WrongSettings with every mistake, one on each line.
    """
    told = data or (Path(environ["HARTSLAG_DATA"]) if environ.get("HARTSLAG_DATA") else None)
    told = _absolute(told, cwd, environ) if told else None
    file, raw = _find(config, told, environ, cwd, system)
    sheet = _check(raw, file)
    here = file.parent if file else cwd
    if told is None:
        told = (
            _absolute(sheet.data.folder, here, environ) if sheet.data.folder else _absolute(Path("data"), cwd)
        )
    influx = sheet.influx
    if influx and influx.token_file:
        influx = influx.model_copy(update={"token_file": _absolute(influx.token_file, here, environ)})
    return Settings(told, file, sheet.person, sheet.strap, influx, sheet.inbox, sheet.bluetooth)


def _find(
    config: Path | None, data: Path | None, environ: Mapping[str, str], cwd: Path, system: Path
) -> tuple[Path | None, dict[str, Any]]:
    """The settings file that counts and what it holds, or None and nothing where there is none."""
    if config is None and environ.get("HARTSLAG_CONFIG"):
        config = Path(environ["HARTSLAG_CONFIG"])
    if config is not None:
        file = _absolute(config, cwd, environ)
        raw = _read(file)
        if raw is None:
            raise WrongSettings(
                f"There is no settings file {quoted(str(file))}: create it, or name another one."
            )
        return file, raw
    candidates = [(data or _absolute(Path("data"), cwd)) / FILE_NAME, *([system] if data is None else [])]
    for file in candidates:
        if (raw := _read(file)) is not None:
            return file, raw
    return None, {}


def _absolute(path: Path, base: Path, environ: Mapping[str, str] | None = None) -> Path:
    if environ and environ.get("HOME") and path.parts[:1] == ("~",):
        path = Path(environ["HOME"], *path.parts[1:])
    # Without resolving links: the owner shall meet the path as it was written.
    return base.absolute() / path


def _read(file: Path) -> dict[str, Any] | None:
    """What the TOML file holds, None if it does not exist."""
    shown = quoted(str(file))
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise WrongSettings(
            f"The settings file {shown} may not be read by this user: allow it, or run hartslag as its owner."
        ) from error
    except OSError as error:
        raise WrongSettings(f"The settings file {shown} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_FILE:
        raise WrongSettings(
            f"{shown} is larger than a megabyte and surely no settings file: name another one."
        )
    try:
        text = content.decode("utf-8-sig")  # Windows likes to begin a file with a mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongSettings(
            f"The settings file {shown} is not UTF-8 text (line {line}): save it again with the encoding UTF-8."
        ) from error
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise WrongSettings(
            f"The settings file {shown} has lists within lists without end: take them out."
        ) from error
    except ValueError as error:
        raise WrongSettings(f"The settings file {shown} cannot be understood{_syntax(str(error))}") from error


HINTS = (
    ("hex value", "a backslash in double quotes has a meaning of its own; write a path in single quotes"),
    ("Unescaped", "a backslash in double quotes has a meaning of its own; write a path in single quotes"),
    ("Illegal character", "a text must end with its quote on the same line"),
    ("Unterminated string", "a text must end with the quote it began with"),
    ("Invalid value", 'after the = stands a text in quotes, like "Anna", or a number without, like 150'),
    ("Expected '='", "each line is a heading in brackets, like [inbox], or a setting, like settle_s = 2"),
    (
        "Invalid statement",
        "each line is a heading in brackets, like [inbox], or a setting, like settle_s = 2",
    ),
    (
        "Expected newline",
        "a line holds one setting; texts stand in quotes, decimals have a point, not a comma",
    ),
    ("Expected ']'", "a heading ends as it began: [inbox] with single, [[person]] with double brackets"),
    ("Unclosed array", "a list that begins with [ must end with ]"),
    ("Cannot", "this was said before; headings that may repeat have double brackets, like [[person]]"),
)
"""Where the reader of TOML says the first, the second helps the owner of the file."""


def _syntax(problem: str) -> str:
    """Where a TOML file breaks off, and what is most likely wrong there."""
    found = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", problem)
    where = (
        f" at line {found[1]}, column {found[2]}" if found and found[1] else " at its end" if found else ""
    )
    hint = next((hint for sign, hint in HINTS if sign in problem), "compare it with the sample settings file")
    return f"{where}: {hint}."


# --- mistakes, in words -----------------------------------------------------------------------------------


def _check(raw: dict[str, Any], file: Path | None) -> Sheet:
    """The checked file; raises WrongSettings with every mistake in it."""
    complete, mistakes = _between(raw)
    try:
        sheet = Sheet.model_validate(complete)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        mistakes = [
            _sentence(raw, e["loc"], e["type"], e["input"], e.get("ctx", {})) for e in wrong
        ] + mistakes
    mistakes += _within_persons(raw)
    if mistakes:
        count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise WrongSettings("\n".join([f"The settings file {quoted(str(file))} has {count}:", *mistakes]))
    return sheet


def _between(raw: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The file with each strap's person filled in, and the mistakes that only show between two tables."""
    persons = {i: t["name"] for i, t in _tables(raw, "person") if isinstance(t.get("name"), str)}
    straps = dict(_tables(raw, "strap"))
    addresses = {i: t["address"] for i, t in straps.items() if isinstance(t.get("address"), str)}
    serials = {i: f"{t['name']} {t['serial']}" for i, t in straps.items() if {"name", "serial"} <= t.keys()}
    mistakes = [
        *_doubles(raw, "person", "name", {i: same_name(name) for i, name in persons.items()}),
        *_doubles(raw, "strap", "address", {i: a.upper().replace("-", ":") for i, a in addresses.items()}),
        *_doubles(raw, "strap", "serial", serials),
    ]
    names = {same_name(name): unicodedata.normalize("NFC", name) for name in reversed(persons.values())}
    if "person" not in raw:
        names = {NOBODY: NOBODY}
    filled = dict(_tables(raw, "strap"))
    for i, strap in filled.items():
        person = strap.get("person")
        if person is None and len(names) == 1:
            filled[i] = {**strap, "person": next(iter(names.values()))}
        elif isinstance(person, str) and same_name(person) in names:
            filled[i] = {**strap, "person": names[same_name(person)]}
        elif isinstance(person, str) and isinstance(raw.get("person", []), list):
            near = get_close_matches(same_name(person), names, 1)
            hint = f"did you mean {quoted(names[near[0]])}?" if near else "add one, or name another"
            mistakes.append(
                f"{_where(raw, ('strap', i, 'person'))}: there is no [[person]] {quoted(person)}; {hint}"
            )
    if filled:
        raw = {**raw, "strap": [filled.get(i, strap) for i, strap in enumerate(raw["strap"])]}
    return raw, mistakes


def _within_persons(raw: dict[str, Any]) -> Iterator[str]:
    """The mistakes that only show between the entries of one person, where each entry is fine."""
    for i, table in _tables(raw, "person"):
        try:
            person = Person.model_validate(table)
        except ValidationError:
            continue
        facts = person.model_dump(by_alias=True)
        for loc, why in profile_history.mistakes(facts):
            yield f"{_where(raw, ('person', i, *loc))}: {why}"


def _doubles(raw: dict[str, Any], table: str, key: str, values: dict[int, str]) -> Iterator[str]:
    """A mistake for each table whose value an earlier one has."""
    first: dict[str, int] = {}
    for i, value in values.items():
        if (owner := first.setdefault(value, i)) != i:
            found = quoted(str(raw[table][i][key]))
            yield f"{_where(raw, (table, i, key))}: found {found}, which number {owner + 1} has already"


def _tables(raw: dict[str, Any], heading: str) -> Iterator[tuple[int, dict[str, Any]]]:
    found = raw.get(heading)
    return ((i, t) for i, t in enumerate(found if isinstance(found, list) else ()) if isinstance(t, dict))


def _where(raw: dict[str, Any], loc: tuple[int | str, ...]) -> str:
    """A place in the file as its owner would call it: `[[person]] number 2 ("Jan"), born`."""
    match loc:
        case (str(table), int(i), *rest):
            here = raw[table][i]
            name = here.get("name") if table == "person" and isinstance(here, dict) else None
            called = f" ({quoted(name)})" if isinstance(name, str) and name else ""
            return f"[[{table}]] number {i + 1}{called}" + _below(table, rest)
        case (str(table), str(key), *_) if table in TABLES:
            return f"[{table}] {_key(key)}"
        case (str(table),) if table in TABLES:
            return _heading(table)
        case _:
            return _key(loc[0]) if loc else "the file"


def _below(table: str, rest: list[int | str]) -> str:
    """The place within a person: a key, or a heading of its own and the key below that."""
    if not rest:
        return ""
    heading = f"{table}.{rest[0]}"
    if heading not in TABLES:
        return f", {_key(rest[0])}"
    number = [k for k in rest[1:2] if isinstance(k, int)]
    key = rest[2:3] if number else rest[1:2]
    return (
        f", {_heading(heading)}"
        + "".join(f" number {n + 1}" for n in number)
        + "".join(f", {_key(k)}" for k in key)
    )


def _place(loc: tuple[int | str, ...]) -> tuple[str, str | None]:
    """The table that a place lies in, and its key there; None for the table itself."""
    words = [part for part in loc if isinstance(part, str)]
    table = words.pop(0)
    if words and f"{table}.{words[0]}" in TABLES:
        table = f"{table}.{words.pop(0)}"
    return table, words[0] if words else None


def _key(key: int | str) -> str:
    return key if isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key) else quoted(str(key))


def _heading(table: str) -> str:
    return f"[[{table}]]" if table in MANY else f"[{table}]"


def _sentence(
    raw: dict[str, Any], loc: tuple[int | str, ...], kind: str, found: object, ctx: dict[str, Any]
) -> str:
    """One mistake as one line: where, what was found, what would be right."""
    where = _where(raw, loc)
    table, key = _place(loc)
    if kind == "extra_forbidden":
        return f"{where}: {_unknown(table if key is not None else None, str(loc[-1]))}"
    if "error" in ctx:
        return f"{where}: {ctx['error']}"
    if key is None:
        return (
            f"{where}: right would be a heading {_heading(table)} on a line of its own, its settings below it"
        )
    right = keys(table)[key].description
    if kind == "missing":
        return f"{where}: missing; right would be {right}"
    return f"{where}: found {_shown(key, found)}; right would be {right}"


def mistakes_in(table: str, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values that somebody gives for keys of one table, a sentence each."""
    try:
        TABLES[table].model_validate(values)
    except ValidationError as error:
        return [
            _sentence({}, (table, str(e["loc"][-1])), e["type"], e["input"], e.get("ctx", {})).removeprefix(
                f"[{table}] "
            )
            for e in error.errors(include_url=False)
        ]
    return []


def _unknown(table: str | None, key: str) -> str:
    """What to do about a key that does not exist there."""
    if re.search(r"token|password|secret", key, re.IGNORECASE):
        return (
            "a secret does not belong into this file; put it alone into a file that only hartslag may read, "
            'and name that file below [influx]: token_file = "/etc/hartslag/token"'
        )
    known = list(keys(table)) if table else [name for name in TABLES if "." not in name]
    if near := get_close_matches(key.casefold(), known, 1):
        return f"there is no such setting; did you mean {near[0] if table else _heading(near[0])}?"
    headings = {name.partition(".")[2]: name for name in TABLES if table and name.startswith(f"{table}.")}
    if near := get_close_matches(key.casefold(), headings, 1):
        return f"there is no such setting; did you mean the heading {_heading(headings[near[0]])}?"
    for other in TABLES:
        if key in keys(other):
            return f"there is no such setting here; it belongs below {_heading(other)}"
    these = ", ".join(known if table else map(_heading, known))
    return f"there is no such setting; there are {these}"


def _shown(key: str, found: object) -> str:
    """What was found, as it stands in the file; never what may be a secret."""
    match found:
        case _ if key == "token_file":
            return "something else"
        case bool():
            return str(found).lower()
        case str():
            return quoted(found)
        case int() | float():
            return str(found) if not abs(found) >= 1e15 else "a very large number"
        case list() | dict():
            return "a list" if isinstance(found, list) else "a table"
        case _:
            return str(found)  # dates and times
