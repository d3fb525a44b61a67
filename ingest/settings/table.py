"""A table of settings: a class names its keys once, and reading one finds every mistake in it at once.

Ours, because every library that finds all of them costs a verb more than the rest of the settings: a fifth of what
importing numpy costs for the smallest.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

from ingest.language import Text, said
from ingest.language import gettext as _

Convert = Callable[[object], Any]
"""A value as it was found in, as it is kept out. Raises Mistakes, or ValueError with words."""

Check = Callable[[Any, Mapping[str, Any]], None]
"""Looks at a good value, and at those of the keys before it that are good. Raises ValueError with words."""


class Problem(Enum):
    """What is wrong at a place, where the words need to know the key or the headings there are."""

    MISSING = "missing"
    UNFIT = "unfit"
    UNKNOWN_KEY = "unknown key"
    NO_TABLE = "no table"


class Mistake(NamedTuple):
    """One thing that is wrong; `place` leads to it by keys, and by numbers where a key holds many."""

    place: tuple[int | str, ...]
    problem: Problem | str
    found: object = None


class Mistakes(ValueError):  # noqa: N818 - all of them, and each is one
    """All that is wrong with a value."""

    def __init__(self, found: Iterable[Mistake]) -> None:
        self.found = list(found)
        super().__init__(*self.found)


class Setting(NamedTuple):
    """What may stand behind a key; `right` says it in words, marked for the catalogues."""

    convert: Convert
    right: str
    default: Any
    default_factory: Callable[[], Any] | None
    key: str | None
    checks: tuple[Check, ...]
    secret: bool

    @property
    def required(self) -> bool:
        return self.default is ...

    def value(self, given: Mapping[str, object], key: str) -> Any:
        """What is given for the key, or else the default."""
        if key not in given:
            if self.required:
                raise Mistakes([Mistake((), Problem.MISSING)])
            return self.default_factory() if self.default_factory else self.default
        found = given[key]
        return None if found is None and self.default is None else self.convert(found)


def setting(
    convert: Convert,
    right: str = "",
    *,
    default: Any = ...,
    default_factory: Callable[[], Any] | None = None,
    key: str | None = None,
    checks: tuple[Check, ...] = (),
    secret: bool = False,
) -> Any:
    """A key of a table. Without a default it must be given; `key` is its name in the file where it differs."""
    if default_factory is not None:
        default = None
    return Setting(convert, right, default, default_factory, key, checks, secret)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting,))
class SettingsTable:
    """Checked values, one for each key, which do not change. Raises Mistakes when they cannot be."""

    SETTINGS: ClassVar[Mapping[str, Setting]] = {}
    given: frozenset[str]
    """The keys that were given a value; the others have their defaults."""

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Setting)}
        cls.SETTINGS = {**cls.SETTINGS, **own}

    def __init__(self, **values: object) -> None:
        keys = {name: setting.key or name for name, setting in self.SETTINGS.items()}
        vars(self).update(_checked(self.SETTINGS, {keys.get(name, name): v for name, v in values.items()}))

    @classmethod
    def read(cls, found: object) -> Self:
        """The table as it was found in a file."""
        if isinstance(found, cls):
            return found
        if not isinstance(found, Mapping):
            raise Mistakes([Mistake((), Problem.NO_TABLE, found)])
        table = cls.__new__(cls)
        vars(table).update(_checked(cls.SETTINGS, found))
        return table

    def replace(self, **changes: object) -> Self:
        """The same with other values for some keys."""
        return type(self)(**{name: getattr(self, name) for name in self.given} | changes)

    def written(self) -> dict[str, Any]:
        """The values under their keys in the file, fit for JSON; what is None is left out."""
        values = ((setting.key or name, getattr(self, name)) for name, setting in self.SETTINGS.items())
        return {key: _plain(value) for key, value in values if value is not None}

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are only read, {name} too")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.written() == other.written()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.written().items())})"


def _checked(settings: Mapping[str, Setting], given: Mapping[str, object]) -> dict[str, Any]:
    """A good value for each setting, and which were given. Raises Mistakes with all there are."""
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    names = {setting.key or name: name for name, setting in settings.items()}
    for key, name in names.items():
        try:
            value = settings[name].value(given, key)
            for check in settings[name].checks:
                check(value, values)
        except ValueError as error:
            mistakes += _placed(error, key)
        else:
            values[name] = value
    mistakes += [Mistake((key,), Problem.UNKNOWN_KEY, given[key]) for key in given if key not in names]
    if mistakes:
        raise Mistakes(mistakes)
    return {**values, "given": frozenset(names[key] for key in given)}


def _placed(error: ValueError, *here: int | str) -> list[Mistake]:
    """What an error tells, each at its place."""
    if isinstance(error, Mistakes):
        return [mistake._replace(place=here + mistake.place) for mistake in error.found]
    return [Mistake(here, str(error))]


def _plain(value: Any) -> Any:
    match value:
        case SettingsTable():
            return value.written()
        case tuple():
            return [_plain(one) for one in value]
        case date():
            return value.isoformat()
        case Path():
            return str(value)
        case _:
            return value


# --- what may stand behind a key --------------------------------------------------------------------------


def found_but_right(found: object, right: str) -> str:
    """What was found, and what would be right, which is marked for the catalogues: `N_("a name in quotes")`."""
    return _("found {found}; right would be {right}").format(found=found, right=right_words(right))


def right_words(right: str) -> str:
    """What would be right, in the language that is spoken."""
    return said(right) if isinstance(right, Text) else _(right)


def unfit(found: object) -> Mistakes:
    """A value that is not what it should be, where nothing else is to be said of it."""
    return Mistakes([Mistake((), Problem.UNFIT, found)])


def _only(fits: Callable[[Any], bool], keep: Callable[[Any], Any] = lambda value: value) -> Convert:
    def convert(found: object) -> Any:
        if not fits(found):
            raise unfit(found)
        return keep(found)

    return convert


def whole(least: int, most: float) -> Convert:
    """A whole number; true and false are none."""
    return _only(lambda found: type(found) is int and least <= found <= most)


def number(least: float, most: float) -> Convert:
    """A number, with decimals or without."""
    return _only(lambda found: type(found) in {int, float} and least <= found <= most, float)


def text(keep: Callable[[str], str] = str, least: int = 0, most: float = float("inf")) -> Convert:
    """A text; `keep` gives it as it is kept, and may raise ValueError with words."""
    return _only(lambda found: isinstance(found, str) and least <= len(found) <= most, keep)


def one_of(words: tuple[str, ...]) -> Convert:
    """One of some words."""
    return _only(lambda found: isinstance(found, str) and found in words)


YEARS = range(1900, 2200)
"""Of all dates in the settings: everybody's life lies within, and every calendar here can go on from them."""


def _within_years(found: date) -> date:
    if found.year in YEARS:
        return found
    words = _("found {found}; right would be a date in the years {first} to {last}")
    raise ValueError(words.format(found=found, first=YEARS[0], last=YEARS[-1]))


day = _only(lambda found: type(found) is date, _within_years)
"""A day without a time."""

flag = _only(lambda found: isinstance(found, bool))
"""True or false."""


def many(convert: Convert, least: int = 0, most: float = float("inf")) -> Convert:
    """A list; what is wrong with each of its entries is found."""

    def each(found: object) -> tuple[Any, ...]:
        if not isinstance(found, (list, tuple)) or not least <= len(found) <= most:
            raise unfit(found)
        kept, mistakes = [], []
        for i, entry in enumerate(found):
            try:
                kept.append(convert(entry))
            except ValueError as error:
                mistakes += _placed(error, i)
        if mistakes:
            raise Mistakes(mistakes)
        return tuple(kept)

    return each
