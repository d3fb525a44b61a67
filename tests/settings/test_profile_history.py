"""What a person says of their heart, entry after entry, and the mistakes that only show between entries."""

import re
from datetime import date
from pathlib import Path

import pytest

from ingest.errors import WrongSettings
from ingest.settings import profile_history
from ingest.settings.file import load
from zones.edges import FORMULAS, LEAST_RESERVE, OF_THRESHOLD


def mistakes(folder: Path, text: str) -> list[str]:
    """What the owner of a file with one person in it is told."""
    file = folder / "hartslag.toml"
    file.write_text(f'[[person]]\nname = "Jan"\n{text}\n')
    with pytest.raises(WrongSettings) as told:
        load(file, None, {}, folder)
    return [re.sub(r"^Line \d+: ", "", line) for line in str(told.value).splitlines()[1:]]


def test_the_words_are_those_of_the_science() -> None:
    """Protects a formula that settings allow and nothing can compute: both lists are one."""
    assert set(profile_history.FORMULAS) == set(FORMULAS)
    assert set(profile_history.THRESHOLD_SPORTS) == set(OF_THRESHOLD)
    assert profile_history.LEAST_RESERVE_BPM == LEAST_RESERVE


def test_what_an_entry_does_not_say_stays_as_it_was() -> None:
    """Protects the line that --propose prints: a new resting rate alone keeps method and maximum."""
    facts = {
        "maximum_bpm": 180,
        "profile": [
            {"from": "2026-05-01", "resting_bpm": 52},
            {"from": "2026-03-01", "method": "reserve", "resting_bpm": 60},
            {"from": "2026-07-01", "limiting_medicine": True},
            {"from": "2026-09-01", "moderate_bpm": 100, "vigorous_bpm": 120},
        ],
    }
    found = profile_history.profile_states(facts)
    assert [(s.method, s.method_since, s.medicine) for s in found] == [
        ("max", None, False),
        ("reserve", date(2026, 3, 1), False),
        ("reserve", date(2026, 5, 1), False),
        ("reserve", date(2026, 5, 1), True),
        ("bpm", date(2026, 9, 1), True),
    ]
    assert [s.numbers.get("resting_bpm") for s in found] == [None, 60, 52, 52, 52]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[person.profile]]\nfrom = 2026-03-01\nmethod = "reserve"\nmaximum_bpm = 170',
            '[[person.profile]] number 1, method: found "reserve", which also needs resting_bpm',
        ),
        (
            '[[person.profile]]\nfrom = 2026-03-01\nmethod = "threshold"',
            'found "threshold", which also needs threshold_bpm and sport',
        ),
        (
            '[[person.profile]]\nfrom = 2026-03-01\nmethod = "age"',
            'found "age", which also needs born',
        ),
        (
            (
                "born = 1970\n[[person.profile]]\nfrom = 2026-03-01\nlimiting_medicine = true\n"
                '[[person.profile]]\nfrom = 2026-06-01\nmethod = "age"'
            ),
            '[[person.profile]] number 2, method: found "age", but a medicine that limits your heart rate',
        ),
        (
            "[[person.profile]]\nfrom = 2026-03-01\nmaximum_bpm = 120\nresting_bpm = 90",
            "resting_bpm: found 90; resting 90 and maximum 120 lie less than 40 beats apart",
        ),
        (
            (
                "[[person.profile]]\nfrom = 2026-03-01\nresting_bpm = 50\n"
                "[[person.profile]]\nfrom = 2026-03-01\nresting_bpm = 60"
            ),
            "number 2, from: found 2026-03-01, as number 1 has; keep one of the two",
        ),
        ('[[person.profile]]\nfrom = "2026-03-01"', "right would be a date like 2026-03-01, without quotes"),
        ("[[person.profile]]\nfrom = 2026-03-01T10:00:00", "right would be a date like 2026-03-01"),
        ("[[person.profile]]\nresting_bpm = 50", "number 1, from: missing; right would be a date"),
        (
            '[[person.profile]]\nfrom = 2026-03-01\nmethod = "guess"',
            'found "guess"; right would be one of "bpm", "max"',
        ),
        ("[[person.profile]]\nfrom = 2026-03-01\nresting = 50", "did you mean resting_bpm?"),
        ("[[person.profile]]\nfrom = 2026-03-01\nmoderate_bpm = 100", "vigorous_bpm is missing"),
        (
            "moderate_bpm = 110\nvigorous_bpm = 140\n[[person.profile]]\nfrom = 2026-03-01\nmaximum_bpm = 135",
            "maximum_bpm: found 135, but vigorous_bpm = 140 holds from then on, too, and is not less than",
        ),
        (
            (
                "maximum_bpm = 135\n[[person.profile]]\nfrom = 2026-03-01\n"
                "moderate_bpm = 110\nvigorous_bpm = 140"
            ),
            "vigorous_bpm: found 140; right would be less than maximum_bpm, which is 135",
        ),
        (
            "moderate_bpm = 80\nvigorous_bpm = 140\n[[person.profile]]\nfrom = 2026-03-01\nresting_bpm = 80",
            "resting_bpm: found 80, but moderate_bpm = 80 holds from then on, too, and is not more than",
        ),
        (
            (
                '[[person.profile]]\nfrom = 2026-03-01\nmethod = "threshold"\nthreshold_bpm = 160\nsport = "cycling"\n'
                "[[person.profile]]\nfrom = 2026-05-01\nlimiting_medicine = true\nmaximum_bpm = 140"
            ),
            "number 2, maximum_bpm: found 140, but threshold_bpm = 160 holds",
        ),
        ('[[person.sport]]\nname = "Hand cycling"\noffset_bpm = -5', 'did you mean "hand_cycling"?'),
        ('[[person.sport]]\nname = "rowing"', "offset_bpm: missing; give it, or both"),
        ('[[person.sport]]\nname = "rowing"\nmoderate_bpm = 100', "vigorous_bpm: missing; give both"),
        (
            '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 100\nvigorous_bpm = 90',
            "found 90; right would be more than moderate_bpm, which is 100",
        ),
        (
            (
                "maximum_bpm = 100\nmoderate_bpm = 52\nvigorous_bpm = 70\n"
                '[[person.sport]]\nname = "rowing"\noffset_bpm = -25'
            ),
            "the limits would be 27 and 45 beats, which is no heart rate",
        ),
        (
            (
                '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 120\nvigorous_bpm = 150\n'
                "[[person.profile]]\nfrom = 2026-03-01\nlimiting_medicine = true\nmaximum_bpm = 130"
            ),
            '[[person.profile]] number 1, maximum_bpm: found 130, but for the sport "rowing" vigorous_bpm = 150 holds',
        ),
        (
            (
                "[[person.profile]]\nfrom = 2026-03-01\nlimiting_medicine = true\nmaximum_bpm = 130\n"
                '[[person.sport]]\nname = "rowing"\nfrom = 2026-04-01\nmoderate_bpm = 120\nvigorous_bpm = 150'
            ),
            "[[person.sport]] number 1, vigorous_bpm: found 150; right would be less than maximum_bpm, which is 130",
        ),
        (
            (
                "moderate_bpm = 100\nvigorous_bpm = 125\n"
                '[[person.sport]]\nname = "rowing"\noffset_bpm = 8\n'
                "[[person.profile]]\nfrom = 2026-03-01\nlimiting_medicine = true\nmaximum_bpm = 130"
            ),
            "[[person.sport]] number 1, offset_bpm: found 8; with it the limits would be 108 and 133 beats, and the second",
        ),
        (
            (
                '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 80\nvigorous_bpm = 110\n'
                "[[person.profile]]\nfrom = 2026-03-01\nresting_bpm = 84"
            ),
            'resting_bpm: found 84, but for the sport "rowing" moderate_bpm = 80 holds from then on',
        ),
        (
            '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 64\nvigorous_bpm = 120',
            "64 would be a heart rate of 64; limits are in beats per minute",
        ),
        (
            '[[person.sport]]\nname = "rowing"\noffset_bpm = -50',
            "right would be whole beats per minute from -30",
        ),
        (
            (
                "[[person.target]]\nfrom = 2026-03-01\ntarget_min = 60\n[person.plan]\nfrom = 2026-03-01\n"
                "targets_min = [60, 90]"
            ),
            "the day on which the plan begins; keep one of the two",
        ),
        ("[person.plan]\nfrom = 2026-03-01\ntargets_min = [60, 0]", "[person.plan], targets_min"),
        (
            "[person.plan]\nfrom = 2026-03-01\ntargets_min = []",
            "found a list; right would be a list of whole",
        ),
        ('not_judged = ["2026-47"]', 'found "2026-47"; right would be a week like "2026-W47"'),
        ('not_judged = ["2025-W53"]', "where weeks begin on monday the last week of 2025 is W52"),
        ("[[person.pause]]\nfrom = 2026-03-05\nto = 2026-03-01", "right would be 2026-03-05 or later"),
        (
            "[[person.pause]]\nfrom = 2026-03-01\nto = 2026-03-09\n[[person.pause]]\nfrom = 2026-03-09\nto = 2026-03-20",
            "number 2, from: found 2026-03-09, which lies within number 1",
        ),
        (
            '[[person.travel]]\nfrom = 2026-03-01\nzone = "Asia/Kolkatta"',
            'did you mean "Asia/Kolkata"?',
        ),
        ('week_begins = "Monday"', 'found "Monday"; right would be a day of the week in small letters'),
        ("bout_min = 0", "right would be whole minutes from 1 to 60"),
        ('sex = "f"', 'right would be "woman" or "man"'),
        ("[person.profile]\nfrom = 2026-03-01", "a heading [[person.profile]] on a line of its own"),
        ("[[person.plans]]\nfrom = 2026-03-01", "did you mean the heading [person.plan]?"),
    ],
)
def test_a_wrong_entry(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake about an entry names the heading, what was found and what would be right, in one line."""
    (line,) = mistakes(tmp_path, text)
    assert line.startswith('[[person]] number 1 ("Jan"), ')
    assert said in line


def test_limits_of_a_sport_end_with_its_next_entry(tmp_path: Path) -> None:
    """Limits of before a medicine are no mistake where the sport has others from the day of the medicine on."""
    file = tmp_path / "hartslag.toml"
    file.write_text(
        '[[person]]\nname = "Jan"\n'
        '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 120\nvigorous_bpm = 150\n'
        '[[person.sport]]\nname = "rowing"\nfrom = 2026-03-01\nmoderate_bpm = 95\nvigorous_bpm = 115\n'
        "[[person.profile]]\nfrom = 2026-03-01\nlimiting_medicine = true\nmaximum_bpm = 130\n"
    )
    assert len(load(file, None, {}, tmp_path).persons[0].sport) == 2


def test_all_mistakes_between_entries_at_once(tmp_path: Path) -> None:
    """One look is enough also where every entry is fine and only together they are not."""
    lines = mistakes(
        tmp_path,
        '[[person.profile]]\nfrom = 2026-03-01\nmethod = "reserve"\n'
        '[[person.sport]]\nname = "rowing"\n'
        "[[person.pause]]\nfrom = 2026-03-05\nto = 2026-03-01",
    )
    assert [line.split(", ")[1] for line in lines] == [
        "[[person.profile]] number 1",
        "[[person.sport]] number 1",
        "[[person.pause]] number 1",
    ]


def test_the_order_of_entries_in_the_file_is_no_news(tmp_path: Path) -> None:
    """Protects the journal from a tidied file: the same entries in another order are the same facts, fit for JSON."""
    text = (
        '[[person]]\nname = "Jan"\nzone = "UTC"\n{}\n{}\n'
        "[person.plan]\nfrom = 2027-01-04\ntargets_min = [60, 90]\n"
    )
    entries = [f"[[person.profile]]\nfrom = 2026-0{i}-01\nresting_bpm = {50 + i}" for i in (3, 4)]
    file = tmp_path / "hartslag.toml"
    found = []
    for order in (entries, entries[::-1]):
        file.write_text(text.format(*order))
        found += [person.facts() for person in load(file, None, {}, tmp_path).persons]
    assert (
        found[0]
        == found[1]
        == {
            "plan": {"from": "2027-01-04", "targets_min": [60, 90], "weeks": 4},
            "profile": [{"from": "2026-03-01", "resting_bpm": 53}, {"from": "2026-04-01", "resting_bpm": 54}],
            "target_min": 150,
            "zone": "UTC",
        }
    )
