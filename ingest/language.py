"""The language that people are spoken to in: catalogues of gettext, and dates and numbers as they are written there.

Texts stand in the code in English, marked by `_(...)`, or by `N_(...)` where they are said elsewhere. `make words` collects
them into the catalogues in `ingest/locale/`, a file for each language.
"""

import gettext as _gettext
import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

CATALOGUES = Path(__file__).parent / "locale"
ENGLISH = "en"

DAY = "EEEE d MMMM y"
DAY_OF_YEAR = "EEEE d MMMM"
DAY_OF_MONTH = "d MMMM"
SHORT_DAY = "EEE d MMM"
PLAIN_DAY = "d MMMM y"
"""Patterns of dates, of the Unicode CLDR (unicode.org/reports/tr35/tr35-dates.html). A catalogue may have its own for each."""

_ENGLISH_FIELDS = {"EEEE": "%A", "EEE": "%a", "MMMM": "%B", "MMM": "%b", "y": "%Y"}


class _Spoken:
    """The language of this process. There is one: everything it says is said to the same person."""

    language = ENGLISH
    catalogue: _gettext.NullTranslations = _gettext.NullTranslations()


def languages() -> tuple[str, ...]:
    """All languages that can be spoken, English first."""
    return (ENGLISH, *sorted(p.name for p in CATALOGUES.iterdir() if p.is_dir()))


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language that the system is set to, as in `LANG=nl_NL.UTF-8`; English where it cannot be spoken."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            language = re.split(r"[_.@]", value)[0].casefold()
            return language if language in languages() else ENGLISH
    return ENGLISH


def speak(language: str | None) -> None:
    """Say everything in `language`, one of `languages()`, from now on; None for that of the system."""
    _Spoken.language = language or system_language()
    _Spoken.catalogue = (
        _gettext.NullTranslations()
        if _Spoken.language == ENGLISH
        else _gettext.translation("hartslag", CATALOGUES, [_Spoken.language])
    )


def spoken_language() -> str:
    """The language that is spoken now, as `en` or `nl`."""
    return _Spoken.language


def gettext(text: str) -> str:
    """A text in the language that is spoken."""
    return _Spoken.catalogue.gettext(text) if text else ""


def ngettext(one: str, many: str, number: int) -> str:
    """That of two texts which is right for a number of things."""
    return _Spoken.catalogue.ngettext(one, many, number)


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools look for
    """Mark a text for the catalogues that is said elsewhere, by `gettext`."""
    return text


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - as N_
    """Mark two texts for the catalogues that are said elsewhere, by `ngettext`."""
    return one, many


class Text(str):
    """A text in English, as logs and stores hold it, that can be said in another language: a template and its values.

    >>> Text(N_("measured maximum heart rate {maximum} bpm"), maximum=172)
    'measured maximum heart rate 172 bpm'
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, **values: Any) -> Self:
        text = super().__new__(cls, template.format(**values))
        text.template, text.values = template, values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), dict(self.values)


def joined(parts: Sequence[str], between: str) -> str:
    """Several texts as one that can be said in another language."""
    names = [f"part{i}" for i in range(len(parts))]
    return Text(between.join(f"{{{name}}}" for name in names), **dict(zip(names, parts, strict=True)))


def said(text: str, *, on_paper: bool = False) -> str:
    """A text in the language that is spoken, its dates and texts within it too; any other string as it is.

    On paper a day is written in words in English too.
    """
    if not isinstance(text, Text) or (_Spoken.language == ENGLISH and not on_paper):
        return str(text)
    values = {name: _value_said(value, on_paper=on_paper) for name, value in text.values.items()}
    return gettext(text.template).format(**values)


def _value_said(value: Any, *, on_paper: bool) -> Any:
    if isinstance(value, str):
        return said(value, on_paper=on_paper)
    if not isinstance(value, date):
        return value
    return date_text(value, PLAIN_DAY) if on_paper else day_text(value)


def day_text(day: date) -> str:
    """A day within a line: `2026-03-01` in English, as whoever reads from a pipe has it, else as it is written."""
    return day.isoformat() if _Spoken.language == ENGLISH else date_text(day, PLAIN_DAY)


_OF_THE_SYSTEM = (
    N_("Permission denied"),
    N_("No such file or directory"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("Input/output error"),
    N_("Operation not permitted"),
)
"""What the operating system says most often; the rest of it stays English."""


def system_words(error: OSError) -> str:
    """What the operating system says is wrong, as a text that can be said."""
    words = error.strerror or str(error)
    return Text(words) if words in _OF_THE_SYSTEM else words


def date_text(day: date | datetime, pattern: str = DAY) -> str:
    """A day as it is written, `Monday 16 November 2026`."""
    if _Spoken.language == ENGLISH:
        # Names of days and months need no library in English, and a verb need not wait for one.
        parts = re.split(r"(E+|M+|y+|d+)", pattern)
        return "".join(
            str(day.day)
            if part == "d"
            else day.strftime(_ENGLISH_FIELDS[part])
            if part in _ENGLISH_FIELDS
            else part
            for part in parts
        )
    from babel.dates import format_date

    return format_date(day, gettext(pattern), locale=_Spoken.language)


def number_text(value: float, decimals: int = 0) -> str:
    """A number as it is written, with so many decimals and without groups of thousands: `1234.5`."""
    if _Spoken.language == ENGLISH:
        return f"{value:.{decimals}f}"
    from babel.numbers import get_decimal_symbol

    return f"{value:.{decimals}f}".replace(".", get_decimal_symbol(_Spoken.language))
