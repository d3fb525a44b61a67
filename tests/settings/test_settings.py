"""Settings: what counts when nothing is said, which file is read, and what the owner is told about mistakes."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import WrongSettings
from ingest.language import spoken_language
from ingest.settings.file import load
from ingest.settings.model import MANY, TABLES, TOP, InfluxSettings, Settings, StrapSettings, keys
from ingest.settings.names import same_name, wrong_with_name
from ingest.settings.person import WEEKDAYS, PersonSettings
from zones.days import week_of

SAMPLE = Path(__file__).parents[2] / "config" / "hartslag.toml"
EXAMPLE = re.compile(r"# (\[.*\]|\w+ = .*)")


def settings(folder: Path, text: str) -> Settings:
    file = folder / "hartslag.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, None, {}, folder)


def mistakes(folder: Path, text: str) -> list[str]:
    """What the owner is told, without the first line that names the file."""
    with pytest.raises(WrongSettings) as told:
        settings(folder, text)
    heading, *lines = str(told.value).splitlines()
    assert str(folder / "hartslag.toml") in heading
    return [re.sub(r"^Line \d+: ", "", line) for line in lines]


def mistake(folder: Path, text: str) -> str:
    (line,) = mistakes(folder, text)
    return line


def broken(folder: Path, text: str) -> str:
    """What the owner is told about a file that is no TOML: one line."""
    assert mistakes(folder, text) == []
    with pytest.raises(WrongSettings) as told:
        load(folder / "hartslag.toml", None, {}, folder)
    return str(told.value)


def person(lines: str) -> str:
    return f'[[person]]\nname = "Jan"\n{lines}\n'


# --- which file, which folder -----------------------------------------------------------------------------


def test_nothing_said(tmp_path: Path) -> None:
    """Without any file everything has a value: a first start needs no settings."""
    found = load(None, None, {}, tmp_path, system=tmp_path / "none.toml")
    assert found.file is None
    assert found.data == tmp_path / "data"
    assert found.names_are_open
    assert found.default_person == "me"
    assert (found.persons, found.straps, found.influx) == ((), (), None)
    assert (found.inbox.settle_s, found.inbox.patience_s, found.inbox.largest_mb) == (2.0, 60.0, 64)


def test_folders_below_data(tmp_path: Path) -> None:
    """Everything the program keeps lies below one folder, so that one copy saves it all."""
    found = Settings(tmp_path)
    assert found.inbox_folder == tmp_path / "inbox"
    assert found.archive == tmp_path / "archive"
    assert found.rejected == tmp_path / "rejected"
    assert found.journal_file == tmp_path / "journal/journal.db"
    assert found.store_file == tmp_path / "store/hartslag.db"


def test_order_of_the_files(tmp_path: Path) -> None:
    """The nearest word counts: command line, environment, data folder, system, in this order."""
    system = tmp_path / "etc.toml"
    places = {
        "line": tmp_path / "line.toml",
        "environment": tmp_path / "environment.toml",
        "here": tmp_path / "data/hartslag.toml",
        "system": system,
    }
    (tmp_path / "data").mkdir()
    for name, file in places.items():
        file.write_text(f'[[person]]\nname = "{name}"\n')
    environ = {"HARTSLAG_CONFIG": "environment.toml"}

    def who(config: Path | None, environ: dict[str, str], data: Path | None = None) -> str:
        return load(config, data, environ, tmp_path, system=system).default_person

    assert who(Path("line.toml"), environ) == "line"
    assert who(None, environ) == "environment"
    assert who(None, {"HARTSLAG_CONFIG": ""}) == "here"
    places["here"].unlink()
    assert who(None, {}) == "system"
    assert who(None, {}, tmp_path / "elsewhere") == "me"
    assert who(None, {"HARTSLAG_DATA": "elsewhere"}) == "me"


def test_order_of_the_data_folders(tmp_path: Path) -> None:
    """The command line goes before the environment, that before the file; a path in the file begins at the file."""
    home = tmp_path / "etc"
    home.mkdir()
    file = home / "hartslag.toml"
    file.write_text('[data]\nfolder = "kept"\n')
    environ = {"HARTSLAG_DATA": "from-environment", "HOME": "/home/jan"}
    assert load(file, Path("line"), environ, tmp_path).data == tmp_path / "line"
    assert load(file, None, environ, tmp_path).data == tmp_path / "from-environment"
    assert load(file, None, {}, tmp_path).data == home / "kept"
    file.write_text('[data]\nfolder = "~/kept"\n')
    assert load(file, None, {"HOME": "/home/jan"}, tmp_path).data == Path("/home/jan/kept")
    file.write_text("")
    assert load(file, None, {}, tmp_path).data == tmp_path / "data"


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A typing error in --config never starts the program with other people's defaults."""
    for config, environ in ((Path("none.toml"), {}), (None, {"HARTSLAG_CONFIG": "none.toml"})):
        with pytest.raises(
            WrongSettings, match=re.escape(f'no settings file "{tmp_path}/none.toml"')
        ) as told:
            load(config, None, environ, tmp_path)
        assert told.value.exit_code == 78


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """What cannot be read is said with its path, not with a traceback."""
    with pytest.raises(WrongSettings, match="cannot be read: Is a directory"):
        load(tmp_path, None, {}, tmp_path)


def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file without the right to read it is an error, never skipped as if it were not there."""
    file = tmp_path / "data" / "hartslag.toml"
    file.parent.mkdir()
    file.write_text("", encoding="utf-8")
    file.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(WrongSettings, match="may not be read by this user"):
            load(None, None, {}, tmp_path)
    finally:
        os.seteuid(user)


def test_encodings(tmp_path: Path) -> None:
    """A file from Windows' editor is taken; one that is no UTF-8 is named with the line to look at."""
    file = tmp_path / "hartslag.toml"
    file.write_bytes(b'\xef\xbb\xbf[[person]]\r\nname = "Zo\xc3\xab"\r\n')
    assert load(file, None, {}, tmp_path).default_person == "Zoë"
    file.write_bytes(b'[[person]]\nname = "Zo\xeb"\n')
    with pytest.raises(WrongSettings, match=r"is not UTF-8 text \(line 2\): save it again"):
        load(file, None, {}, tmp_path)


def test_a_file_without_end(tmp_path: Path) -> None:
    """A film or a device named as settings does not fill the memory."""
    with pytest.raises(WrongSettings, match="larger than a megabyte"):
        load(Path("/dev/zero"), None, {}, tmp_path)


# --- the language -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "environ", "spoken"),
    [
        ("", {}, "en"),
        ("", {"LANG": "nl_NL.UTF-8"}, "nl"),
        ('language = "nl"', {}, "nl"),
        ('"language" = """nl"""', {}, "nl"),
        ('language = "en"', {"LANG": "nl_NL.UTF-8"}, "en"),
    ],
)
def test_the_language_that_is_spoken(tmp_path: Path, text: str, environ: dict[str, str], spoken: str) -> None:
    """Protects who wants another language than the computer's, and who has set nothing: that of the file, else the computer's."""
    file = tmp_path / "hartslag.toml"
    file.write_text(text)
    assert load(file, None, environ, tmp_path).language == spoken
    assert spoken_language() == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("language = 'nl'\n[inbox]\nsettle_s = two\n", "nl"),
        ('# Wij\n\n  language="nl"  # Nederlands\ncolour = 1\n', "nl"),
        ('language = "nl\n', "en"),
        ('language = "xx"\n', "en"),
        ('language = "."\n', "en"),
        ("language = 31\n", "en"),
        ('[influx]\nlanguage = "nl"\n', "en"),
    ],
)
def test_mistakes_are_said_in_the_language_of_the_file(tmp_path: Path, text: str, spoken: str) -> None:
    """Protects who reads Dutch from English just when something is wrong; what names no language changes nothing."""
    with pytest.raises(WrongSettings):
        settings(tmp_path, text)
    assert spoken_language() == spoken


def test_mistakes_in_dutch(tmp_path: Path) -> None:
    """Protects who reads Dutch from half a sentence in English: places, values and what would be right are all said in it."""
    text = """
        language = "nl"
        [inbox]
        settle_s = "2"
        [[person]]
        name = "Anna"
        born = 1978-05-03
        week_begins = "sunday"
        not_judged = ["2026-W53"]
        maximum_bpm = 95
        [[person.profile]]
        resting_bpm = 50
        [[strap]]
        address = "A0:9E"
        [watch]
        """
    with pytest.raises(WrongSettings) as told:
        settings(tmp_path, text)
    assert str(told.value).splitlines() == [
        f'In het instellingenbestand "{tmp_path}/hartslag.toml" staan 7 fouten:',
        'Regel 4: [inbox] settle_s: er staat "2"; goed is: seconden van 0 tot 600, zonder aanhalingstekens',
        'Regel 7: [[person]] nummer 1 ("Anna"), born: er staat 1978-05-03; alleen het jaar is genoeg: born = 1978',
        'Regel 9: [[person]] nummer 1 ("Anna"), not_judged: er staat "2026-W53", maar als weken op zondag beginnen is W52 de laatste week van 2026',
        'Regel 10: [[person]] nummer 1 ("Anna"), maximum_bpm: er staat 95; goed is: een heel aantal slagen per minuut van 100 tot 230, zonder aanhalingstekens',
        'Regel 11: [[person]] nummer 1 ("Anna"), [[person.profile]] nummer 1, from: ontbreekt; goed is: een datum als 2026-03-01, zonder aanhalingstekens',
        'Regel 14: [[strap]] nummer 1, address: er staat "A0:9E"; goed is: een adres als "A0:9E:1A:12:34:56"',
        "Regel 15: [[watch]]: goed is: een kopje [[watch]] op een eigen regel, met de instellingen eronder",
    ]


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    """Protects who looks for it in a long file: the number of the line, or of the heading that something is missing below.

    Also who puts it right from the top down: they come in the order of the file, whatever part of the program found them.
    """
    text = '# x\n[[person]]\nname = "Anna"\nborn = 78\n\n[[person.target]]\n\n[[person.plans]]\n'
    with pytest.raises(WrongSettings) as told:
        settings(tmp_path, text + "\n[inbox]\nsetle_s = 2\n")
    assert [line.split(": ")[0] for line in str(told.value).splitlines()[1:]] == [
        "Line 4",
        "Line 6",
        "Line 6",
        "Line 8",
        "Line 11",
    ]


def test_a_number_where_a_heading_belongs_is_told_its_key(tmp_path: Path) -> None:
    """Protects who writes `target = 60`: the setting so nearly named is named, beside the heading of that name."""
    assert mistake(tmp_path, person("target = 60")).endswith(
        ", [[person.target]]: found 60; did you mean target_min, or a heading [[person.target]] on a line of its own?"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('language = "xx"', 'language: found "xx"; right would be one of "en", "nl"'),
        ("language = true", 'language: found true; right would be a language in quotes, like "nl"'),
        ('langauge = "nl"', "langauge: there is no such setting; did you mean language?"),
        ("setle_s = 2", "setle_s: there is no such setting; there are language, [data], [inbox], "),
        ("inbx = 2", "inbx: there is no such setting; did you mean [inbox]?"),
        ("settle_s = 2", "settle_s: there is no such setting here; it belongs below [inbox]"),
        (
            '[inbox]\nlanguage = "nl"',
            "[inbox] language: there is no such setting here; it belongs at the top of the file, above the first heading",
        ),
        ('"person.plan" = 1', "[person.plan]: there is no such setting; did you mean [[person]]?"),
    ],
)
def test_a_wrong_top_of_the_file(tmp_path: Path, text: str, line: str) -> None:
    """Protects who puts a line too high or too low in the file, or mistypes it there: the words say where it belongs."""
    assert mistake(tmp_path, text).startswith(line)


# --- what is told about a file that is no TOML ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("[inbox]\nsettle_s = two\n", "line 2, column 12", "a text in quotes"),
        ('[[person]]\nname = "Jan\n', "line 2, column 12", "end with its quote"),
        ('[data]\nfolder = "C:\\Users"\n', "line 2, column 15", "single quotes"),
        ('[data]\nfolder = "C:\\jan"\n', "line 2, column 15", "single quotes"),
        ("[inbox]\nsettle_s = 2,5\n", "line 2, column 13", "a point, not a comma"),
        ("[inbox\n", "line 1, column 7", "a heading ends as it began"),
        ("[person]\n[person]\n", "line 2, column 8", "double brackets"),
        ("hallo\n", "line 1, column 6", "each line is a heading"),
        ("a = [1,", "at its end", "like 150"),
        ("a = " + "[" * 9000, "", "lists within lists"),
        ("a = " + "9" * 9000, "", "compare it with the sample"),
    ],
)
def test_no_toml(tmp_path: Path, text: str, where: str, hint: str) -> None:
    """The owner learns where the file breaks off, and what is most likely wrong there."""
    said = broken(tmp_path, text)
    assert where in said
    assert hint in said


# --- what is told about values ----------------------------------------------------------------------------


def test_every_mistake_at_once(tmp_path: Path) -> None:
    """One look at the message is enough to put the whole file right."""
    lines = mistakes(
        tmp_path,
        """
        colour = "red"
        [data]
        foldr = "/srv"
        [inbox]
        settle_s = "2"
        largest_mb = true
        [[person]]
        name = "Anna"
        target_min = 0
        [[person]]
        name = "anna"
        bron = 1978
        [[strap]]
        address = "A0:9E"
        person = "Ana"
        [influx]
        url = "localhost"
        """,
    )
    assert lines == [
        "colour: there is no such setting; there are language, [data], [inbox], [[person]], [[strap]], [[watch]], [bluetooth], [influx], [report], [backup]",
        "[data] foldr: there is no such setting; did you mean folder?",
        '[inbox] settle_s: found "2"; right would be seconds from 0 to 600, without quotes',
        "[inbox] largest_mb: found true; right would be whole megabytes from 1 to 1024, without quotes",
        '[[person]] number 1 ("Anna"), target_min: found 0; right would be whole minutes a week, from 1 to 2000, without quotes',
        '[[person]] number 2 ("anna"), name: found "anna", which number 1 has already',
        '[[person]] number 2 ("anna"), bron: there is no such setting; did you mean born?',
        '[[strap]] number 1, address: found "A0:9E"; right would be an address like "A0:9E:1A:12:34:56"',
        '[[strap]] number 1, person: there is no [[person]] "Ana"; did you mean "Anna"?',
        '[influx] url: right would be an address like "http://127.0.0.1:8086"',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("born = 1978-05-03", "found 1978-05-03; the year is enough: born = 1978"),
        (
            "[[person.profile]]\nfrom = 9999-12-31",
            "from: found 9999-12-31; right would be a date in the years 1900 to 2199",
        ),
        (
            "[[person.travel]]\nfrom = 2026-01-01\nto = 2262-04-12\nzone = 'Asia/Kolkata'",
            "to: found 2262-04-12; right would be a date in the years 1900 to 2199",
        ),
        (
            "[[person.target]]\nfrom = 0001-01-01\ntarget_min = 90",
            "from: found 0001-01-01; right would be a date in the years 1900 to 2199",
        ),
        ('born = "1978-5-3"', "found 1978-5-3; the year is enough: born = 1978"),
        ('born = "1978"', 'found "1978"; right would be a year like 1978, without quotes'),
        ("born = 78", "found 78; right would be a year like 1978"),
        ("born = 2999", "found 2999; right would be a year from 1900 to "),
        ("target_min = 2001", "from 1 to 2000"),
        ("target_min = 150.5", "found 150.5; right would be whole minutes"),
        ("maximum_bpm = 95", "found 95; right would be a whole number of beats per minute from 100 to 230"),
        (
            'zone = "Europe/Amsterdm"',
            'no time zone; right would be one like "Europe/Amsterdam"; did you mean',
        ),
        ('zone = "amsterdam"', 'did you mean "Europe/Amsterdam"?'),
        ('zone = "new york"', 'did you mean "America/New_York"?'),
        ('zone = "../../etc/passwd"', "no time zone"),
        ('zone = "right/UTC"', "no time zone"),
        ("age = 48", "give the year of birth: born = "),
        ('time_zone = "Europe/Amsterdam"', "did you mean zone?"),
        ('naam = "Jan"', "did you mean name?"),
        (
            "limiting_medicine = true",
            "below [[person.profile]], with the day from which on it holds: from = ",
        ),
        ('zone = "GMT+1"', "hours beside UTC, without summer time; right would be the place"),
        ('zone = "utc -5"', "hours beside UTC"),
        ('zone = "+01:00"', "hours beside UTC"),
        ('zone = "Europe"', "no time zone"),
        ('zone = "CEST"', 'did you mean "Europe/Amsterdam"?'),
        ('zone = "cest"', 'did you mean "Europe/Amsterdam"?'),
        ('zone = "BST"', 'did you mean "Europe/London"?'),
        ('zone = "PDT"', 'did you mean "America/Los_Angeles"?'),
        ('zone = "NZDT"', 'did you mean "Pacific/Auckland"?'),
        ('zone = "IST"', 'did you mean "Europe/Dublin" or "Asia/Kolkata" or "Asia/Jerusalem"?'),
        ('zone = "CST"', 'did you mean "America/Chicago" or "Asia/Shanghai"?'),
        ('zone = "XEST"', 'found "XEST", which is no time zone; right would be one like "Europe/Amsterdam"'),
        ("moderate_bpm = 115", "vigorous_bpm is missing; give both"),
        ("vigorous_bpm = 140", "moderate_bpm is missing; give both"),
        ("moderate_bpm = 140\nvigorous_bpm = 140", "right would be more than moderate_bpm, which is 140"),
        ("maximum_bpm = 150\nmoderate_bpm = 110\nvigorous_bpm = 150", "less than maximum_bpm, which is 150"),
        ('moderate_bpm = "64%"', "found 64 percent; limits are in beats per minute"),
        ("name2 = 1", "did you mean name?"),
        ('not_judged = ["2026-W54"]', 'found "2026-W54"; right would be a week like "2026-W47"'),
        ('not_judged = ["2026-W00"]', 'found "2026-W00"; right would be a week like "2026-W47"'),
        ('not_judged = ["2026-W1"]', 'found "2026-W1"; right would be a week like "2026-W47"'),
        (
            'not_judged = ["2026-W47", "2025-W53"]',
            'found "2025-W53", but where weeks begin on monday the last week of 2025 is W52',
        ),
        (
            'week_begins = "sunday"\nnot_judged = ["2026-W53"]',
            'found "2026-W53", but where weeks begin on sunday the last week of 2026 is W52',
        ),
        ("settle_s = 2", "there is no such setting here; it belongs below [inbox]"),
    ],
)
def test_a_wrong_person(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake about a person names the place, what was found and what would be right."""
    line = mistake(tmp_path, person(text))
    assert line.startswith('[[person]] number 1 ("Jan"), ')
    assert said in line


def test_no_zone_is_guessed_of_an_abbreviation_that_nobody_uses(tmp_path: Path) -> None:
    """Protects from a hint to another time: "XEST" is near to "EST" in letters alone."""
    assert "did you mean" not in mistake(tmp_path, person('zone = "XEST"'))


def test_a_medicine_with_a_yes_is_told_of_once(tmp_path: Path) -> None:
    """Protects from two rounds of mistakes for one line: how yes is written, and where the line belongs."""
    file = tmp_path / "hartslag.toml"
    file.write_text(person("limiting_medicine = yes"))
    with pytest.raises(
        WrongSettings, match=r"yes is written true.*below a heading .*profile.*from = 2026-03-01"
    ):
        load(file, None, {}, tmp_path)


@pytest.mark.parametrize("maximum", ["", "maximum_bpm = 180\n"])
def test_limits_in_percent_are_refused(tmp_path: Path, maximum: str) -> None:
    """64 and 77 are percent of a maximum; as beats they would count a week on the sofa as sport."""
    lines = mistakes(tmp_path, person(f"{maximum}moderate_bpm = 64\nvigorous_bpm = 77"))
    assert len(lines) == 2
    assert "64 would be a heart rate of 64; limits are in beats per minute" in lines[0]
    assert "77 would be a heart rate of 77; limits are in beats per minute" in lines[1]


def test_low_limits_of_a_slowed_heart(tmp_path: Path) -> None:
    """A heart that a medicine keeps slow has low limits; with its maximum they are believed."""
    (slow,) = settings(tmp_path, person("maximum_bpm = 120\nmoderate_bpm = 74\nvigorous_bpm = 92")).persons
    assert (slow.moderate_bpm, slow.vigorous_bpm) == (74, 92)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 41,
        "a/b",
        "a\\b",
        ".anna",
        "anna.",
        " anna",
        "anna ",
        "a\nb",
        "a\u202eb",
        "con",
        "LPT1.x",
        "a:b",
        'a"b',
    ],
)
def test_names_that_are_no_folders(tmp_path: Path, name: str) -> None:
    """A name is a folder on the Pi, on a share and on Windows; what cannot be one is refused in words."""
    assert wrong_with_name(name)
    line = mistake(tmp_path, f"[[person]]\nname = {json.dumps(name)}\n")
    assert re.match(r'\[\[person\]\] number 1( \(".*"\))?, name: found ".*"; ', line)
    assert line.isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=45))
def test_usable_names_name_one_folder(name: str) -> None:
    """Whatever is accepted as a name is one visible part of a path."""
    if wrong_with_name(name) is None:
        assert Path("inbox", name).parts == ("inbox", name)
        assert not name.startswith(".")
        assert len(os.fsencode(name)) <= 255


def test_names_are_found_however_written(tmp_path: Path) -> None:
    """A Mac writes accents in two pieces and a share changes capitals: still the same person."""
    found = settings(tmp_path, '[[person]]\nname = "Zoë"\n[[person]]\nname = "Jan"\n')
    assert not found.names_are_open
    assert found.default_person == "Zoë"
    zoe = found.person("zoe\u0308".upper())
    assert zoe is not None
    assert zoe.name == "Zoë"
    assert found.person("Piet") is None
    assert same_name("ZOE\u0308") == same_name("Zoë")


def test_anybody_while_names_are_open(tmp_path: Path) -> None:
    """Without named persons a folder's name is a person with default settings, if it can be a name at all."""
    found = Settings(tmp_path)
    assert found.person("Piet") == PersonSettings(name="Piet")
    assert found.person(".stfolder") is None


def test_headings_with_too_few_or_many_brackets(tmp_path: Path) -> None:
    """[person] instead of [[person]] is the likeliest slip of all, and is answered with the right heading."""
    assert mistake(tmp_path, '[person]\nname = "Jan"\n').startswith(
        "[[person]]: right would be a heading [[person]]"
    )
    assert mistake(tmp_path, '[[influx]]\nurl = "http://x"\n').startswith(
        "[influx]: right would be a heading [influx]"
    )
    assert "[[strap]]" in mistake(tmp_path, 'strap = "A0:9E:1A:12:34:56"\n')
    assert "a heading [[person]]" in mistake(tmp_path, 'person = ["Jan"]\n')
    assert "did you mean [[person]]?" in mistake(tmp_path, '[[persons]]\nname = "Jan"\n')
    assert "it belongs below [[person]]" in mistake(tmp_path, 'name = "Jan"\n')


# --- straps, the server, secrets --------------------------------------------------------------------------


def test_whose_strap_it_is(tmp_path: Path) -> None:
    """A strap belongs to the one it names, or to the only person there is; it is never guessed among several."""
    strap = '[[strap]]\naddress = "a0-9e-1a-12-34-56"\n'
    mine = StrapSettings(address="A0:9E:1A:12:34:56", person="me")
    assert settings(tmp_path, strap).straps == (mine,)
    assert settings(tmp_path, strap + 'person = "me"').straps == (mine,)
    assert settings(tmp_path, strap + person("")).straps[0].person == "Jan"
    two = '[[person]]\nname = "Anna"\n' + person("")
    assert settings(tmp_path, two + strap + 'person = "anna"').straps[0].person == "Anna"
    assert mistake(tmp_path, two + strap).startswith(
        "[[strap]] number 1, person: missing; right would be the name"
    )
    assert 'there is no [[person]] "Piet"; add one' in mistake(tmp_path, two + strap + 'person = "Piet"')
    assert "which number 1 has already" in mistake(tmp_path, strap + strap.upper().replace("-", ":").lower())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "address: missing; right would be the address of the strap"),
        ('name = "H10"', "address: serial is missing; a name alone could be a neighbour's strap"),
        ('serial = "1"', "address: name is missing; a serial number is only told after connecting"),
        ('address = "A0:9E:1A:12:34:56"\nserial = "1"', "address, or both name and serial"),
        ('address = "A0:9E:1A:12:34:56"\nname = "H\\n10"', "a name of your own, on one line"),
        (
            'name = "H10 "\nserial = "1"',
            'name: found "H10 "; right would be the text that `hartslag scan` shows',
        ),
        ('name = "H\\u001b"\nserial = "1"', r'name: found "H\x1b"; right'),
        ('name = "H10"\nserial = 1', "serial: found 1; right would be the serial number"),
        ('name = "H10"\nserial = ""', 'serial: found ""; right would be'),
        ('address = "A0:9E:1A:12:34:56"\npair = "yes"', 'pair: found "yes"; right would be true or false'),
    ],
)
def test_a_wrong_strap(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake about a strap says what would make it known for certain, so that no neighbour's is let in."""
    line = mistake(tmp_path, f"[[strap]]\n{text}\n")
    assert line.startswith("[[strap]] number 1, ")
    assert said in line


def test_straps_that_change_their_address(tmp_path: Path) -> None:
    """Two watches of one name are two straps; the same serial number twice is a slip."""
    watch = '[[strap]]\nname = "FR"\nserial = "1"\n'
    both = settings(tmp_path, watch + watch.replace('"1"', '"2"')).straps
    assert [s.source for s in both] == ["strap FR 1", "strap FR 2"]
    assert mistake(tmp_path, watch + watch).startswith(
        '[[strap]] number 2, serial: found "1", which number 1 has'
    )


def test_a_name_of_a_strap_is_only_a_name(tmp_path: Path) -> None:
    """What people call a strap can change as often as they like: it stays the same source, and no neighbour's is let in."""
    strap = '[[strap]]\naddress = "A0:9E:1A:12:34:56"\n'
    (named,) = settings(tmp_path, strap + 'name = "Anna\'s Polar"').straps
    assert named.name == "Anna's Polar"
    assert named.source == settings(tmp_path, strap).straps[0].source == "strap A0:9E:1A:12:34:56"


def test_names_of_watches(tmp_path: Path) -> None:
    """A watch is named by the digits in its files, with or without quotes, as nobody remembers which are a text."""
    found = settings(
        tmp_path,
        '[[watch]]\nserial = 3423412345\nname = "Zoë\'s"\n[[watch]]\nserial = "0077"\nname = "Old one"',
    )
    assert [(w.serial, w.name) for w in found.watches] == [("3423412345", "Zoë's"), ("77", "Old one")]


def test_whose_a_watch_is(tmp_path: Path) -> None:
    """A watch that is plugged in brings its files to the person of its line; where one person lives alone none is needed."""
    line = '[[watch]]\nserial = 77\nperson = "zoë"\n'
    for persons, owners in (
        ("", ("me", "me")),
        ('[[person]]\nname = "Zoë"\n', ("Zoë", "Zoë")),
        ('[[person]]\nname = "Jan"\n[[person]]\nname = "Zoë"\n', ("Zoë", None)),
    ):
        found = settings(tmp_path, persons + (line if persons else ""))
        assert (found.owner_of_watch("77"), found.owner_of_watch("")) == owners


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "Fenix"', "serial: missing; right would be the digits that `hartslag status` shows"),
        ('serial = "77"\nname = 5', 'name: found 5; right would be a name in quotes, like "Anna\'s watch"'),
        ('serial = "77"\nperson = "Kim"', 'person: there is no [[person]] "Kim"'),
        ('serial = "7A"\nname = "F"', 'serial: found "7A"; right would be the digits'),
        ('serial = 4294967296\nname = "F"', 'serial: found "4294967296"; right would be the digits'),
        ('serial = true\nname = "F"', "serial: found true; right would be the digits"),
        ('serial = "77"\nname = " F"', 'name: found " F"; right would be a name on one line'),
        ('serial = 77\nname = "F"\nmodel = "945"', "model: there is no such setting"),
        (
            'serial = 77\nname = "F"\n[[watch]]\nserial = "077"\nname = "G"',
            'number 2, serial: found "077", which number 1 has already',
        ),
    ],
)
def test_a_wrong_watch(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake about a watch says what is right there, so that no name is given to nobody or to two."""
    line = mistake(tmp_path, f"[[watch]]\n{text}\n")
    assert line.startswith("[[watch]] number ")
    assert said in line


def test_which_adapter(tmp_path: Path) -> None:
    """An adapter is known by its address; hci0 may be another one tomorrow and is refused."""
    text = '[bluetooth]\nadapter = "b8-27-eb-12-34-56"\n'
    assert settings(tmp_path, text).bluetooth.adapter == "B8:27:EB:12:34:56"
    assert "right would be an address like" in mistake(tmp_path, '[bluetooth]\nadapter = "hci0"\n')


def test_the_server(tmp_path: Path) -> None:
    """A server needs its address only; the path of its token begins at the settings file."""
    found = settings(tmp_path, '[influx]\nurl = "http://127.0.0.1:8086/"\n').influx
    assert found == InfluxSettings(url="http://127.0.0.1:8086")
    found = settings(tmp_path, '[influx]\nurl = "https://nas"\ntoken_file = "token"\n').influx
    assert found is not None
    assert found.token_file == tmp_path / "token"
    assert mistake(tmp_path, '[influx]\norg = "home"\n').startswith(
        "[influx] url: missing; right would be an address"
    )


def test_a_site_is_a_name_that_every_server_takes_as_it_is(tmp_path: Path) -> None:
    """Protects a fleet: the site is in every row of a server, and two spellings of it would be two Pis."""
    url = '[influx]\nurl = "http://nas"\n'
    found = settings(tmp_path, url + 'site = "room-7"\n').influx
    assert found is not None
    assert found.site == "room-7"
    for wrong in ("", "room 7", "a,b", "x=y", "Zoë", "a" * 41):
        assert mistake(tmp_path, f'{url}site = "{wrong}"\n').endswith('like "room-7"'), wrong
    assert "belongs below [influx]" in mistake(tmp_path, '[data]\nsite = "room-7"\n')


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8086",
        "ftp://nas",
        "http://",
        "http://a b",
        "http://[x",
        "http://x:99999",
        "http://nas..local",
        f"http://{'n' * 64}.local",
    ],
)
def test_no_address_of_a_server(tmp_path: Path, url: str) -> None:
    """An address that can never be reached is refused at the start, not found out about in the night."""
    assert mistake(tmp_path, f'[influx]\nurl = "{url}"\n').endswith('like "http://127.0.0.1:8086"')


@pytest.mark.parametrize("bucket", ["", " ", "/", "/month", "a\\nb"])
def test_no_name_of_a_bucket(tmp_path: Path, bucket: str) -> None:
    """A name without a database before its / is refused at the start: a server says of it what nobody understands."""
    told = mistake(tmp_path, f'[influx]\nurl = "http://nas"\nbucket = "{bucket}"\n')
    assert told.endswith("right would be the name of the bucket in quotes")


@pytest.mark.parametrize(
    "line",
    [
        'token = "S3CRET"',
        'password = "S3CRET"',
        'url = "http://jan:S3CRET@nas"',
        'url = "http://nas/?token=S3CRET"',
        'url = "S3CRET://nas"',
        'token_file = ["S3CRET"]',
        "token_file = S3CRET",
    ],
)
def test_secrets_are_not_shown(tmp_path: Path, line: str) -> None:
    """A token in the wrong place is refused with a way to keep it, and does not end in the log."""
    url = "" if line.startswith("url") else 'url = "http://nas"\n'
    with pytest.raises(WrongSettings) as told:
        settings(tmp_path, f"[influx]\n{url}{line}\n")
    assert "S3CRET" not in str(told.value)
    if line.startswith(("token =", "password")):
        assert "put it alone into a file" in str(told.value)


def test_foreign_text_stays_on_its_line(tmp_path: Path) -> None:
    """Control characters in a value cannot write lines of their own into the log."""
    line = mistake(tmp_path, person('zone = "x\\n\\u001b[31mALL WELL"'))
    assert r'"x\n\x1b[31mALL WELL"' in line
    line = mistake(tmp_path, '"a\\nb" = 1\n')
    assert line.startswith(r'"a\nb": there is no such setting')
    assert "without invisible characters" in mistake(tmp_path, '[data]\nfolder = "a\\u0000b"\n')


def test_no_words_of_the_library(tmp_path: Path) -> None:
    """The owner never meets the vocabulary of the validating library, nor its links, nor a traceback."""
    values = ["1", "-1", "1.5", '"x"', "true", "nan", "inf", "1e300", "1979-05-27", "12:00:00"]
    values += ["[]", "{}", "[1]", "[{}]", "[1, {}]", "[[]]", '[{name = 1, person = 1}, {name = "x"}]']
    lines = [f"{table} = {value}" for table in (*TABLES, "x") for value in values]
    for table, model in TABLES.items():
        heading = f"[[{table}]]" if table in MANY else f"[{table}]"
        lines += [f"{heading}\n{key} = {value}" for key in (*model.SETTINGS, "from", "x") for value in values]
    for text in lines:
        try:
            settings(tmp_path, text)
        except WrongSettings as error:
            said = str(error)
            assert not re.search(r"[Vv]alue error|Problem|Mistake|None|datetime|https://", said), said


# --- a person's facts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", range(7))
def test_a_week_53_may_be_named_where_it_is(first: int) -> None:
    """Protects who rests at the end of a year: week 53 is taken in those years that have one with weeks from their day."""
    for year in range(1990, 2110):
        weeks = {week_of(date(year, 12, day), first)[1] for day in (28, 29, 30, 31)}
        name = f"{year}-W53"
        try:
            found = PersonSettings(name="Jan", week_begins=WEEKDAYS[first], not_judged=(name,)).not_judged
        except ValueError:
            found = ()
        assert found == ((name,) if name in weeks else ())


def test_facts_are_what_decides_numbers() -> None:
    """The journal learns what changes minutes and nothing else: no name, no key that is not set."""
    facts = PersonSettings(name="Jan", zone="Europe/Amsterdam", born=1978).facts()
    assert facts == {"born": 1978, "target_min": 150, "zone": "Europe/Amsterdam"}
    assert list(facts) == sorted(facts)
    full = PersonSettings(name="Jan", zone="UTC", maximum_bpm=180, moderate_bpm=115, vigorous_bpm=140).facts()
    assert list(full) == ["maximum_bpm", "moderate_bpm", "target_min", "vigorous_bpm", "zone"]
    assert json.loads(json.dumps(full)) == full


@pytest.mark.parametrize("tz", ["Europe/Amsterdam", "Nowhere/Atlantis"])
def test_the_zone_of_the_machine(tz: str) -> None:
    """Without a zone in the settings a person lives where the computer is set to; a wrong setting stops nothing."""
    ask = "from ingest.settings.machine_zone import machine_zone; print(machine_zone())"
    environ = {**os.environ, "TZ": tz}
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", ask], env=environ, capture_output=True, text=True, check=True
    )
    assert said.stderr == ""
    zone = said.stdout.strip()
    assert ZoneInfo(zone).key == (tz if tz.startswith("Europe") else zone)


# --- the sample -------------------------------------------------------------------------------------------


def examples() -> list[tuple[str, str, str]]:
    """Table, key and value of each line that is switched off in the sample."""
    found, table = [], ""
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        if example := EXAMPLE.fullmatch(line):
            if line.startswith("# ["):
                table = line.strip("# []")
                assert line == (f"# [[{table}]]" if table in MANY else f"# [{table}]")
            else:
                key, value = example[1].split(" = ")
                found.append((table, key, value))
    return found


def test_the_sample_says_nothing(tmp_path: Path) -> None:
    """Copied as it is, the sample changes nothing: each of its lines is prose or switched off."""
    text = SAMPLE.read_text(encoding="utf-8")
    for line in text.splitlines():
        assert line in {"", "##"} or line.startswith("## ") or EXAMPLE.fullmatch(line), line
        assert len(line) <= 120
    assert settings(tmp_path, text) == Settings(tmp_path / "data", tmp_path / "hartslag.toml")


def test_the_sample_switched_on(tmp_path: Path) -> None:
    """All examples are valid together: whoever tidies the sample by deleting every # still has a working file."""
    text = re.sub(r"(?m)^# ", "", SAMPLE.read_text(encoding="utf-8"))
    found = settings(tmp_path, text)
    assert [p.name for p in found.persons] == ["Anna"]
    assert [s.source for s in found.straps] == ["strap A0:9E:1A:12:34:56", "strap Forerunner 3423412345"]
    assert [w.name for w in found.watches] == ["Anna's watch"]
    assert found.bluetooth.adapter == "B8:27:EB:12:34:56"
    assert found.influx is not None


@pytest.mark.parametrize(("table", "key", "value"), examples())
def test_each_example_switched_on(tmp_path: Path, table: str, key: str, value: str) -> None:
    """Each example is valid alone below its heading, with only what its table cannot do without."""
    needed = {name for name, found in keys(table).items() if found.required} - {"person"}
    needed |= {"moderate_bpm", "vigorous_bpm"} if key in {"moderate_bpm", "vigorous_bpm"} else set()
    needed |= {"resting_bpm", "maximum_bpm"} if key == "method" else set()
    needed |= {"offset_bpm"} if table == "person.sport" else set()
    needed |= {"name", "serial"} if table == "strap" and key in {"name", "serial"} else set()
    needed |= {"address"} if table == "strap" and key not in {"name", "serial"} else set()
    needed.add(key)
    lines = [f"{k} = {v}" for t, k, v in examples() if t == table and k in needed]
    heading = "" if table == TOP else f"[[{table}]]" if table in MANY else f"[{table}]"
    somebody = table.startswith("person.") or (table, key) in {("strap", "person"), ("watch", "person")}
    others = '[[person]]\nname = "Anna"\n' if somebody else ""
    assert f"{key} = {value}" in lines
    settings(tmp_path, "\n".join([others, heading, *lines]))


def test_the_sample_knows_every_key() -> None:
    """A setting that the sample does not tell of does not exist for its owner, and the other way round."""
    assert [(t, k) for t, k, _ in examples()] != []
    told = {(table, key) for table, key, _ in examples()}
    assert told == {(table, key) for table in (TOP, *TABLES) for key in keys(table)}
    assert len(examples()) == len(told)


@pytest.mark.parametrize(("table", "key", "value"), examples())
def test_the_defaults_in_the_sample(table: str, key: str, value: str) -> None:
    """A value in the sample is the default of the code; where there is none, the text above says so."""
    found = keys(table)[key]
    example = tomllib.loads(f"x = {value}")["x"]
    if not found.required and found.default_factory is None and found.default not in {None, ()}:
        assert example == found.default
        assert type(example) is type(found.default)
        return
    text = SAMPLE.read_text(encoding="utf-8")
    below = 0 if table == TOP else text.index(f"\n# [{table}]" if table not in MANY else f"\n# [[{table}]]")
    above = text[: text.index(f"\n# {key} = {value}\n", below)].split("\n\n")[-1].replace("\n## ", " ")
    assert re.search(r"There is no default|Without th(is|ese) lines?|This line can be left out", above), above


def test_reading_settings_is_cheap() -> None:
    """Whoever reads settings does not pay for Bluetooth, numbers, the network or a progress bar."""
    ask = "import sys, ingest.settings.model; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert not {"bleak", "numpy", "influxdb_client", "rich", "click", "fitparse"} & set(said.stdout.split())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("name = \u201cAnna\u201d", "quotes are bent"),
        ("name = \u2018Anna\u2019", "quotes are bent"),
        ("limiting_medicine = yes", "yes is written true"),
        ("limiting_medicine = True # since spring", "yes is written true"),
        ("from = 2026-02-30", "the calendar has no such day"),
        ("from = 01-03-2026", "the year first"),
        ("from = 1/3/2026", "the year first"),
        ("from = 2026-2-3", "the year first"),
        ("from = 2026-03", "the year first"),
        ("from = 1 maart 2026", "the year first"),
        ("to = March 1, 2026", "the year first"),
        ("from = 2026-03-01T12", "the year first"),
        ("name\u00a0= 5", "cannot be seen"),
        ("na\u200bme = 5", "cannot be seen"),
        ('name = "Anna"\u00a0', "cannot be seen"),
        ("target_min = 150\u2003\r", "cannot be seen"),
        ("bout_min = 10,5", "a point, not a comma"),
    ],
)
def test_a_line_that_looks_like_something_is_told_what_it_looks_like(
    tmp_path: Path, line: str, said: str
) -> None:
    """Who writes as people write is told what to write here, not what a reader of TOML expected."""
    (tmp_path / "hartslag.toml").write_text(f"[[person]]\n{line}\n", newline="")
    with pytest.raises(WrongSettings, match=said):
        load(None, tmp_path, {}, tmp_path)


def test_a_file_that_windows_named_is_not_passed_over(tmp_path: Path) -> None:
    """Whoever wrote settings does not run with none: the name that is wrong is told; beside the right one it may lie."""
    (tmp_path / "hartslag.toml.txt").write_text('[[person]]\nname = "Anna"\n')
    with pytest.raises(WrongSettings, match="give it the name"):
        load(None, tmp_path, {}, tmp_path)
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n')
    assert load(None, tmp_path, {}, tmp_path).persons[0].name == "Anna"


def test_a_strap_that_two_persons_share_is_explained(tmp_path: Path) -> None:
    """One strap is one person's at a time, and that is said to who gave it to two."""
    strap = '[[strap]]\naddress = "AA:BB:CC:DD:EE:FF"\nperson = '
    (tmp_path / "hartslag.toml").write_text(
        f'[[person]]\nname = "Anna"\n[[person]]\nname = "Bob"\n{strap}"Anna"\n{strap}"Bob"\n'
    )
    with pytest.raises(WrongSettings, match="a strap is one person's"):
        load(None, tmp_path, {}, tmp_path)
