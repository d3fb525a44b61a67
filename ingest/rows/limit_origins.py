"""Where limits come from, in words: English as every store holds them, and sayable in other languages."""

from datetime import date
from functools import cache

from ingest.language import N_, Text
from zones.edges import FORMULAS

_OF_FORMULAS = (
    N_("220 - age"),
    N_("208 - 0.7 x age"),
    N_("207 - 0.7 x age"),
    N_("211 - 0.64 x age"),
    N_("206 - 0.88 x age"),
    N_("210 - 0.79 x age"),
    N_("220 - 0.95 x age"),
    N_("standard deviation 10 to 12 bpm"),
    N_("standard deviation usually quoted as 10 bpm"),
    N_("+/- 10.8 bpm"),
    N_("off by 18 to 24 bpm or more for 1 in 20"),
    N_("off by 18 to 24 bpm or more for 1 in 20; women"),
    N_("off by 18 to 24 bpm or more for 1 in 20; men"),
)
"""The words and errors of `FORMULAS`, which knows of no language."""


def own_limits(since: date | None) -> Text:
    """Limits that the person gave."""
    if since is None:
        return Text(N_("own limits"))
    return Text(N_("own limits, since {since}"), since=since)


def measured_maximum(maximum: int, since: date | None) -> Text:
    """A maximum that the person gave."""
    if since is None:
        return Text(N_("measured maximum heart rate {maximum} bpm"), maximum=maximum)
    return Text(N_("measured maximum heart rate {maximum} bpm, since {since}"), maximum=maximum, since=since)


def reserve(resting: int, maximum: int, since: date | None) -> Text:
    """A resting and a maximum heart rate that the person gave."""
    if since is None:
        return Text(N_("resting {resting} and maximum {maximum} bpm"), resting=resting, maximum=maximum)
    return Text(
        N_("resting {resting} and maximum {maximum} bpm, since {since}"),
        resting=resting,
        maximum=maximum,
        since=since,
    )


def threshold(bpm: int, sport: str, since: date | None) -> Text:
    """The heart rate at a threshold that the person gave."""
    if since is None:
        return Text(N_("threshold {bpm} bpm in {sport}"), bpm=bpm, sport=Text(sport))
    return Text(N_("threshold {bpm} bpm in {sport}, since {since}"), bpm=bpm, sport=Text(sport), since=since)


def watch_maximum(maximum: int) -> Text:
    """A maximum that a watch is set to."""
    return Text(N_("maximum heart rate {maximum} bpm set in the watch"), maximum=maximum)


def guess_by_age(age: int, formula: str) -> Text:
    """A maximum that a formula guesses, with the error of that."""
    words, source, error = _formula(formula)
    template = N_("{formula} ({source}), age {age}, {error}")
    return Text(template, formula=words, source=source, age=age, error=error)


@cache
def _formula(name: str) -> tuple[Text, str, Text]:
    guess = FORMULAS[name]
    return Text(guess.words), guess.source, Text(guess.error)


def own_limits_of_sport(sport: str, since: date | None) -> Text:
    """Limits that the person gave for one sport."""
    if since is None:
        return Text(N_("own limits for {sport}"), sport=Text(sport))
    return Text(N_("own limits for {sport}, since {since}"), sport=Text(sport), since=since)


def shifted_for_sport(usual: str, bpm: int, sport: str, since: date | None) -> Text:
    """The usual limits, so many beats lower or higher in one sport."""
    if since is None:
        return Text(N_("{usual}, {bpm:+d} bpm for {sport}"), usual=usual, bpm=bpm, sport=Text(sport))
    return Text(
        N_("{usual}, {bpm:+d} bpm for {sport}, since {since}"),
        usual=usual,
        bpm=bpm,
        sport=Text(sport),
        since=since,
    )
