"""Mistakes in the settings, each as a line for the owner of the file: where, what was found, what would be right."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ingest.errors import WrongSettings
from ingest.language import gettext as _
from ingest.language import ngettext
from ingest.log import quoted
from ingest.settings.model import MANY, TABLES, TOP, keys
from ingest.settings.table import Mistake, Mistakes, Problem, found_but_right, right_words
from ingest.settings.writer import SettingsText


def wrong_settings(file: Path, raw: dict[str, Any], mistakes: Sequence[Mistake]) -> WrongSettings:
    """Every mistake in a settings file that holds `raw`, each with its line and in their order."""
    heading = ngettext(
        "The settings file {file} has one mistake:",
        "The settings file {file} has {count} mistakes:",
        len(mistakes),
    ).format(file=quoted(str(file)), count=len(mistakes))
    lines = in_order(_text_of(file), mistakes)
    return WrongSettings("\n".join([heading, *(_with_line(raw, m, line) for line, m in lines)]))


def _text_of(file: Path) -> SettingsText | None:
    """The text of a settings file, read again, as only one with mistakes is asked for its lines."""
    try:
        return SettingsText(file.read_bytes().decode())
    except (OSError, ValueError):
        return None  # it went away or was changed meanwhile


def in_order(text: SettingsText | None, mistakes: Sequence[Mistake]) -> list[tuple[int | None, Mistake]]:
    """(Its line, the mistake) as they follow each other in a file; of which no line is known come last."""
    found = [(text.line_of(m.place) if text else None, m) for m in mistakes]
    return sorted(found, key=lambda it: math.inf if it[0] is None else it[0])


def _with_line(raw: dict[str, Any], mistake: Mistake, line: int | None) -> str:
    words = sentence(raw, mistake)
    return words if line is None else _("Line {line}: {mistake}").format(line=line, mistake=words)


def sentence(raw: dict[str, Any], mistake: Mistake) -> str:
    """One mistake in a file that holds `raw` as one line, its place first."""
    return f"{_where(raw, mistake.place)}: {_why(mistake)}"


def mistakes_in(table: str, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values that somebody gives for keys of one table, a sentence each."""
    try:
        TABLES[table].read(values)
    except Mistakes as error:
        way = table.split(".")
        return [f"{_key(m.place[0])}: {_why(m._replace(place=(*way, *m.place)))}" for m in error.found]
    return []


def _why(mistake: Mistake) -> str:
    """What was found, and what would be right."""
    if isinstance(mistake.problem, str):
        return mistake.problem
    table, key = _table_and_key(mistake.place)
    if mistake.problem is Problem.UNKNOWN_KEY:
        of = mistake.found
        key = str(mistake.place[-1])
        return _meant(table, key, of) or _unknown(table, key, is_table=isinstance(of, dict | list))
    if key is None:
        if type(mistake.found) in {int, float} and (near := _near_key(table)):
            return _(
                "found {found}; did you mean {near}, or a heading {heading} on a line of its own?"
            ).format(found=_shown(mistake.found), near=near, heading=_heading(table))
        return _("right would be a heading {heading} on a line of its own, its settings below it").format(
            heading=_heading(table)
        )
    setting = keys(table)[key]
    if mistake.problem is Problem.MISSING:
        return _("missing; right would be {right}").format(right=right_words(setting.right))
    return found_but_right(_("something else") if setting.secret else _shown(mistake.found), setting.right)


def _where(raw: dict[str, Any], place: tuple[int | str, ...]) -> str:
    """A place in the file as its owner would call it: `[[person]] number 2 ("Jan"), born`."""
    match place:
        case (str(table), int(i), *rest):
            here = raw[table][i]
            name = here.get("name") if table == "person" and isinstance(here, dict) else None
            number = _("{heading} number {number}").format(heading=f"[[{table}]]", number=i + 1)
            called = f" ({quoted(name)})" if isinstance(name, str) and name else ""
            return number + called + _below(table, rest)
        case (str(table), str(key), *_) if table in TABLES:
            return f"[{table}] {_key(key)}"
        case (str(table),) if table in TABLES:
            return _heading(table)
        case _:
            return _key(place[0]) if place else _("the file")


def _below(table: str, rest: list[int | str]) -> str:
    """The place within a person: a key, or a heading of its own and the key below that."""
    if not rest:
        return ""
    heading = f"{table}.{rest[0]}"
    if heading not in TABLES:
        return f", {_key(rest[0])}"
    here, key = _heading(heading), rest[1:2]
    if rest[1:] and isinstance(rest[1], int):
        here = _("{heading} number {number}").format(heading=here, number=rest[1] + 1)
        key = rest[2:3]
    return f", {here}" + "".join(f", {_key(k)}" for k in key)


def _table_and_key(place: tuple[int | str, ...]) -> tuple[str, str | None]:
    """The table that a place lies in, and its key there; None for the table itself."""
    words = [part for part in place if isinstance(part, str)]
    if words[0] not in TABLES or ("." in words[0] and len(words) == 1):
        return TOP, words[0]
    table = words.pop(0)
    if words and f"{table}.{words[0]}" in TABLES:
        table = f"{table}.{words.pop(0)}"
    return table, words[0] if words else None


def _key(key: int | str) -> str:
    return key if isinstance(key, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key) else quoted(str(key))


def _heading(table: str) -> str:
    return f"[[{table}]]" if table in MANY else f"[{table}]"


def _near_key(heading: str) -> str | None:
    """The key that was meant where a heading stands as one, with a number: `target = 60` is `target_min`."""
    above, _dot, name = heading.rpartition(".")
    return next(iter(get_close_matches(name, keys(above), 1)), None)


MEANT = {
    "age": "born",
    "leeftijd": "born",
    "birth": "born",
    "birthday": "born",
    "birth_year": "born",
    "year_of_birth": "born",
    "geboren": "born",
    "geboortejaar": "born",
    "max": "maximum_bpm",
    "max_hr": "maximum_bpm",
    "hr_max": "maximum_bpm",
    "maximum": "maximum_bpm",
    "rest": "resting_bpm",
    "rest_hr": "resting_bpm",
    "hr_rest": "resting_bpm",
    "time_zone": "zone",
    "timezone": "zone",
    "tz": "zone",
    "tijdzone": "zone",
    "naam": "name",
    "goal": "target_min",
    "doel": "target_min",
    "gender": "sex",
    "medicine": "limiting_medicine",
    "medication": "limiting_medicine",
    "beta_blocker": "limiting_medicine",
    "mac": "address",
    "owner": "person",
    "start": "from",
    "since": "from",
    "begin": "from",
    "end": "to",
    "until": "to",
    "reason": "why",
}
"""What people write, and the key that it is here."""


def _meant(table: str, key: str, found: object) -> str:
    """What to write in place of a key that says the same in another word; "" if it is none."""
    meant = MEANT.get(key.casefold().replace("-", "_"))
    if meant is None or meant not in keys(table):
        return ""
    if meant == "born" and type(found) is int and 0 < found < 120:
        return _(
            "there is no such setting; an age is another one each year, so give the year of birth: born = {year}"
        ).format(year=datetime.now().astimezone().year - found)
    return _("there is no such setting; did you mean {near}?").format(near=meant)


def _unknown(table: str, key: str, *, is_table: bool) -> str:
    """What to do about a key, or a heading, that does not exist there."""
    if re.search(r"token|password|secret", key, re.IGNORECASE):
        return _(
            "a secret does not belong into this file; put it alone into a file that only hartslag may read, "
            'and name that file below [influx]: token_file = "/etc/hartslag/token"'
        )
    known = {name: name for name in keys(table)}
    if table == TOP:
        known |= {name: _heading(name) for name in TABLES if "." not in name}
    headings = {name.partition(".")[2]: name for name in TABLES if table and name.startswith(f"{table}.")}
    near_key, near_heading = (get_close_matches(key.casefold(), names, 1) for names in (known, headings))
    if near_key and not (is_table and near_heading):
        return _("there is no such setting; did you mean {near}?").format(near=known[near_key[0]])
    if near_heading:
        return _("there is no such setting; did you mean the heading {heading}?").format(
            heading=_heading(headings[near_heading[0]])
        )
    if key in keys(TOP):
        return _("there is no such setting here; it belongs at the top of the file, above the first heading")
    meant = MEANT.get(key.casefold().replace("-", "_"), key)
    if other := next((name for name in TABLES if meant in keys(name)), None):
        words = (
            _("there is no such setting here; it belongs below {heading}")
            if meant == key
            else _("there is no such setting; {near} is meant, perhaps, which belongs below {heading}")
        )
        told = words.format(near=meant, heading=_heading(other))
        if "from" in keys(other) and keys(other)["from"].default is ...:
            told += _(", with the day from which on it holds: from = 2026-03-01")
        return told
    return _("there is no such setting; there are {these}").format(these=", ".join(known.values()))


def _shown(found: object) -> str:
    """What was found, as it stands in the file."""
    match found:
        case bool():
            return str(found).lower()
        case str():
            return quoted(found)
        case int() | float():
            return str(found) if not abs(found) >= 1e15 else _("a very large number")
        case list() | dict():
            return _("a list") if isinstance(found, list) else _("a table")
        case _:
            return str(found)  # dates and times
