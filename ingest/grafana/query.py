"""What a panel asks a store for, said once; each data source's language says it in its own way.

Every question is for rows that are there already: no store is asked to add up, to average or to find out when a day or
a week begins. What depends on the present (how many days are left) is worked out from the end of the range shown.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ingest.language import N_
from ingest.rows.table import TABLES, TEXT

Json = dict[str, Any]

TIME = N_("Time")
"""What the column of times is called in every answer."""

SITE, SENSOR = N_("Site"), N_("Sensor")
"""What the columns of their names are called."""

INBOX = "inbox"
"""The source of what files tell of themselves."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field or a tag of a table as it is shown: divided by a number where its unit is too small, or times a field."""

    name: str
    label: str
    divisor: int = 1
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the picked person in the range shown, as one frame of times and columns, oldest first.

    With `newest` only the last of them. With `sensor_label` the rows of several sources may share a time: they are told
    apart by the tag `source`, shown under that name, and stand newest first, as in a table for reading. With `source`
    only those of that one.
    """

    table: str
    columns: tuple[Column, ...]
    newest: bool = False
    sensor_label: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """One column of the picked person in the range shown, a frame for each source, or for one alone."""

    table: str
    column: Column
    source: str = ""


@dataclass(frozen=True, slots=True)
class Latest:
    """The last known value of a column, at or before the end of the range, however long ago."""

    table: str
    column: Column


@dataclass(frozen=True, slots=True)
class Newest:
    """Numbers of the newest row in the range, if that fulfils all conditions: label -> expression.

    Expressions and conditions are made of fields, numbers, `+ - * / ( )`, comparisons and `{to_s}`, the end of the
    range in unix seconds; see `fill_in`. `within_s` only looks at the last so many seconds of the range.
    """

    table: str
    values: Mapping[str, str]
    conditions: tuple[str, ...] = ()
    within_s: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of words, there only if the newest row in the range fulfils all conditions.

    `words` have `{}` for its value, at an end, or nothing for one that is not to be seen, or are Grafana's format of a time
    in ms ("time:..."). The value is an expression as in `Newest`, shown as a whole number, or a field of text. A condition on a text compares it with a word in quotes, or with '' for
    any. `links` are more values of the row, for the address of a link: name -> expression.
    """

    table: str
    value: str
    words: str
    conditions: tuple[str, ...] = ()
    within_s: int = 0
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Live:
    """The newest sample of each strap in the last seconds of the range: the one that is believed stands first."""

    within_s: int


@dataclass(frozen=True, slots=True)
class Sources:
    """The last known values of columns in the range shown, a row for each sensor of the picked person but the inbox."""

    table: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Sites:
    """When each site last had a row with a field in the range shown: a row of its name and that time for each."""

    table: str
    field: str
    label: str


@dataclass(frozen=True, slots=True)
class Sensors:
    """The last known value of a column in the range shown, a row for each sensor of each site."""

    table: str
    column: Column


Query = Rows | Lines | Latest | Newest | Line | Live | Sources | Sites | Sensors

BPM_COLUMN, SOURCE = "bpm", "source"
"""What the columns of a live heart rate are called: a name that Grafana gave is not found by what is made of a row."""


@dataclass(frozen=True, slots=True)
class PanelTarget:
    """The targets of a panel, and what Grafana does with their answers before it draws them."""

    targets: list[Json]
    transformations: list[Json] = field(default_factory=list)


class Language(Protocol):
    """How one sort of data source is asked."""

    @property
    def type(self) -> str:
        """Grafana's name of the sort of data source."""

    @property
    def has_sites(self) -> bool:
        """Whether the store is one of many Pis."""

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        """The question under a reference (refId) such as "A"."""

    def person_query(self) -> Json:
        """The keys of a variable that offers everybody who has a week."""

    def site_query(self) -> Json:
        """The keys of a variable that offers every site."""

    def not_judged(self) -> Json:
        """The keys of an annotation: a span for each week that is not judged, with the reason."""


_WEEK_AND_A_DAY_S = 8 * 86_400


def within_s(query: Newest | Line) -> int:
    """How far a question looks back from the end of the range; 0 as far as the range.

    A week is not looked for from where the range begins: Grafana's weeks may begin later than the person's, who may live
    elsewhere or begin with another day.
    """
    return _WEEK_AND_A_DAY_S if query.table == "week" else query.within_s


def conditions(query: Newest | Line) -> tuple[str, ...]:
    """What a row must fulfil: a week is that of the end of the range, be that its last millisecond."""
    of_week = ("start_s <= {to_s}", "end_s > {to_s}") if query.table == "week" else ()
    return (*of_week, *query.conditions)


_WORD = re.compile(r"[a-z][a-z0-9_]*|\{to_s\}")


def fill_in(expression: str, table: str, field_text: Callable[[str], str], to_s: str) -> str:
    """An expression with each field of the table, and the end of the range, as a language writes them.

    Raises ValueError for a word that is no field of the table.
    """

    def replaced(found: re.Match[str]) -> str:
        word = found[0]
        if word == "{to_s}":
            return to_s
        if word not in TABLES[table].fields:
            raise ValueError(f"{word} is no field of {table}")
        return field_text(word)

    return _WORD.sub(replaced, expression)


def fields_of(expression: str) -> list[str]:
    """The fields that an expression reads, in order."""
    return [word for word in _WORD.findall(expression) if word != "{to_s}"]


_TEXT_CONDITION = re.compile(r"([a-z_]+) (=|!=) '([^']*)'")


def text_condition(condition: str) -> tuple[str, str, str] | None:
    """Field, operator and word of a condition on a text; None for any other."""
    found = _TEXT_CONDITION.fullmatch(condition)
    return (found[1], found[2], found[3]) if found else None


def is_for_reading(query: "Rows") -> bool:
    """Whether rows are a table to be read, newest first, and not points to be drawn."""
    return bool(query.sensor_label) or any(is_text(query.table, c.name) for c in query.columns)


def is_text(table: str, name: str) -> bool:
    """Whether a field holds text."""
    return TABLES[table].fields.get(name) == TEXT


def fields_read(query: Query) -> Mapping[str, set[str]]:
    """Which fields of which table a question reads."""
    match query:
        case Sources():
            return {query.table: {c.name for c in query.columns}}
        case Rows():
            return {query.table: {n for c in query.columns for n in (c.name, c.factor) if n}}
        case Lines() | Latest() | Sensors():
            return {query.table: {query.column.name}}
        case Sites():
            return {query.table: {query.field}}
        case Live():
            return {"heart_rate": {"bpm"}}
        case Newest() | Line():
            read = (
                query.values.values() if isinstance(query, Newest) else (query.value, *query.links.values())
            )
            found = {f for text in read for f in fields_of(text)}
            for condition in query.conditions:
                on_text = text_condition(condition)
                found |= {on_text[0]} if on_text else set(fields_of(condition))
            return {query.table: found}


def columns_of(query: Query) -> list[str]:
    """What the columns of the answer are called that people see; lines of sensors are called by their sensors."""
    match query:
        case Rows():
            found = [TIME, query.sensor_label, *(c.label for c in query.columns)]
        case Sources():
            found = [SENSOR, *(c.label for c in query.columns)]
        case Latest() | Sensors():
            found = [SITE, SENSOR] if isinstance(query, Sensors) else []
            found.append(query.column.label)
        case Newest():
            found = list(query.values)
        case Sites():
            found = [SITE, query.label]
        case Lines() | Line() | Live():
            found = []
    return [name for name in found if name]


def texts_of(query: Query) -> dict[str, tuple[str, str]]:
    """The columns of the answer that hold texts: what each is called -> its table and field."""
    match query:
        case Rows():
            shown = {c.label: c.name for c in query.columns}
        case Line():
            shown = {query.value: query.value}
        case _:
            return {}
    return {label: (query.table, name) for label, name in shown.items() if is_text(query.table, name)}


def organize(names: Mapping[str, str], left_out: tuple[str, ...] = (), order: tuple[str, ...] = ()) -> Json:
    """The step that renames, leaves out and orders columns."""
    return {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(left_out, True),
            "indexByName": {name: i for i, name in enumerate(order)},
            "renameByName": dict(names),
        },
    }


def calculate(left: str, operator: str, right: str, label: str) -> Json:
    """The step that makes a column of two others, or of one and a number."""
    binary = {"left": left, "operator": operator, "right": right}
    options = {"mode": "binary", "alias": label, "replaceFields": False, "binary": binary}
    return {"id": "calculateField", "options": options}


def full_numbers(name: str, label: str) -> Json:
    """The step that makes a column of another one, each number rounded down as `full_minutes` does it."""
    options = {
        "mode": "unary",
        "alias": label,
        "replaceFields": False,
        "unary": {"operator": "floor", "fieldName": name},
    }
    return {"id": "calculateField", "options": options}
