"""What held since when, when it was written down, and what the data know better."""

import json
import random
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.household import record_profile
from ingest.journal import RANKS, Journal
from ingest.language import N_, Text, speak
from ingest.rows.evidence import read_evidence
from ingest.rows.profile import read_profile
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.verbs.profile import profile_answer, profile_items, profile_lines
from ingest.verbs.proposals import Proposal, find_proposals, proposal_lines
from tests.support.households import (
    DAY,
    HOUR,
    NOW,
    Event,
    Limits,
    Noted,
    Recording,
    S,
    at,
    hartslag,
    household,
    steady,
)
from tests.support.terminal_talk import talk

HOME: tuple[tuple[str, Any], ...] = (("born", 1970), ("zone", "Europe/Amsterdam"))
MORNING = at("2026-11-16T10:00+01:00")


def test_two_clocks(tmp_path: Path) -> None:
    """Protects the question "since when, and since when do we know": valid from and recorded are told apart."""
    wrong = {"from": "2026-03-01", "resting_bpm": 85}
    right = {"from": "2026-03-01", "resting_bpm": 58}
    with Journal(
        Settings(tmp_path).journal_file, now_ms=iter(range(NOW, NOW + 90 * DAY, 10 * DAY)).__next__
    ) as journal:
        for facts in ({"born": 1970}, {"born": 1970, "profile": [wrong]}, {"born": 1970, "profile": [right]}):
            record_profile(journal, "Jan", facts, overwrite=True)
        found = profile_items(journal, 1)
    days = [
        (
            i.since,
            i.words,
            ((i.recorded_ms or 0) - NOW) // DAY,
            i.withdrawn_ms and (i.withdrawn_ms - NOW) // DAY,
        )
        for i in found
    ]
    assert days == [
        ("2026-03-01", "resting_bpm 85", 10, 20),
        (None, "1970", 0, None),
        ("2026-03-01", "resting_bpm 58", 20, None),
    ]


def test_limits_with_method_and_error(tmp_path: Path) -> None:
    """Protects who is judged by a guess: the verb says that it is one and how far off it may be."""
    happened: list[Event] = [
        Noted("Jan", (*HOME, ("sport", [{"name": "rowing", "offset_bpm": -10}]))),
        steady("Jan", MORNING, 60, 120),
    ]
    with household(tmp_path, happened) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        found = profile_answer(journal, jan, NOW)
    assert [e["method"] for e in found["edges"]] == ["age"]
    assert "+/- 10.8 bpm" in found["edges"][0]["origin"]
    assert found["sports"]["rowing"][0]["moderate_bpm"] == found["edges"][0]["moderate_bpm"] - 10
    text = "\n".join(profile_lines(found))
    assert "In rowing:" in text
    assert "born: 1970  (recorded 2026-11-" in text


def effort(kind: str, source: str, top: int, start: int = MORNING) -> Recording:
    """Ten minutes that reach a heart rate, hold it for half a minute and come down again."""
    reached = 4 * (top - 100)
    bpm = [100 + t // 4 if t < reached else top - max(t - reached - 30, 0) // 4 for t in range(600)]
    return Recording(
        "Jan", source, kind, tuple((start + t * S, b) for t, b in enumerate(bpm)), start + 600 * S
    )


def test_a_higher_maximum_is_proposed_from_straps_only(tmp_path: Path) -> None:
    """Protects zones from a wrist that counts steps: only a strap's heart rate, held for seconds, is evidence."""
    happened: list[Event] = [
        Noted("Jan", HOME),
        Limits("Jan", MORNING, 170),
        effort("activity", "watch", 220),
        effort("strap", "strap", 182),
    ]
    with household(tmp_path, happened) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        before = journal.last_position()
        (found,) = find_proposals(journal, jan, NOW)
        assert (journal.last_position(), read_profile(journal, jan.id).heart_at(NOW)[1]) == (before, 170)
    assert (found.key, found.bpm, found.in_use) == ("maximum_bpm", 182, 170)
    assert "reached 182 bpm on 2026-11-16, seen by strap; in use is 170 bpm" in found.evidence
    assert found.leads_to == "moderate would begin at 116, vigorous at 140 bpm (now 109 and 131)"
    text = '[[person]]\nname = "Jan"\nborn = 1970\nzone = "Europe/Amsterdam"\n' + "\n".join(found.lines)
    (tmp_path / "hartslag.toml").write_text(text)
    (pasted,) = load(tmp_path / "hartslag.toml", None, {}, tmp_path).persons
    with household(tmp_path) as journal:
        record_profile(journal, "Jan", pasted.facts(), overwrite=True)
        assert read_profile(journal, jan.id).heart_at(NOW)[1] == 182
        assert find_proposals(journal, jan, NOW) == [], "what was taken over is not proposed again"


def test_a_frozen_strap_proposes_no_maximum(tmp_path: Path) -> None:
    """Protects zones from a strap that hung at one value: what is not believed elsewhere is no evidence here."""
    steps = [130 + t % 9 for t in range(900)]
    bpm = [*steps, *[222] * 180, *steps]
    frozen = Recording(
        "Jan",
        "strap",
        "strap",
        tuple((MORNING + t * S, b) for t, b in enumerate(bpm)),
        MORNING + len(bpm) * S,
    )
    with household(tmp_path, [Noted("Jan", (*HOME, ("maximum_bpm", 180))), frozen]) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        (seen,) = read_evidence(journal, jan.id, MORNING, frozen.end_ms)
        assert (int(seen.series.bpm.max()), int(seen.good.bpm.max())) == (222, 138)
        assert find_proposals(journal, jan, NOW) == []


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Los_Angeles", "2026-11-15"), ("Pacific/Auckland", "2026-11-16")]
)
def test_a_maximum_is_of_the_day_where_its_person_was(tmp_path: Path, zone: str, day: str) -> None:
    """Protects who checks the proposal against a diary: the day is that of the clock on the wall."""
    start = at("2026-11-16T05:00+00:00")
    climb = effort("strap", "strap", 182, start)
    facts = (("born", 1970), ("zone", zone), ("maximum_bpm", 170))
    with household(tmp_path, [Noted("Jan", facts), climb]) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        (found,) = find_proposals(journal, jan, NOW)
    assert f"reached 182 bpm on {day}, seen by strap" in found.evidence


def test_no_maximum_from_before_a_medicine(tmp_path: Path) -> None:
    """Protects who takes a beta blocker: what the heart did without it says nothing of today."""
    medicine = {"from": "2026-11-17", "limiting_medicine": True, "maximum_bpm": 150}
    happened: list[Event] = [Noted("Jan", (*HOME, ("profile", [medicine]))), effort("strap", "strap", 182)]
    with household(tmp_path, happened) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        assert find_proposals(journal, jan, NOW) == []


def claims(resting: list[int]) -> list[tuple[int, dict[str, Any]]]:
    first = at("2026-11-01T00:00+01:00")
    return [
        (first + i * DAY, {"source": "all-day", "moderate_min": 0.0, "vigorous_min": 0.0, "resting_bpm": bpm})
        for i, bpm in enumerate(resting)
    ]


def test_a_usual_resting_rate_is_proposed_from_the_claims_of_the_watch(tmp_path: Path) -> None:
    """Protects from a night of fever: the median of two weeks is proposed, with its days, and six days are too few."""
    for resting, proposed in (([58] * 6, None), ([90, 58, 57, 59, 58, 57, 60, 58], 58)):
        with household(tmp_path / str(len(resting)), [Noted("Jan", HOME)]) as journal:
            jan = journal.person("Jan")
            assert jan is not None
            with journal.write() as w:
                for start, content in claims(resting):
                    w.entry(jan.id, "claim", start, (start, start + HOUR), content)
            found = find_proposals(journal, jan, NOW)
        assert [(p.key, p.bpm) for p in found] == ([] if proposed is None else [("resting_bpm", proposed)])
    assert (
        "the median of 8 days from 2026-11-01 to 2026-11-08 is 58 bpm (lowest 57, highest 90)"
        in found[0].evidence
    )


def test_a_usual_resting_rate_from_all_day_files(tmp_path: Path) -> None:
    """Protects whose watch claims nothing: the quietest minutes of its days say the same."""
    random.seed(5)
    days = [
        steady(
            "Jan",
            MORNING - i * DAY,
            4 * 3600,
            random.choice([60, 61, 62]),
            source="all-day",
            kind="monitoring",
            step_s=60,
            movement=(),
        )
        for i in range(8)
    ]
    with household(tmp_path, [Noted("Jan", HOME), *days]) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        (found,) = find_proposals(journal, jan, NOW)
    assert found.key == "resting_bpm"
    assert 60 <= found.bpm <= 62
    assert "as the all-day files show" in found.evidence


def test_the_verb(tmp_path: Path) -> None:
    """Protects the way from the settings to the terminal: entries, limits and proposals of a household, also as JSON."""
    (tmp_path / "hartslag.toml").write_text(
        '[[person]]\nname = "Jan"\nborn = 1970\nzone = "Europe/Amsterdam"\n'
        '[[person.profile]]\nfrom = 2026-03-01\nmethod = "reserve"\nresting_bpm = 60\nmaximum_bpm = 170\n'
    )
    with household(tmp_path, [effort("strap", "strap", 182)]):
        pass
    done = hartslag("--data", tmp_path, "profile")
    assert done.code == 0, done.err
    assert any("104 and 126 bpm" in line and "reserve" in line for line in done.lines)
    not_yet = "resting_bpm 60  (recorded when the daemon starts next)"
    assert any("from 2026-03-01" in line and not_yet in line for line in done.lines)
    ((found),) = json.loads(hartslag("--data", tmp_path, "profile", "Jan", "--json").out)
    assert (found["resting_bpm"], found["maximum_bpm"]) == (60, 170)
    assert {item["recorded"] for item in found["said"]} == {None}
    assert hartslag("--data", tmp_path, "rebuild").code == 0
    ((found),) = json.loads(hartslag("--data", tmp_path, "profile", "Jan", "--json").out)
    assert all(item["recorded"].startswith("20") for item in found["said"])
    done = hartslag("--data", tmp_path, "profile", "--propose")
    assert "    maximum_bpm = 182" in done.lines
    assert "    [[person.profile]]" in done.lines
    ((offer),) = json.loads(hartslag("--data", tmp_path, "profile", "--propose", "--json").out)
    assert (offer["key"], offer["bpm"], offer["in_use"]) == ("maximum_bpm", 182, 170)
    assert hartslag("--data", tmp_path, "profile", "Piet").code == 1
    assert RANKS["strap"] == 0


def test_what_is_proposed_is_written_after_two_yeses(tmp_path: Path) -> None:
    """Protects settings from a proposal: its evidence comes first, then its lines, and each wants a yes; an entry of today takes it in."""
    old = '[[person]]\nname = "Jan" # he\nborn = 1970\nzone = "Europe/Amsterdam"\n'
    path = tmp_path / "hartslag.toml"
    path.write_text(old + "maximum_bpm = 170\n")
    with household(tmp_path, [effort("strap", "strap", 182)]):
        pass
    words = ["--data", str(tmp_path), "profile", "--propose", "--write"]
    endings: list[tuple[list[str], int]] = [
        (["no"], 0),
        (["yes", "no"], 0),
        (["yes", "stop"], 130),
        ([], 130),
    ]
    for answers, code in endings:
        assert talk(words, answers).code == code
        assert path.read_text() == old + "maximum_bpm = 170\n"
    done = talk(words, ["yes", "yes"])
    assert done.code == 0, done.shown
    assert "reached 182 bpm on 2026-11-16, seen by strap" in done.words
    assert "must be started anew" in done.words or "does not run now" in done.words
    (jan,) = load(path, None, {}, tmp_path).persons
    assert [e.maximum_bpm for e in jan.profile] == [182]
    assert path.read_text().startswith(old)
    assert "nothing in the data is known better" in talk(words, []).words
    assert hartslag("--data", tmp_path, "profile", "--write").code == 2


def test_a_proposal_speaks_dutch() -> None:
    """Protects who reads no English from a proposal that is not understood: it asks for a decision."""
    speak("nl")
    try:
        why = Text(
            N_(
                "the median of 15 samples reached {bpm} bpm on {day}, seen by {source}; in use is {maximum} bpm"
            ),
            bpm=182,
            day=date(2026, 11, 16),
            source="strap",
            maximum=170,
        )
        leads_to = Text(N_("limits stay {moderate} and {vigorous} bpm"), moderate=110, vigorous=140)
        one = Proposal(
            "Jan", date(2026, 11, 20), "maximum_bpm", 182, 170, why, ("maximum_bpm = 182",), leads_to
        )
        told = " ".join([*proposal_lines("Jan", [one]), *proposal_lines("Piet", [])])
    finally:
        speak("en")
    assert not {"the", "heart", "rate", "with", "would", "change", "nothing", "limits"} & set(
        re.findall(r"[a-z]+", told.casefold())
    )
    assert "16 november 2026" in told
