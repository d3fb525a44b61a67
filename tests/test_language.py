"""The language that people are spoken to in."""

import copy
import json
import pickle
from datetime import date

import pytest

from ingest.language import (
    DAY,
    N_,
    SHORT_DAY,
    Text,
    date_text,
    languages,
    number_text,
    said,
    speak,
    spoken_language,
    system_language,
)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "nl_NL.UTF-8"}, "nl"),
        ({"LANG": "nl"}, "nl"),
        ({"LANG": "nl_BE@euro"}, "nl"),
        ({"LANG": "nl_NL.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "nl_NL.UTF-8"}, "nl"),
        ({"LANG": "xx_XX.UTF-8"}, "en"),
    ],
)
def test_the_language_of_the_system(environment: dict[str, str], wanted: str) -> None:
    """Protects who set up the Pi in Dutch from settings for it, and everybody else from words that nobody has."""
    assert system_language(environment) == wanted


@pytest.mark.parametrize("language", languages())
def test_dates_and_numbers(language: str) -> None:
    """Protects dates and decimals from being written as others do: the same as Babel, also where it is not asked."""
    from babel.dates import format_date
    from babel.numbers import format_decimal

    speak(language)
    assert spoken_language() == language
    for day in (date(2026, 1, 1), date(2026, 11, 30)):
        for pattern in (DAY, SHORT_DAY):
            assert date_text(day, pattern).startswith(format_date(day, pattern[:4].strip(), locale=language))
    assert number_text(1234.56, 1) == format_decimal(1234.6, "0.0", locale=language)
    assert number_text(1234.56) == "1235"


def test_english_dates_are_those_of_babel() -> None:
    """Protects English, which is written without a library, from differing from what that would write."""
    from babel.dates import format_date

    for month in range(1, 13):
        day = date(2026, month, month)
        assert date_text(day) == format_date(day, DAY, locale="en")


def test_a_text_is_english_until_it_is_said() -> None:
    """Protects logs, stores and `--json` from another language: a text is its English, also copied and in JSON."""
    text = Text(N_("own limits, since {since}"), since=date(2026, 3, 1))
    speak("nl")
    for one in (text, copy.copy(text), pickle.loads(pickle.dumps(text))):
        assert json.loads(json.dumps(one)) == str(one) == "own limits, since 2026-03-01"
        assert said(one) == "eigen grenzen, sinds 1 maart 2026"
    speak("en")
    assert said(one, on_paper=True) == "own limits, since 1 March 2026"
    assert said("own limits") == "own limits", "what is no text of ours is left as it is"
