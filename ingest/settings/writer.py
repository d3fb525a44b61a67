"""Changes to a settings file that leave the rest of it as its owner wrote it: comments, order, spaces, and how lines end.

Each change is made to what the file says and to its text, and the text is read again: one that says anything else is
not taken. Where the text is changed by lines, a new one goes below its example, if the file has kept it:

    # target_min = 150
    target_min = 60

Everything else is done by `TOML Kit <https://tomlkit.readthedocs.io>`_.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ingest.errors import Stop
from ingest.language import gettext as _

Place = tuple[str | int, ...]
"""The way to a key or a heading: `("person", 0, "target_min")`."""

_BOM = "\ufeff"
_HEADING = re.compile(r"\s*(\[\[?)\s*([\w\s.\"'-]+?)\s*\]\]?\s*(?:#.*)?$")
_SWITCHED_OFF = re.compile(r"\s*#\s*(\[\[?[\w.]+\]\]?)\s*$")


class SettingsText:
    """The text of a settings file, `values` as it says them now, and the changes made to it."""

    def __init__(self, text: str) -> None:
        """Raises ValueError where the text is no TOML."""
        self._bom = _BOM if text.startswith(_BOM) else ""
        text = text.removeprefix(_BOM)
        self._end = "\r" if "\r\n" in text else ""
        """What new lines have before their newline; those that are there keep what they have."""
        self.values: dict[str, Any] = tomllib.loads(text)
        self._text = text
        self._before = text

    @property
    def text(self) -> str:
        """As it is to be written."""
        return self._bom + self._text

    @property
    def is_changed(self) -> bool:
        return self._text != self._before

    def set(self, place: Place, value: Any) -> None:
        """Give a key a value, or another one. Raises Stop when the text cannot be changed so."""
        *way, key = place
        wanted = deepcopy(self.values)
        table = _at(wanted, way)
        if table.get(key) == value and type(table.get(key)) is type(value):
            return
        is_there = key in table
        table[key] = value
        by_line = self._with_value if is_there else self._with_key
        self._take(
            wanted,
            [lambda: by_line(tuple(way), str(key), value), lambda: self._assigned(place, value)],
            place,
        )

    def remove(self, place: Place) -> None:
        """Take a key or a heading out, with what stands behind or below it. Raises Stop."""
        *way, key = place
        wanted = deepcopy(self.values)
        del _at(wanted, way)[key]
        self._take(wanted, [lambda: self._without(place), lambda: self._removed(place)], place)

    def add(self, place: Place, values: Mapping[str, Any]) -> None:
        """One more block under a heading that may stand many times, `("person", 0, "profile")`. Raises Stop."""
        self._block(place, values, many=True)

    def put(self, place: Place, values: Mapping[str, Any]) -> None:
        """A block under a heading that stands once, `("person", 0, "plan")`, in place of one there was. Raises Stop."""
        *way, key = place
        if key in _at(self.values, way):
            for old in [k for k in _at(self.values, place) if k not in values]:
                self.remove((*place, old))
            for name, value in values.items():
                self.set((*place, name), value)
        else:
            self._block(place, values, many=False)

    def lines_changed(self) -> Iterator[tuple[int, str, str]]:
        """Each line that goes or comes: the number of the line at which that happens, `-` or `+`, and itself."""
        old, new = (text.replace("\r\n", "\n").split("\n") for text in (self._before, self._text))
        for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if what != "equal":
                yield from ((c + 1, "-", line) for line in old[a:b])
                yield from ((c + 1, "+", line) for line in new[c:d])

    def line_of(self, place: Place) -> int | None:
        """The number of the line where something stands, or of the heading that it belongs below; None where none is found."""
        lines = self._lines()
        for end in range(len(place), 0, -1):
            *way, last = place[:end]
            try:
                if isinstance(last, str) and _is_behind_a_key(_at(self.values, place[:end])):
                    return _line_of_key(lines, tuple(way), last) + 1
                return _heading_line(lines, place[:end]) + 1
            except (LookupError, TypeError, RuntimeError, StopIteration):
                continue
        return None

    # --- a change, done in one of several ways ---

    def _take(self, wanted: dict[str, Any], ways: Sequence[Callable[[], str]], place: Place) -> None:
        for way in ways:
            try:
                text = way()
                says = tomllib.loads(text)
            except Exception:  # noqa: BLE001, S112 - a way that fails, at whatever, is none; what it gives is checked
                continue
            if _same(says, wanted):
                self._text, self.values = text, says
                return
        key = ".".join(str(part) for part in place if isinstance(part, str))
        raise Stop(
            _(
                "The settings file is written in a way in which {key} cannot be changed by the program. "
                "Nothing was written: change it by hand."
            ).format(key=key)
        )

    def _block(self, place: Place, values: Mapping[str, Any], *, many: bool) -> None:
        *way, key = place
        wanted = deepcopy(self.values)
        parent = _at(wanted, way)
        if many:
            parent.setdefault(key, []).append(dict(values))
        else:
            parent[key] = dict(values)
        self._take(
            wanted,
            [
                lambda: self._with_block(tuple(way), str(key), values, many=many),
                lambda: self._with_item(place, values, many=many),
            ],
            place,
        )

    # --- by lines ---

    def _lines(self) -> list[str]:
        lines = self._text.split("\n")
        return lines if lines[-1] else lines[:-1]

    def _with(self, lines: list[str], at: int, new: list[str]) -> str:
        """The text with new lines before one."""
        return "".join(f"{line}\n" for line in [*lines[:at], *(n + self._end for n in new), *lines[at:]])

    def _with_value(self, way: Place, key: str, value: Any) -> str:
        import tomlkit

        lines = self._lines()
        at = _line_of_key(lines, way, key)
        line = tomlkit.parse(lines[at].rstrip("\r"))
        line[key] = value
        return self._with([*lines[:at], *lines[at + 1 :]], at, [tomlkit.dumps(line)])

    def _without(self, place: Place) -> str:
        """The text without the line of a key, or without a heading and what is said below it."""
        *way, key = place
        lines = self._lines()
        if isinstance(_at(self.values, place), dict):
            begin, end = _own_lines(lines, place)
            gone = {i for i in range(begin, end) if not _is_remark(lines[i])}
        else:
            gone = {_line_of_key(lines, tuple(way), str(key))}
        return self._with([line for i, line in enumerate(lines) if i not in gone], 0, [])

    def _with_key(self, way: Place, key: str, value: Any) -> str:
        lines = self._lines()
        begin, end = _own_lines(lines, way)
        line = f"{key} = {_written(value)}"
        after = _example_of_key(lines, begin, end, key)
        if after is None:
            after = _last_said(lines, begin, end)
        if after is not None:
            return self._with(lines, after + 1, [line])
        top = _top_remark(lines[:end])
        before = [""] if top and lines[top - 1].strip() else []
        return self._with(lines, top, [*before, line, *([""] if lines[top:] else [])])

    def _with_block(self, way: Place, key: str, values: Mapping[str, Any], *, many: bool) -> str:
        lines = self._lines()
        name = ".".join([*(part for part in way if isinstance(part, str)), key])
        heading = f"[[{name}]]" if many else f"[{name}]"
        siblings = _at(self.values, way).get(key)
        begin, end = _whole_lines(lines, (*way, key, len(siblings) - 1) if siblings else way)
        block = [heading, *(f"{k} = {_written(v)}" for k, v in values.items())]
        example = None if siblings else _example_of_heading(lines, begin, end, heading)
        if example is None:
            last = _last_said(lines, begin, end)
            last = len(lines) - 1 if last is None else last
            before = [""] if last >= 0 and lines[last].strip() else []
            after = [""] if last + 1 < len(lines) and lines[last + 1].strip() else []
            return self._with(lines, last + 1, [*before, *block, *after])
        lines.insert(example + 1, heading + self._end)
        limit = _end_of_examples(lines, example + 2)
        at = example + 1
        for k, line in zip(values, block[1:], strict=True):
            # Those before it may have gone below their own examples; order is no matter to TOML.
            below = _example_of_key(lines, example + 2, limit, k)
            at = at + 1 if below is None else below + 1
            lines.insert(at, line + self._end)
            limit += 1
        return self._with(lines, 0, [])

    # --- by TOML Kit ---

    def _document(self) -> Any:
        import tomlkit

        return tomlkit.parse(self._text)

    def _dumped(self, document: Any) -> str:
        import tomlkit

        return tomlkit.dumps(document)

    def _assigned(self, place: Place, value: Any) -> str:
        document = self._document()
        _at(document, place[:-1])[place[-1]] = value
        return self._dumped(document)

    def _removed(self, place: Place) -> str:
        document = self._document()
        parent = _at(document, place[:-1])
        if isinstance(place[-1], int):
            parent.pop(place[-1])
        else:
            parent.remove(place[-1])
        return self._dumped(document)

    def _with_item(self, place: Place, values: Mapping[str, Any], *, many: bool) -> str:
        """Where tables stand within braces."""
        import tomlkit

        document = self._document()
        parent, key = _at(document, place[:-1]), place[-1]
        table = tomlkit.inline_table()
        table.update(values)
        if not many:
            parent[key] = table
        elif key in parent:
            parent[key].append(table)
        else:
            tables = tomlkit.array()
            tables.append(table)
            parent[key] = tables
        return self._dumped(document)


def _at(values: Any, way: Sequence[str | int]) -> Any:
    for part in way:
        values = values[part]
    return values


def _is_behind_a_key(value: Any) -> bool:
    """Whether this stands behind a key, as far as can be told from it, and not below headings."""
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(v, dict) for v in value)
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two texts say the same, so that 1 is neither 1.0 nor true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 - nan


def _written(value: Any) -> str:
    """A value as it stands in a file."""
    import tomlkit

    return str(tomlkit.item(value).as_string())


# --- where things stand ---


def _headings(lines: list[str]) -> list[tuple[int, tuple[str, ...]]]:
    """The lines with a heading, and its name; one within a text of many lines is taken for one, too."""
    found = []
    for i, line in enumerate(lines):
        if match := _HEADING.match(line):
            found.append((i, tuple(part.strip(" \t\"'") for part in match[2].split("."))))
    return found


def _heading_line(lines: list[str], way: Place) -> int:
    """The line of the heading that a way leads to. Raises LookupError."""
    found, begin = -1, 0
    for i, part in enumerate(way):
        if not isinstance(part, str):
            continue
        name = tuple(p for p in way[: i + 1] if isinstance(p, str))
        number = way[i + 1] if i + 1 < len(way) and isinstance(way[i + 1], int) else 0
        assert isinstance(number, int)
        found = [at for at, called in _headings(lines) if at >= begin and called == name][number]
        begin = found + 1
    return found


def _own_lines(lines: list[str], way: Place) -> tuple[int, int]:
    """The lines from a heading to before the next; those above all headings for the file itself."""
    begin = _heading_line(lines, way) if way else 0
    first = begin + 1 if way else 0
    return begin, next((at for at, _ in _headings(lines) if at >= first), len(lines))


def _whole_lines(lines: list[str], way: Place) -> tuple[int, int]:
    """The lines from a heading to the last of those below it."""
    if not way:
        return 0, len(lines)
    begin = _heading_line(lines, way)
    name = tuple(p for p in way if isinstance(p, str))
    others = (at for at, called in _headings(lines) if at > begin and not _is_below(called, name))
    return begin, next(others, len(lines))


def _is_below(called: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return len(called) > len(name) and called[: len(name)] == name


def _line_of_key(lines: list[str], way: Place, key: str) -> int:
    """The line in which a key is given its value. Raises LookupError."""
    says = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    return next(i for i in range(*_own_lines(lines, way)) if says.match(lines[i]))


def _is_remark(line: str) -> bool:
    """Whether a line says nothing to the program."""
    return not line.strip() or line.lstrip().startswith("#")


def _last_said(lines: list[str], begin: int, end: int) -> int | None:
    """The last line that is neither empty nor a remark."""
    said = [i for i in range(begin, end) if not _is_remark(lines[i])]
    return said[-1] if said else None


def _end_of_examples(lines: list[str], begin: int) -> int:
    """Where another heading begins, be it one that is switched off."""
    for i in range(begin, len(lines)):
        if _SWITCHED_OFF.match(lines[i]) or _HEADING.match(lines[i]):
            return i
    return len(lines)


def _example_of_key(lines: list[str], begin: int, end: int, key: str) -> int | None:
    """The line in which a key is switched off."""
    off = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    end = min(end, _end_of_examples(lines, begin + 1))
    return next((i for i in range(begin, end) if off.match(lines[i])), None)


def _example_of_heading(lines: list[str], begin: int, end: int, heading: str) -> int | None:
    """The line in which a heading is switched off."""
    for i in range(begin, end):
        if (match := _SWITCHED_OFF.match(lines[i])) and match[1] == heading:
            return i
    return None


def _top_remark(lines: list[str]) -> int:
    """The line after the remarks that a file begins with, up to the first that is empty; 0 where they belong to a heading."""
    for i, line in enumerate(lines):
        if not line.strip():
            return i + 1
        if not line.lstrip().startswith("#"):
            return 0
    return len(lines)
