"""Sports in words that people read."""

from collections.abc import Iterator

import pytest

from ingest.language import speak
from ingest.sports import SPORTS, sport_text


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    """Protects other tests from what these speak."""
    yield
    speak("en")


@pytest.mark.parametrize("sport", ["generic", "", "all"])
def test_a_sport_that_nobody_told_is_a_workout(sport: str) -> None:
    """Protects who reads from "Anna: all, Monday": what stands for every sport, or for none, is no name of one."""
    assert sport_text(sport) == "workout"


def test_a_sport_is_said_in_words() -> None:
    """Protects who reads from names of a profile of files: no underscore, and the language's own word where there is one."""
    assert [sport_text(s) for s in ("cycling", "hand_cycling", "my_own")] == [
        "cycling",
        "hand cycling",
        "my own",
    ]
    speak("nl")
    assert [sport_text(s) for s in ("cycling", "hand_cycling", "my_own")] == [
        "fietsen",
        "handbiken",
        "my own",
    ]
    assert not [s for s in SPORTS if "_" in sport_text(s)]
