"""The catalogues of languages: what is translated, that nothing is lost on the way, and that one more is one file."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from ingest.language import CATALOGUES, ENGLISH, languages

ROOT = Path(__file__).parents[1]
LANGUAGES = [language for language in languages() if language != ENGLISH]


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "hartslag.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def forms(text: object) -> tuple[str, ...]:
    """The text, or each of its forms for a number."""
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


def fields(text: str) -> set[str]:
    """The placeholders of a text, each with how it is written."""
    return {f"{name}:{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None}


def translated(language: str) -> list[Message]:
    return [m for m in catalogue(language) if m.id and all(forms(m.string))]


def texts_in_code() -> set[tuple[str, ...]]:
    """All texts that are marked in the program and in its pages, found as `make words` finds them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        mappings = tomllib.load(file)["tool"]["babel"]["mappings"]
    methods = [(m["pattern"], m["method"]) for m in mappings]
    found = extract_from_dir(
        ROOT / "ingest", methods, keywords={**DEFAULT_KEYWORDS, "N_": None, "NN_": (1, 2)}
    )
    return {forms(text) for _, _, text, _, _ in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_a_translation(language: str) -> None:
    """Protects who reads another language from a sentence in English: `make words` lists new ones, somebody translates them."""
    told = {forms(m.id) for m in translated(language)}
    assert sorted(texts_in_code() - told) == []
    assert sorted(told - texts_in_code()) == [], "`make words` takes out what nobody says any more"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    """Protects who reads another language from a sentence without its number, and from a crash where one is mistyped."""
    for message in translated(language):
        known = set().union(*map(fields, forms(message.id)))
        said = [fields(form) for form in forms(message.string)]
        assert set().union(*said) == known, message.id
        assert len(said) == ((message.pluralizable and catalogue(language).num_plurals) or 1), message.id
        assert said[-1] == fields(forms(message.id)[-1]), f"{message.id}: the form for many names its number"


@pytest.mark.parametrize("language", LANGUAGES)
def test_spaces_and_ends_of_a_translation_are_those_of_its_text(language: str) -> None:
    """Protects columns and sentences: a text that ends with a full stop, a colon or a line does so in each language."""
    for message in translated(language):
        for text, said in zip(forms(message.id), forms(message.string), strict=True):
            for end in (".", ":", "\n", " "):
                assert text.endswith(end) == said.endswith(end), (text, said)
            assert text.startswith((" ", "\n")) == said.startswith((" ", "\n")), (text, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_says_it_twice(language: str) -> None:
    """Protects from a sentence that stands there again and again, as a slip of the editor left it."""
    for message in translated(language):
        for text in forms(message.string):
            assert len(text) < 2 * 20 or text[:20] not in text[20:], text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_a_guess(language: str) -> None:
    """Protects people from what a tool put in for a text that is like another one."""
    assert [m.id for m in catalogue(language) if m.fuzzy and m.id] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_is_what_is_written(language: str) -> None:
    """Protects from a translation that was mended and never compiled: `make words` does both."""
    with (CATALOGUES / language / "LC_MESSAGES" / "hartslag.mo").open("rb") as file:
        compiled = read_mo(file)
    read = {forms(m.id): forms(m.string) for m in compiled if m.id}
    written = {forms(m.id): forms(m.string) for m in translated(language)}
    assert {text: said for text, said in read.items() if said != text} == {
        text: said for text, said in written.items() if said != text
    }


def test_a_third_language_is_one_file(tmp_path: Path) -> None:
    """Protects whoever brings a language: its catalogue is all it takes, for the settings and for the system's word."""
    copy = tmp_path / "ingest"
    shutil.copytree(ROOT / "ingest", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "zones").symlink_to(ROOT / "zones")
    folder = copy / "locale" / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    made_up = Catalog("eo")
    made_up.add("there is no such setting; did you mean {near}?", "ne ekzistas; cxu {near}?")
    with (folder / "hartslag.mo").open("wb") as file:
        write_mo(file, made_up)
    settings = tmp_path / "hartslag.toml"

    def said(text: str, **environment: str) -> str:
        settings.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "ingest", "--config", str(settings), "check"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "LC_ALL": "", "PYTHONUTF8": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    assert "inbx: ne ekzistas; cxu [inbox]?" in said('language = "eo"\ninbx = 1\n', LANG="nl_NL.UTF-8")
    assert "inbx: ne ekzistas; cxu [inbox]?" in said("inbx = 1\n", LANG="eo.UTF-8")
    assert 'right would be one of "en", "eo", "nl"' in said('language = "xx"\n', LANG="C")
