"""Where limits come from, in English and in the language that is spoken."""

from datetime import date

import pytest

from ingest.language import CATALOGUES, said, speak
from ingest.rows import limit_origins
from zones.edges import FORMULAS, Edges

SINCE = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("origin", "english", "dutch"),
    [
        (limit_origins.own_limits(None), "own limits", "eigen grenzen"),
        (
            limit_origins.own_limits(SINCE),
            "own limits, since 2026-03-01",
            "eigen grenzen, sinds 1 maart 2026",
        ),
        (
            limit_origins.guess_by_age(50, "nes"),
            Edges.from_age(50).origin,
            "geschat met 211 - 0,64 x leeftijd (Nes 2013), leeftijd 50, +/- 10,8 slagen/min",
        ),
        (
            limit_origins.shifted_for_sport(limit_origins.watch_maximum(172), -10, "hand_cycling", None),
            "maximum heart rate 172 bpm set in the watch, -10 bpm for hand_cycling",
            "maximale hartslag 172 slagen/min, zo ingesteld op het horloge, -10 slagen/min voor handbiken",
        ),
    ],
)
def test_an_origin_is_english_and_can_be_said_in_dutch(origin: str, english: str, dutch: str) -> None:
    """Protects stores from words that change with the language, and who reads Dutch from English ones."""
    speak("nl")
    assert str(origin) == origin == english
    assert said(origin) == dutch
    speak("en")
    assert said(origin) == english


def test_every_formula_can_be_said() -> None:
    """Protects a formula that is added to `zones` from staying English: it is marked for the catalogues."""
    template = (CATALOGUES / "nl" / "LC_MESSAGES" / "hartslag.po").read_text(encoding="utf-8")
    for formula in FORMULAS.values():
        assert f'msgid "{formula.words}"' in template
        assert f'msgid "{formula.error}"' in template
