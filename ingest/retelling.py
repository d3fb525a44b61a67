"""Sentences that are kept in English, in the journal and in stores, said in another language when somebody reads them.

What was kept is a text of the catalogue with its values filled in, or some of them one after the other: they are found again
by their words, so nothing has to be kept beside a sentence, and what is years old can be said, too. What nobody knows of, a
name or the words of some library, stays as it is.
"""

import re
import struct
from functools import lru_cache
from pathlib import Path

from ingest.language import CATALOGUES, ENGLISH, Text, said, spoken_language

_LEAST_LETTERS = 8
"""Of its own, besides its values, for a text to be known by them: "{who}: {what}" would be found in anything."""

_MOST_PARTS = 24
"""Clauses of one sentence that are looked at; nothing that we write has as many."""

_FIELD = re.compile(r"\{(\w*)[^{}]*\}")
_BORDER = re.compile(r"(?<=[.;:])(?=\s)|\n")


def retold(text: str) -> str:
    """A text that was kept in English, in the language that is spoken."""
    if isinstance(text, Text):
        return said(text)
    language = spoken_language()
    if language == ENGLISH or not text:
        return text
    return _retold(text, language)


@lru_cache(maxsize=256)
def _retold(text: str, language: str) -> str:
    whole = _find(text, language)
    if whole is not None:
        return whole
    parts = _BORDER.split(text)[:_MOST_PARTS]
    ends = [0]
    for part in parts:
        ends.append(text.index(part, ends[-1]) + len(part))
    ends[-1] = len(text)
    told, at = "", 0
    while at < len(parts):
        # The longest run of clauses that is a text of ours: some hold a colon or a semicolon themselves.
        for until in range(len(parts), at, -1):
            piece = text[ends[at] : ends[until]]
            found = _find_clause(piece, language)
            if found is not None:
                break
        else:
            found, until = piece, at + 1
        told, at = told + found, until
    return told


def _find_clause(piece: str, language: str) -> str | None:
    """A clause in that language, with what stands around it; one that begins a sentence does so there, too."""
    core = piece.strip()
    before = piece[: len(piece) - len(piece.lstrip())]
    behind = piece[len(before) + len(core) :]
    if " " not in core:
        return None  # a name, or a word of somebody else's
    for end in ("", *core[-1:]):
        bare = core.removesuffix(end)
        if (found := _find(bare, language)) is not None:
            return f"{before}{found}{end}{behind}"
        lower = bare[:1].lower() + bare[1:]
        if lower != bare and (found := _find(lower, language)) is not None:
            return f"{before}{found[:1].upper()}{found[1:]}{end}{behind}"
    return None


def _find(text: str, language: str) -> str | None:
    """A text of the catalogue with its values, in that language; None for any other."""
    plain, templates = _known(language)
    if text in plain:
        return plain[text]
    for template, fixed, translation in templates:
        if not (text.startswith(fixed[0]) and text.endswith(fixed[-1]) and all(f in text for f in fixed)):
            continue
        if found := _pattern(template).fullmatch(text):
            values = {name: _value(value, language) for name, value in found.groupdict().items()}
            return _FIELD.sub(lambda field, values=values: values[field[1]], translation)  # type: ignore[misc]  # mypy has no type for a default
    return None


def _value(value: str, language: str) -> str:
    """A value may be a sentence of its own; a single word is a name or a number."""
    return _retold(value, language) if " " in value else value


@lru_cache(maxsize=128)
def _pattern(template: str) -> re.Pattern[str]:
    pattern, at, seen = "", 0, set[str]()
    for field in _FIELD.finditer(template):
        name = field[1]
        pattern += re.escape(template[at : field.start()])
        pattern += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
        seen.add(name)
        at = field.end()
    return re.compile(pattern + re.escape(template[at:]), re.DOTALL)


Template = tuple[str, list[str], str]
"""A text with values, what stands between these, and its translation."""


@lru_cache(maxsize=2)
def _known(language: str) -> tuple[dict[str, str], list[Template]]:
    """The texts of a language without values, and those with some, the wordiest first."""
    plain, templates = dict[str, str](), list[Template]()
    for text, translation in _catalogue(CATALOGUES / language / "LC_MESSAGES" / "hartslag.mo"):
        names = _FIELD.findall(text)
        if not names:
            plain[text] = translation
        elif all(names) and "{{" not in text and set(_FIELD.findall(translation)) <= set(names):
            fixed = re.split(r"\{\w*[^{}]*\}", text)
            if sum(c.isalpha() for part in fixed for c in part) >= _LEAST_LETTERS:
                templates.append((text, fixed, translation))
    templates.sort(key=lambda one: -sum(map(len, one[1])))
    return plain, templates


def _catalogue(path: Path) -> list[tuple[str, str]]:
    """Texts and translations as they lie in a catalogue (GNU gettext manual, "The Format of GNU MO Files"), each form of its own."""
    data = path.read_bytes()
    _magic, _revision, count, texts_at, translations_at = struct.unpack("<5I", data[:20])

    def table(at: int) -> list[list[str]]:
        places = struct.iter_unpack("<2I", data[at : at + 8 * count])
        return [data[place : place + length].decode().split("\0") for length, place in places]

    pairs = zip(table(texts_at), table(translations_at), strict=True)
    return [
        (form.partition("\4")[2] or form, translations[min(i, len(translations) - 1)])
        for forms, translations in pairs
        for i, form in enumerate(forms)
        if form
    ]
