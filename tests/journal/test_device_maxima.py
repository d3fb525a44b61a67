"""Which maximum holds of those that devices are set to: the highest, from the day on which one first had it."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.journal import ALWAYS_MS, DAY_MS
from ingest.journal.device_maxima import (
    DeviceMaximum,
    differing_span,
    maxima_in_force,
    newest_of_each_device,
)

YEAR_2026_MS = 1_767_225_600_000

SAID = st.lists(
    st.builds(
        DeviceMaximum,
        st.integers(0, 9).map(lambda day: YEAR_2026_MS + day * DAY_MS),
        st.sampled_from([90, 172, 173, 180, 190, 240]),
        st.booleans(),
        st.sampled_from(["watch", "computer"]),
    ),
    max_size=7,
)
BORN = st.sampled_from([None, 1954, 1978])


def said(*words: tuple[int, int] | tuple[int, int, str]) -> list[DeviceMaximum]:
    """(Day, maximum, device): none of them a guess."""
    return [
        DeviceMaximum(YEAR_2026_MS + day * DAY_MS, bpm, device=(*rest, "watch")[0])
        for day, bpm, *rest in words
    ]


def by_day(found: Sequence[DeviceMaximum], born: int | None = None) -> list[tuple[int | None, int]]:
    """From which day on which maximum holds; None: always."""
    return [
        (None if at == -ALWAYS_MS else (at - YEAR_2026_MS) // DAY_MS, bpm)
        for at, bpm in maxima_in_force(found, born)
    ]


@pytest.mark.parametrize(
    ("found", "born", "holds"),
    [
        (said((0, 172)), None, [(None, 172)]),
        (
            said((0, 172), (1, 190, "computer"), (2, 172), (3, 190, "computer")),
            None,
            [(None, 172), (1, 190)],
        ),
        (said((0, 190), (3, 172), (5, 190)), None, [(None, 190)]),
        (said((0, 190), (3, 172)), 1978, [(None, 190)]),
        (said((0, 190), (3, 169)), 1978, [(None, 190)]),
        (said((0, 172), (3, 185)), 1978, [(None, 172), (3, 185)]),
        (said((0, 180), (3, 172)), 1946, [(None, 180)]),
        (said((0, 180), (3, 172)), 1986, [(None, 180), (3, 172)]),
        (said((0, 165), (3, 172)), 1978, [(None, 165)]),
        (said((0, 99), (1, 231)), None, []),
    ],
    ids=[
        "one",
        "two that take turns",
        "reset and set again",
        "reset to a guess",
        "said less",
        "set higher",
        "of another age",
        "a guess gives way to what was set",
        "what nobody's age gives, and then a guess",
        "none that can be",
    ],
)
def test_the_highest_that_was_set_holds_from_its_day_on(
    found: list[DeviceMaximum], born: int | None, holds: list[tuple[int | None, int]]
) -> None:
    """Two devices, or one that was reset, do not switch a person's limits with each file."""
    assert by_day(found, born) == holds
    assert by_day(found[::-1], born) == holds


def test_a_guess_that_the_file_shows_to_be_one_never_outdoes_what_was_set() -> None:
    """A computer that thinks of 220 - 25 is nobody's word against a watch that is set to 172."""
    guess = DeviceMaximum(YEAR_2026_MS, 195, True, "computer")
    assert by_day([guess, *said((2, 172))]) == [(None, 195), (2, 172)]
    assert by_day([*said((0, 172)), guess._replace(at_ms=YEAR_2026_MS + DAY_MS)]) == [(None, 172)]


@given(SAID, BORN, st.randoms(use_true_random=False))
def test_the_order_in_which_files_come_in_decides_nothing(
    found: list[DeviceMaximum], born: int | None, random: object
) -> None:
    """Whatever comes first, and however often: the same maximum holds on every day."""
    mixed = [*found, *found[:3]]
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a Random and says object
    assert maxima_in_force(mixed, born) == maxima_in_force(found, born)


@given(SAID, BORN)
def test_what_was_set_is_never_taken_back(found: list[DeviceMaximum], born: int | None) -> None:
    """The maximum rises only, but for the one moment at which a guess gives way to what somebody set."""
    line = maxima_in_force(found, born)
    assert [at for at, _ in line] == sorted({at for at, _ in line})
    assert sum(after < before for (_, before), (_, after) in pairwise(line)) <= 1


@given(SAID, SAID, BORN)
def test_the_span_that_differs_holds_all_moments_that_do(
    found: list[DeviceMaximum], more: list[DeviceMaximum], born: int | None
) -> None:
    """What is counted anew after a file is all that its maximum changes, and begins and ends with a change."""

    def at(line: list[tuple[int, int]], moment: int) -> int | None:
        return next((bpm for begins, bpm in reversed(line) if begins <= moment), None)

    before, after = maxima_in_force(found, born), maxima_in_force([*found, *more], born)
    moments = [-ALWAYS_MS, *(YEAR_2026_MS + day * DAY_MS for day in range(-1, 11)), ALWAYS_MS]
    differ = [m for m in moments if at(before, m) != at(after, m)]
    span = differing_span(before, after)
    assert (span is None) == (not differ)
    if span is not None:
        assert span[0] == differ[0]
        assert differ[-1] <= span[1]


def test_of_each_device_the_newest_word_of_the_last_year_is_known() -> None:
    """A device that lies in a drawer since two years contradicts nobody."""
    found = said((0, 190, "drawer"), (380, 172), (390, 175), (395, 185, "computer"), (900, 160))
    newest = newest_of_each_device(found, YEAR_2026_MS + 400 * DAY_MS)
    assert [(d.device, d.bpm) for d in newest] == [("computer", 185), ("watch", 175)]
