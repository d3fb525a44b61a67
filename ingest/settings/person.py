"""What a person can say of themselves in the settings: simple keys, and entries that begin on a day."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings import profile_history
from ingest.settings.machine_zone import machine_zone
from ingest.settings.names import as_kept
from ingest.settings.profile_history import FORMULAS, LARGEST_OFFSET_BPM, METHODS, THRESHOLD_SPORTS
from ingest.settings.table import (
    Check,
    SettingsTable,
    day,
    flag,
    found_but_right,
    many,
    one_of,
    setting,
    text,
    whole,
)
from ingest.settings.time_zone import known_zone

WEEKDAYS = (
    N_("monday"),
    N_("tuesday"),
    N_("wednesday"),
    N_("thursday"),
    N_("friday"),
    N_("saturday"),
    N_("sunday"),
)

_DATE = N_("a date like 2026-03-01, without quotes")
_ZONE = text(known_zone)
_TARGET = whole(1, 2000)
_TARGET_WORDS = N_("whole minutes a week, from 1 to 2000, without quotes")


# --- limits in beats per minute ---------------------------------------------------------------------------


def _beats(least: int, most: int) -> str:
    return Text(
        N_("a whole number of beats per minute from {least} to {most}, without quotes"),
        least=least,
        most=most,
    )


def _limit(found: object) -> int:
    if isinstance(found, str) and (percent := re.fullmatch(r"\s*([\d.]+)\s*%\s*", found)):
        raise ValueError(
            _("found {found} percent; limits are in beats per minute, like 115").format(found=percent[1])
        )
    limit: int = whole(40, 220)(found)
    return limit


def _fits_a_heart(key: str) -> Check:
    """That a limit is no percentage, and below the maximum that stands beside it."""

    def check(limit: int | None, before: Mapping[str, Any]) -> None:
        if limit is None:
            return
        maximum = before.get("maximum_bpm")
        if profile_history.looks_like_percentage(key, limit, maximum):
            raise ValueError(profile_history.percentage_words(limit))
        if maximum is not None and limit >= maximum:
            raise ValueError(
                _("found {found}; right would be less than maximum_bpm, which is {maximum_bpm}").format(
                    found=limit, maximum_bpm=maximum
                )
            )

    return check


def _both_in_order(vigorous: int | None, before: Mapping[str, Any]) -> None:
    if "moderate_bpm" not in before:
        return  # that one is wrong and says so itself
    moderate = before["moderate_bpm"]
    if (moderate is None) != (vigorous is None):
        absent = "moderate_bpm" if moderate is None else "vigorous_bpm"
        raise ValueError(
            _("{absent} is missing; give both limits, moderate_bpm and vigorous_bpm, or neither").format(
                absent=absent
            )
        )
    if moderate is not None and vigorous is not None and vigorous <= moderate:
        raise ValueError(profile_history.vigorous_too_low(vigorous, moderate))


class LimitSettings(SettingsTable):
    """A maximum and limits of one's own, in beats per minute."""

    maximum_bpm: int | None = setting(whole(100, 230), _beats(100, 230), default=None)
    moderate_bpm: int | None = setting(
        _limit, _beats(40, 220), default=None, checks=(_fits_a_heart("moderate_bpm"),)
    )
    vigorous_bpm: int | None = setting(
        _limit, _beats(40, 220), default=None, checks=(_fits_a_heart("vigorous_bpm"), _both_in_order)
    )


# --- a person, and the entries that begin on a day --------------------------------------------------------


class ProfileEntry(LimitSettings):
    """What is known of a heart from a day on; what it does not say stays as it was before."""

    since: date = setting(day, _DATE, key="from")
    method: str | None = setting(
        one_of(METHODS), N_('one of "bpm", "max", "reserve", "threshold", "age"'), default=None
    )
    resting_bpm: int | None = setting(whole(30, 120), _beats(30, 120), default=None)
    threshold_bpm: int | None = setting(whole(80, 220), _beats(80, 220), default=None)
    sport: str | None = setting(
        one_of(THRESHOLD_SPORTS),
        N_('"running" or "cycling", in which the threshold was measured'),
        default=None,
    )
    formula: str | None = setting(
        one_of(FORMULAS),
        N_('one of "nes", "tanaka", "gellish", "fox", "gulati", "sydo-women", "sydo-men"'),
        default=None,
    )
    limiting_medicine: bool | None = setting(flag, N_("true or false, without quotes"), default=None)


def _sport(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_ ]{1,40}", name):
        like = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
        if not like:
            raise ValueError(found_but_right(quoted(name), N_('a sport like "hand_cycling"')))
        raise ValueError(
            _('found {found}; right would be a sport like "hand_cycling"; did you mean {near}?').format(
                found=quoted(name), near=quoted(like)
            )
        )
    return name


class SportEntry(SettingsTable):
    """How the limits differ in one sport."""

    name: str = setting(text(_sport), N_('a sport as the watch calls it, in quotes, like "hand_cycling"'))
    since: date | None = setting(day, _DATE, default=None, key="from")
    offset_bpm: int | None = setting(
        whole(-LARGEST_OFFSET_BPM, LARGEST_OFFSET_BPM),
        Text(N_("whole beats per minute from -{most} to {most}, without quotes"), most=LARGEST_OFFSET_BPM),
        default=None,
    )
    moderate_bpm: int | None = setting(_limit, _beats(40, 220), default=None)
    vigorous_bpm: int | None = setting(_limit, _beats(40, 220), default=None)


class TargetEntry(SettingsTable):
    """A target for the weeks that begin on a day or later."""

    since: date = setting(day, _DATE, key="from")
    target_min: int = setting(_TARGET, _TARGET_WORDS)


class PlanEntry(SettingsTable):
    """A target that rises step by step and stays at the last one."""

    since: date = setting(day, _DATE, key="from")
    targets_min: tuple[int, ...] = setting(
        many(_TARGET, 1, 100),
        N_("a list of whole minutes a week, each from 1 to 2000, like [60, 90, 120, 150]"),
    )
    weeks: int = setting(whole(1, 52), N_("whole weeks from 1 to 52, without quotes"), default=4)


def _one_line(why: str) -> str:
    if not why.isprintable():
        raise ValueError(_("right would be a few words without invisible characters"))
    return why


class PauseEntry(SettingsTable):
    """Days whose weeks are not to be judged."""

    since: date = setting(day, _DATE, key="from")
    to: date | None = setting(day, _DATE, default=None)
    why: str | None = setting(
        text(_one_line, 1, 100), N_("a few words in quotes, 100 characters at most"), default=None
    )


class TravelEntry(SettingsTable):
    """Days in another time zone."""

    since: date = setting(day, _DATE, key="from")
    to: date | None = setting(day, _DATE, default=None)
    zone: str = setting(_ZONE, N_('a time zone like "Asia/Kolkata"'))


def _week(name: str) -> str:
    # Whether a year has a week 53 depends on the day a week begins: the person says that.
    if re.fullmatch(r"(19|20|21)[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])", name):
        return name
    raise ValueError(found_but_right(quoted(name), N_('a week like "2026-W47"')))


def _weeks_in(year: int, first_weekday: int) -> int:
    """How many weeks a year has: as many as it has of the fourth day of a week, as in ISO 8601."""
    last = date(year, 12, 31)
    last -= timedelta(days=(last.weekday() - first_weekday - 3) % 7)
    return (last - date(year, 1, 1)).days // 7 + 1


def _weeks_that_are(weeks: tuple[str, ...], before: Mapping[str, Any]) -> None:
    begins = before.get("week_begins")  # without it that one is wrong and says so itself
    for name in weeks if begins else ():
        year, number = name.split("-W")
        most = _weeks_in(int(year), WEEKDAYS.index(begins or ""))
        if int(number) > most:
            raise ValueError(
                _(
                    "found {found}, but where weeks begin on {weekday} the last week of {year} is W{number}"
                ).format(found=quoted(name), weekday=_(str(begins)), year=year, number=most)
            )


def _year(found: object) -> int:
    written = found.isoformat() if isinstance(found, date) else found
    if isinstance(written, str) and (year := re.match(r"(\d{4})-\d\d?-\d\d?", written)):
        raise ValueError(
            _("found {found}; the year is enough: born = {year}").format(found=year[0], year=year[1])
        )
    if isinstance(written, str) and (year := re.match(r"\d\d?[-./ ]\d\d?[-./ ](\d{4})$", written)):
        raise ValueError(
            _("found {found}; the year is enough: born = {year}").format(found=quoted(written), year=year[1])
        )
    born: int = whole(1900, float("inf"))(found)
    # A Pi has no clock of its own and may start in 1970: its owner is not refused for that.
    this_year = max(datetime.now().astimezone().year, 2026)
    if born > this_year:
        raise ValueError(
            _("found {found}; right would be a year from 1900 to {this_year}").format(
                found=born, this_year=this_year
            )
        )
    return born


class PersonSettings(LimitSettings):
    """Somebody whose heart rate is collected."""

    name: str = setting(text(as_kept), N_("a first name in quotes"))
    born: int | None = setting(_year, N_("a year like 1978, without quotes"), default=None)
    zone: str = setting(_ZONE, N_('a time zone like "Europe/Amsterdam"'), default_factory=machine_zone)
    target_min: int = setting(_TARGET, _TARGET_WORDS, default=150)
    sex: str | None = setting(one_of(("woman", "man")), N_('"woman" or "man"'), default=None)
    week_begins: str = setting(
        one_of(WEEKDAYS), N_('a day of the week in small letters, like "monday"'), default="monday"
    )
    bout_min: int | None = setting(
        whole(1, 60), N_("whole minutes from 1 to 60, without quotes"), default=None
    )
    not_judged: tuple[str, ...] = setting(
        many(text(_week)),
        N_('a list of weeks like ["2026-W47", "2026-W48"]'),
        default=(),
        checks=(_weeks_that_are,),
    )
    profile: tuple[ProfileEntry, ...] = setting(many(ProfileEntry.read), default=())
    sport: tuple[SportEntry, ...] = setting(many(SportEntry.read), default=())
    target: tuple[TargetEntry, ...] = setting(many(TargetEntry.read), default=())
    plan: PlanEntry | None = setting(PlanEntry.read, default=None)
    pause: tuple[PauseEntry, ...] = setting(many(PauseEntry.read), default=())
    travel: tuple[TravelEntry, ...] = setting(many(TravelEntry.read), default=())

    def facts(self) -> dict[str, Any]:
        """What decides derived numbers, for the journal to remember: set keys only, sorted, fit for JSON.

        Entries stand in the order of their days, so that moving them about in the file is no news.
        """
        found = self.written()
        del found["name"]
        if found["week_begins"] == WEEKDAYS[0]:
            del found["week_begins"]
        for value in found.values():
            if isinstance(value, list):
                value.sort(
                    key=lambda e: (e.get("from", ""), e.get("name", "")) if isinstance(e, dict) else (e, "")
                )
        return {key: value for key, value in sorted(found.items()) if value != []}
