"""Settings files that are changed by the program: what their owner wrote stays."""

import re
import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import Stop
from ingest.settings.file import check
from ingest.settings.writer import SettingsText

SAMPLE = Path(__file__).parents[2] / "config" / "hartslag.toml"

# --- files as people write them ---

REMARKS = st.text(st.sampled_from("abc =[]\"'#äé€.-_"), max_size=20).map(lambda s: f"#{s}")
SPACE = st.sampled_from(["", " ", "  ", "\t"])
NAMES = st.text(st.sampled_from("abcdefgh äé'"), min_size=1, max_size=8).map(str.strip).filter(bool)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@st.composite
def said(draw: st.DrawFn, key: str, value: str) -> list[str]:
    """A setting, perhaps with a remark behind it, and lines of remarks and nothing about it."""
    behind = draw(st.one_of(st.just(""), REMARKS.map(lambda r: f"  {r}")))
    line = f"{draw(SPACE)}{key}{draw(SPACE)}={draw(SPACE)}{value}{behind}"
    return [*draw(st.lists(st.one_of(REMARKS, st.just("")), max_size=2)), line]


def quoted_by(name: str) -> list[str]:
    return [f'"{name}"', *([f"'{name}'", f"'''{name}'''"] if "'" not in name else [])]


@st.composite
def blocks(draw: st.DrawFn, name: str) -> list[str]:
    """A person, with entries of their own."""
    lines = ["[[person]]", *draw(said("name", draw(st.sampled_from(quoted_by(name)))))]
    if draw(st.booleans()):
        lines += draw(said("born", str(draw(st.integers(1930, 2010)))))
    if draw(st.booleans()):
        lines += draw(said("target_min", str(draw(st.integers(10, 300)))))
    if draw(st.booleans()):
        lines += draw(said("not_judged", '[\n  "2026-W40",  # why\n  "2026-W41",\n]'))
    for day in draw(st.lists(DAYS, unique=True, max_size=2)):
        lines += [f"{draw(SPACE)}[[ person.profile ]]", *draw(said("from", str(day)))]
        lines += draw(said("resting_bpm", str(draw(st.integers(45, 70)))))
    for day in draw(st.lists(DAYS, unique=True, max_size=2)):
        lines += ["[[person.target]] # of my own", *draw(said("from", str(day)))]
        lines += draw(said("target_min", str(draw(st.integers(10, 300)))))
    return lines


@st.composite
def files(draw: st.DrawFn) -> str:
    """A whole settings file without a mistake."""
    lines = draw(st.lists(st.one_of(REMARKS, st.just("")), max_size=3))
    if draw(st.booleans()):
        lines += draw(said("language", draw(st.sampled_from(['"nl"', "'en'"]))))
    if draw(st.booleans()):
        lines += ["[inbox]", *draw(said("settle_s", "3.5"))]
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=str.casefold)):
        lines += draw(blocks(name))
    if draw(st.booleans()):
        lines += ["[data]", *draw(said("folder", "'/var/lib/hartslag'"))]
    lines += draw(st.lists(st.one_of(REMARKS, st.just("")), max_size=3))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


def remarks(text: str) -> list[str]:
    """The remarks of a file, in order. Texts in these files hold no number sign."""
    return [m[0].rstrip() for line in text.splitlines() if (m := re.search(r"#.*", line))]


@settings(max_examples=60)
@given(files(), st.data())
def test_an_edit_changes_what_was_asked_and_nothing_else(text: str, data: st.DataObject) -> None:
    """Protects what somebody wrote into their settings: the file says the same but for the edit, and keeps each remark."""
    draft = SettingsText(text)
    before = deepcopy(draft.values)
    assert check(before)[1] == []
    who = data.draw(st.integers(0, len(before["person"]) - 1))
    wanted = deepcopy(before)
    match data.draw(st.sampled_from(["language", "target", "born", "entry", "plan", "strap", "person"])):
        case "language":
            draft.set(("language",), "nl")
            wanted["language"] = "nl"
        case "target":
            draft.set(("person", who, "target_min"), 77)
            wanted["person"][who]["target_min"] = 77
        case "born":
            draft.set(("person", who, "born"), 1988)
            wanted["person"][who]["born"] = 1988
        case "entry":
            entry = {"from": date(2031, 1, 1), "resting_bpm": 50}
            draft.add(("person", who, "profile"), entry)
            wanted["person"][who].setdefault("profile", []).append(entry)
        case "plan":
            plan = {"from": date(2031, 1, 1), "targets_min": [60, 90], "weeks": 4}
            draft.put(("person", who, "plan"), plan)
            wanted["person"][who]["plan"] = plan
        case "strap":
            strap = {"address": "A0:9E:1A:12:34:56", "person": before["person"][who]["name"]}
            draft.add(("strap",), strap)
            wanted["strap"] = [strap]
        case _:
            person = {"name": 'Zoë "Z" \\ # 😀', "target_min": 60}
            draft.add(("person",), person)
            wanted["person"].append(person)
    assert tomllib.loads(draft.text) == wanted == draft.values
    assert set(remarks(text)) <= {*remarks(draft.text)}
    assert len(remarks(draft.text)) >= len(remarks(text))
    gone = [line for _, sign, line in draft.lines_changed() if sign == "-"]
    assert len(gone) <= 1
    assert ("\r\n" in draft.text) == ("\r\n" in text) or "\n" not in text


@settings(max_examples=15)
@given(files())
def test_what_is_not_changed_is_not_touched(text: str) -> None:
    """Protects a file from being tidied up: setting what it says already leaves every octet of it."""
    draft = SettingsText(text)
    for i, person in enumerate(draft.values["person"]):
        draft.set(("person", i, "name"), person["name"])
    assert (draft.text, draft.is_changed, list(draft.lines_changed())) == (text, False, [])


def test_in_the_annotated_sample_a_line_goes_below_its_example() -> None:
    """Protects who reads the sample: what setup writes stands where the sample explains it, not at the end."""
    draft = SettingsText(SAMPLE.read_text())
    draft.set(("language",), "nl")
    draft.add(("person",), {"name": "Anna", "born": 1978})
    draft.set(("person", 0, "target_min"), 60)
    draft.add(("person", 0, "profile"), {"from": date(2026, 11, 1), "limiting_medicine": True})
    draft.put(("person", 0, "plan"), {"from": date(2027, 1, 4), "targets_min": [60, 90], "weeks": 2})
    draft.add(("strap",), {"address": "A0:9E:1A:12:34:56", "person": "Anna"})
    lines = draft.text.splitlines()
    for line, example in (
        ("[[person]]", "# [[person]]"),
        ("born = 1978", "# born = 1978"),
        ("target_min = 60", "# target_min = 150"),
        ("[[person.profile]]", "# [[person.profile]]"),
        ("limiting_medicine = true", "# limiting_medicine = true"),
        ("[person.plan]", "# [person.plan]"),
        ("weeks = 2", "# weeks = 4"),
        ("[[strap]]", "# [[strap]]"),
        ('address = "A0:9E:1A:12:34:56"', '# address = "A0:9E:1A:12:34:56"'),
    ):
        assert lines[lines.index(line) - 1] == example
    assert all(sign == "+" for _, sign, _ in draft.lines_changed())
    assert check(draft.values)[1] == []


@pytest.mark.parametrize(
    "text",
    [
        'person = [{name = "Anna"}] # on one line\n',
        '[[person]]\nname = """\\\n  Anna"""\nnote = """\n[[person]]\ntarget_min = 9\n"""\n',
        '"person" = [\n  {name = "Anna"},\n]\n',
        '\ufeff[["person"]]\r\nname = "Anna"\r\n',
        '[[person]]\nname = "Anna"\n[other]\na = 1\n[[person.target]]\nfrom = 2026-01-01\ntarget_min = 5\n',
    ],
)
def test_however_a_file_is_written_it_is_changed_rightly_or_not_at_all(text: str) -> None:
    """Protects a file that is written in a way nobody thought of: it says what it should, or the program stops in words."""
    for change in ({"target_min": 60}, {"profile": [{"from": date(2026, 11, 1), "resting_bpm": 50}]}):
        draft = SettingsText(text)
        wanted = deepcopy(draft.values)
        (key, value), *_ = change.items()
        try:
            if isinstance(value, list):
                draft.add(("person", 0, key), value[0])
            else:
                draft.set(("person", 0, key), value)
        except Stop:
            assert draft.text == text
            continue
        wanted["person"][0][key] = value
        assert tomllib.loads(draft.text.removeprefix("\ufeff")) == wanted
        assert draft.text.startswith("\ufeff") == text.startswith("\ufeff")


@given(st.text(max_size=60))
def test_no_text_can_become_more_than_a_text(text: str) -> None:
    """Protects the settings from an answer that is written like settings: whatever it holds, it is one value."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    draft = SettingsText('[[person]]\nname = "Anna"\n')
    for name in (text, f'"\n[data]\nfolder = "{text}"', f"Anna\\\n{text}"):
        draft.set(("person", 0, "name"), name)
        draft.add(("person",), {"name": name})
    assert {p["name"] for p in tomllib.loads(draft.text)["person"]} >= {text}
    assert list(tomllib.loads(draft.text)) == ["person"]


def test_taking_out() -> None:
    """Protects what stands about a line that goes."""
    draft = SettingsText(
        '# who\n[[person]]\nname = "A"\nborn = 1970 # x\n# y\n[person.plan]\nweeks = 1\n[inbox]\n# z\n'
    )
    draft.remove(("person", 0, "born"))
    draft.remove(("person", 0, "plan"))
    values: dict[str, Any] = {"person": [{"name": "A"}], "inbox": {}}
    assert tomllib.loads(draft.text) == values
    assert remarks(draft.text) == ["# who", "# y", "# z"]
