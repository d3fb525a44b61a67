"""The settings file: which one counts, and what it holds.

Nothing here touches the journal, a store or the network, and the file with a token is not read.
"""

import contextlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

from ingest.errors import WrongSettings
from ingest.language import (
    N_,
    languages,
    said,
    speak,
    spoken_language,
    system_language,
    system_words,
)
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings import profile_history
from ingest.settings.installed import Installed, find_installed
from ingest.settings.misnamed import misnamed
from ingest.settings.model import FileSettings, Settings
from ingest.settings.names import NOBODY, same_name
from ingest.settings.person import PersonSettings
from ingest.settings.table import Mistake, Mistakes

SYSTEM_FILE = Path("/etc/hartslag/hartslag.toml")
"""Where an installed daemon finds its settings."""

FILE_NAME = "hartslag.toml"

LARGEST_FILE = 1 << 20
"""Bytes; a thousand persons fit. Anything larger was named by mistake, and shall not fill the memory."""


def load(
    config: Path | None,
    data: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    *,
    system: Path = SYSTEM_FILE,
    installed: Installed | None = None,
) -> Settings:
    """The settings in force; `config` and `data` are what the command line said. From here on their language is spoken.

    An `installed` program has places of its own, wherever it is called from. Raises WrongSettings with every mistake, one on each line.
    """
    speak(system_language(environ))
    folder = data or (Path(environ["HARTSLAG_DATA"]) if environ.get("HARTSLAG_DATA") else None)
    folder = _absolute(folder, cwd, environ) if folder else None
    file, raw = _find(config, folder, environ, cwd, system, installed)
    found = _check(raw, file)
    if found.language:
        speak(found.language)
    here = file.parent if file else cwd
    if folder is None:
        inside = found.data.folder
        otherwise = installed.data if installed else _absolute(Path("data"), cwd)
        folder = _absolute(inside, here, environ) if inside else otherwise
    influx = found.influx
    if influx and influx.token_file:
        influx = influx.replace(token_file=_absolute(influx.token_file, here, environ))
    return Settings(
        folder,
        file,
        found.person,
        found.strap,
        influx,
        found.inbox,
        found.bluetooth,
        found.watch,
        spoken_language(),
        _absolute(found.report.folder, here, environ) if found.report.folder else None,
        _absolute(found.backup.folder, here, environ) if found.backup.folder else None,
        f"{zlib.crc32(repr(raw).encode()):08x}",
    )


def language_of(config: Path | None, data: Path | None, environ: Mapping[str, str], cwd: Path) -> str:
    """The language that the settings name, whatever else is right or wrong in them; that of the system otherwise."""
    speak(system_language(environ))
    with contextlib.suppress(WrongSettings):
        folder = data or (Path(environ["HARTSLAG_DATA"]) if environ.get("HARTSLAG_DATA") else None)
        folder = _absolute(folder, cwd, environ) if folder else None
        _find(config, folder, environ, cwd, SYSTEM_FILE, find_installed())
    return spoken_language()


def _find(
    config: Path | None,
    data: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    system: Path,
    installed: Installed | None,
) -> tuple[Path | None, dict[str, Any]]:
    """The settings file that counts and what it holds, or None and nothing where there is none."""
    named, candidates = places(config, data, environ, cwd, system, installed)
    for file in candidates:
        if (raw := read(file)) is not None:
            return file, raw
    if named:
        raise WrongSettings(
            _("There is no settings file {file}: create it, or name another one.").format(
                file=quoted(str(candidates[0]))
            )
        )
    for file in candidates:
        if other := misnamed(file):
            words = (
                _(
                    "The settings file is called {found}, so it is not read: give it the name {right}. Windows may hide the"
                    " .txt at its end."
                )
                if other.suffix.lower() == ".txt"
                else _(
                    "There is no settings file {right}, but {found}, which is not read: give it the name {right}."
                )
            )
            raise WrongSettings(words.format(found=quoted(str(other)), right=quoted(file.name)))
    return None, {}


def places(
    config: Path | None,
    data: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    system: Path = SYSTEM_FILE,
    installed: Installed | None = None,
) -> tuple[bool, list[Path]]:
    """(Whether somebody named the settings file, the paths at which it is looked for, the first that exists counts)."""
    if config is None and environ.get("HARTSLAG_CONFIG"):
        config = Path(environ["HARTSLAG_CONFIG"])
    if config is not None:
        return True, [_absolute(config, cwd, environ)]
    if installed and data in {None, installed.data}:
        return False, [installed.settings]
    return False, [(data or _absolute(Path("data"), cwd)) / FILE_NAME, *([system] if data is None else [])]


def _absolute(path: Path, base: Path, environ: Mapping[str, str] | None = None) -> Path:
    if environ and environ.get("HOME") and path.parts[:1] == ("~",):
        path = Path(environ["HOME"], *path.parts[1:])
    # Without resolving links: the owner shall meet the path as it was written.
    return base.absolute() / path


def read(file: Path) -> dict[str, Any] | None:
    """What the TOML file holds, None if it does not exist. Raises WrongSettings in words when it cannot be read."""
    shown = quoted(str(file))
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise WrongSettings(
            _(
                "The settings file {file} may not be read by this user: allow it, or run hartslag as its owner."
            ).format(file=shown)
        ) from error
    except OSError as error:
        raise WrongSettings(
            _("The settings file {file} cannot be read: {why}.").format(
                file=shown, why=said(system_words(error))
            )
        ) from error
    if len(content) > LARGEST_FILE:
        raise WrongSettings(
            _("{file} is larger than a megabyte and surely no settings file: name another one.").format(
                file=shown
            )
        )
    try:
        text = content.decode("utf-8-sig")  # Windows likes to begin a file with a mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongSettings(
            _(
                "The settings file {file} is not UTF-8 text (line {line}): save it again with the encoding UTF-8."
            ).format(file=shown, line=line)
        ) from error
    import tomllib

    _speak_as_said(text)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise WrongSettings(
            _("The settings file {file} has lists within lists without end: take them out.").format(
                file=shown
            )
        ) from error
    except ValueError as error:
        raise WrongSettings(_not_understood(shown, str(error), text)) from error


def _speak_as_said(text: str) -> None:
    """Speak the language that a settings file names, so that what is wrong in it is said in it, too."""
    above = re.split(r"(?m)^\s*\[", text, maxsplit=1)[0]
    if (named := re.search(r"""(?m)^\s*language\s*=\s*["'](\w+)["']""", above)) and named[1] in languages():
        speak(named[1])


_ONE_OF_TWO = N_("each line is a heading in brackets, like [inbox], or a setting, like settle_s = 2")
_BACKSLASH = N_("a backslash in double quotes has a meaning of its own; write a path in single quotes")
HINTS = (
    ("hex value", _BACKSLASH),
    ("Unescaped", _BACKSLASH),
    ("Illegal character", N_("a text must end with its quote on the same line")),
    ("Unterminated string", N_("a text must end with the quote it began with")),
    (
        "Invalid value",
        N_('after the = stands a text in quotes, like "Anna", or a number without, like 150'),
    ),
    ("Expected '='", _ONE_OF_TWO),
    ("Invalid statement", _ONE_OF_TWO),
    (
        "Expected newline",
        N_("a line holds one setting; texts stand in quotes, decimals have a point, not a comma"),
    ),
    (
        "Expected ']'",
        N_("a heading ends as it began: [inbox] with single, [[person]] with double brackets"),
    ),
    ("Unclosed array", N_("a list that begins with [ must end with ]")),
    (
        "Cannot",
        N_("this was said before; headings that may repeat have double brackets, like [[person]]"),
    ),
)
"""Where the reader of TOML says the first, the second helps the owner of the file."""

LOOKS_LIKE = (
    (
        re.compile(
            r"""(?:[^"'#]|"[^"]*"|'[^']*')*?[\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff]"""
        ),
        N_(
            "in it is a character that cannot be seen, as text copied from a page or a letter has; write the line anew by hand"
        ),
    ),
    (
        re.compile(
            r"\s*born\s*=\s*(\d{1,2}[-./ ]\d{1,2}[-./ ](\d{4}|\d{2})|\d{4}[-./]\d{1,2}[-./]\d{1,2})\s*(#|$)"
        ),
        N_("of a birthday the year is enough: born = 1978"),
    ),
    (
        re.compile(r"""[^"']*[\u201c-\u201f\u2018-\u201b\u00ab\u00bb\u2032\u2033]"""),
        N_(
            'its quotes are bent, as programs for letters write them; settings want straight ones, like "Anna"'
        ),
    ),
    (
        re.compile(r"[^=]*=\s*(yes|no|on|off|ja|nee|true|false)\b", re.IGNORECASE),
        N_("yes is written true, and no is written false, in small letters without quotes"),
    ),
    (
        re.compile(r"[^=]*=\s*\d{4}-\d\d-\d\d\s*(#|$)"),
        N_("the calendar has no such day"),
    ),
    (
        re.compile(
            r"\s*(from|to)\s*=\s*\w|[^=]*=\s*(\d{1,2}[-./]\d{1,2}[-./]\d{2,4}|\d{4}[-./]\d{1,2}[-./]\d{1,2})\s*(#|$)"
        ),
        N_("a date is written with the year first and two digits each for month and day, like 2026-03-01"),
    ),
)
"""What the line that is not understood looks like, and what is then said of it."""

COMPARE = N_("compare it with the sample settings file")


def _not_understood(file: str, problem: str, text: str) -> str:
    """Where a TOML file breaks off, and what is most likely wrong there."""
    found = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", problem)
    lines = text.split("\n")[: int(found[1])] if found and found[1] else []
    line = lines[-1:]
    seen = (hint for looks, hint in LOOKS_LIKE if line and looks.match(line[0]))
    hint = _(next(seen, "") or next((hint for sign, hint in HINTS if sign in problem), COMPARE))
    if lines and (more := _of_an_entry(lines)):
        hint = f"{hint}; {more}"
    if found is None:
        return _("The settings file {file} cannot be understood: {hint}.").format(file=file, hint=hint)
    if found[1] is None:
        return _("The settings file {file} cannot be understood at its end: {hint}.").format(
            file=file, hint=hint
        )
    return _("The settings file {file} cannot be understood at line {line}, column {column}: {hint}.").format(
        file=file, line=found[1], column=found[2], hint=hint
    )


def _of_an_entry(lines: Sequence[str]) -> str:
    """What else is to be said of the last line, so that it is told once: it is a setting of an entry that begins on a day."""
    key = lines[-1].partition("=")[0].strip()
    heading = next((line.strip() for line in reversed(lines) if line.lstrip().startswith("[")), "")
    if key != "limiting_medicine" or heading == "[[person.profile]]":
        return ""
    return _(
        "it belongs below a heading [[person.profile]], with the day from which on it holds: from = 2026-03-01"
    )


# --- what is wrong in it ----------------------------------------------------------------------------------


def _check(raw: dict[str, Any], file: Path | None) -> FileSettings:
    """The checked file; raises WrongSettings with every mistake in it."""
    found, mistakes = check(raw)
    if found is None:
        from ingest.settings.mistakes import wrong_settings

        raise wrong_settings(file or Path(FILE_NAME), raw, mistakes)
    return found


def check(raw: dict[str, Any]) -> tuple[FileSettings | None, list[Mistake]]:
    """(What the file holds, nothing) or (None, every mistake in it)."""
    complete, between = _name_owners(raw)
    found, mistakes = None, list[Mistake]()
    try:
        found = FileSettings.read(complete)
    except Mistakes as error:
        mistakes = error.found
    mistakes += [*_doubles(raw), *between, *_between_entries(raw)]
    return (None if mistakes else found), mistakes


def _name_owners(raw: dict[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The file with the person of each strap and watch as it spells them, and a mistake for each who is not in it.

    A strap that names nobody belongs to the only person there is.
    """
    mistakes: list[Mistake] = []
    spelled = [t["name"] for _, t in _tables(raw, "person") if isinstance(t.get("name"), str)]
    names = {same_name(name): normalize("NFC", name) for name in reversed(spelled)}
    if "person" not in raw:
        names = {NOBODY: NOBODY}
    for heading in ("strap", "watch"):
        filled = dict(_tables(raw, heading))
        for i, one in filled.items():
            person = one.get("person")
            if person is None and len(names) == 1 and heading == "strap":
                filled[i] = {**one, "person": next(iter(names.values()))}
            elif isinstance(person, str) and same_name(person) in names:
                filled[i] = {**one, "person": names[same_name(person)]}
            elif isinstance(person, str) and isinstance(raw.get("person", []), list):
                mistakes.append(Mistake((heading, i, "person"), _nobody_so_called(person, names)))
        if filled:
            raw = {**raw, heading: [filled.get(i, one) for i, one in enumerate(raw[heading])]}
    return raw, mistakes


def _nobody_so_called(person: str, names: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(same_name(person), names, 1)
    words = (
        _("there is no [[person]] {name}; did you mean {near}?")
        if near
        else _("there is no [[person]] {name}; add one, or name another")
    )
    return words.format(name=quoted(person), near=quoted(names[near[0]]) if near else "")


def _doubles(raw: dict[str, Any]) -> Iterator[Mistake]:
    """A mistake for each person, each strap and each watch that was there before."""
    persons, straps = dict(_tables(raw, "person")), dict(_tables(raw, "strap"))
    names = {i: same_name(t["name"]) for i, t in persons.items() if isinstance(t.get("name"), str)}
    addresses = {
        i: t["address"].upper().replace("-", ":")
        for i, t in straps.items()
        if isinstance(t.get("address"), str)
    }
    serials = {i: f"{t['name']} {t['serial']}" for i, t in straps.items() if {"name", "serial"} <= t.keys()}
    watches = {
        i: str(t["serial"]).lstrip("0")
        for i, t in _tables(raw, "watch")
        if type(t.get("serial")) in {int, str}
    }
    for table, key, values in (
        ("person", "name", names),
        ("strap", "address", addresses),
        ("strap", "serial", serials),
        ("watch", "serial", watches),
    ):
        first: dict[str, int] = {}
        for i, value in values.items():
            if (owner := first.setdefault(value, i)) != i:
                found = quoted(str(raw[table][i][key]))
                words = (
                    _(
                        "found {found}, which number {number} has already; a strap is one person's: whoever else wears it"
                        " puts their name there meanwhile"
                    )
                    if table == "strap" and raw[table][i].get("person") != raw[table][owner].get("person")
                    else _("found {found}, which number {number} has already")
                )
                yield Mistake((table, i, key), words.format(found=found, number=owner + 1))


def _between_entries(raw: dict[str, Any]) -> Iterator[Mistake]:
    """The mistakes that only show between the entries of one person, where each entry is fine."""
    for i, table in _tables(raw, "person"):
        try:
            person = PersonSettings.read(table)
        except Mistakes:
            continue
        for place, why in profile_history.mistakes(person.written()):
            yield Mistake(("person", i, *place), why)


def _tables(raw: dict[str, Any], heading: str) -> Iterator[tuple[int, dict[str, Any]]]:
    found = raw.get(heading)
    return ((i, t) for i, t in enumerate(found if isinstance(found, list) else ()) if isinstance(t, dict))
