"""Slips on the command line: said in the language of whoever made them, and with what may have been meant."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ingest.cli import VERBS
from ingest.verbs.slips import OF_CLICK, OTHER_NAMES


def slip(folder: Path, *words: str, **environ: str) -> str:
    """What is said of it on stderr."""
    (folder / "hartslag.toml").write_text('language = "nl"\n')
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "--data", str(folder), *words],
        env={**os.environ, "LANG": "C.UTF-8", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    return done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["vandaag"], "Bedoelde je 'today'?"),
        (["week", "--weekss", "2"], "De optie '--weekss' bestaat niet. Bedoelde je '--weeks'?"),
        (["week", "--weeks", "x"], "goed is een heel getal"),
        (["week", "a", "b"], "Dit is er één te veel (b)"),
        (["--verbose"], "Er ontbreekt een opdracht"),
    ],
)
def test_a_slip_is_said_in_the_language_of_the_settings(words: list[str], told: str, tmp_path: Path) -> None:
    """Protects whoever set `language` on a system that speaks English, and mistypes a word."""
    err = slip(tmp_path, *words)
    assert told in err
    assert err.startswith("Zo gebruik je het: ")
    assert "Error" not in err


def test_a_word_of_everyday_leads_to_the_verb() -> None:
    """Protects from a suggestion that is no verb, and from hiding a verb behind another word."""
    assert set(OTHER_NAMES.values()) <= set(VERBS)
    assert not set(OTHER_NAMES) & set(VERBS)


@pytest.mark.parametrize(
    "text", [t for texts in OF_CLICK for t in ([texts] if isinstance(texts, str) else texts)]
)
def test_what_is_translated_is_what_click_says(text: str) -> None:
    """Protects from a new click that says it otherwise: its words would be English again, unnoticed."""
    sources = "".join(inspect.getsource(m) for m in (click.core, click.exceptions, click.parser, click.types))
    assert f'"{text}"' in sources


def test_nothing_said_at_all_shows_the_help_and_no_error(tmp_path: Path) -> None:
    """Protects whoever only writes `hartslag` to see what there is."""
    done = subprocess.run(
        [sys.executable, "-m", "ingest"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    shown = done.stdout + done.stderr
    assert shown.startswith("Usage: ")
    assert "Error" not in shown
