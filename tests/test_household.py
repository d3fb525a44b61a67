"""The settings put to work: whose files are whose, and what the journal is told of its persons."""

import json
import os
import shutil
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from ingest.errors import Stop
from ingest.household import (
    open_journal,
    owner_of_folder,
    persons_called,
    register_person,
    view_journal,
)
from ingest.settings.model import Settings, WatchSettings
from ingest.settings.person import PersonSettings
from tests.support.daemons import daemon, hartslag, journal, left_behind, rows, settled, store, until
from tests.support.households import Noted, household, steady


def named(data: Path, *persons: PersonSettings) -> Settings:
    return Settings(data, persons=persons)


JAN = PersonSettings(name="Jan", born=1960, zone="Europe/Amsterdam")
OZLEM = PersonSettings(name="Özlem", born=1970, zone="Europe/Amsterdam")


def test_what_the_settings_say_is_noted_once(tmp_path: Path) -> None:
    """Protects the card and the stores: the same settings again are no news, others are exactly one entry."""
    for person, positions in ((JAN, 1), (JAN, 1), (JAN.replace(target_min=90), 2)):
        with open_journal(named(tmp_path, person), create=True) as journal:
            assert journal.last_position() == positions
            jan = journal.person("jan")
            assert jan is not None
            assert journal.profile(jan.id) == person.facts()


def test_what_is_shown_is_what_will_be_recorded(tmp_path: Path) -> None:
    """Protects who changed the settings and looks before the daemon started anew: the same persons and profiles, unwritten."""
    with household(
        tmp_path, [steady("me", 1_700_000_000_000, 60, 120), steady("Özlem", 1_700_000_000_000, 60, 90)]
    ):
        pass
    kim = PersonSettings(name="Kim", born=1990, zone="UTC")
    settings = named(tmp_path, JAN, kim, OZLEM.replace(name="ÖZLEM"))
    with view_journal(settings) as journal:
        position = journal.last_position()
        shown = [(p.name, journal.profile(p.id)) for p in journal.persons()]
        assert [name for name, _ in shown] == ["Jan", "Özlem", "Kim"]
        assert [p.name for p in persons_called(journal, "KIM")] == ["Kim"]
        with pytest.raises(Stop, match="known: Jan, Özlem, Kim"):
            persons_called(journal, "me")
    with household(tmp_path) as journal:
        assert (journal.last_position(), [p.name for p in journal.persons()]) == (position, ["me", "Özlem"])
    with open_journal(settings, create=False) as journal:
        assert [(p.name, journal.profile(p.id)) for p in journal.persons()] == shown


def test_without_a_journal_nothing_is_made_by_asking(tmp_path: Path) -> None:
    """Protects a mistyped --data: asking makes no empty household somewhere else."""
    with pytest.raises(Stop, match="--data"):
        open_journal(named(tmp_path / "elsewhere", JAN), create=False)
    assert not (tmp_path / "elsewhere").exists()


def test_a_person_is_one_however_the_name_is_written(tmp_path: Path) -> None:
    """Protects a person's history from capitals and accents: a folder's spelling makes no second person."""
    settings = named(tmp_path, JAN, OZLEM)
    with open_journal(settings, create=True) as journal:
        for written in ("jan", "JAN", "Jan"):
            assert register_person(journal, settings, written) == "Jan"
        for written in ("özlem", "Özlem", "o\u0308zlem", "ÖZLEM"):
            assert register_person(journal, settings, written) == "Özlem"
        assert [p.name for p in journal.persons()] == ["Jan", "Özlem"]


def test_a_first_name_is_enough_where_it_is_the_only_one(tmp_path: Path) -> None:
    """Protects who types as people speak; of two with one first name the program does not choose."""
    names = ("Robin Example", "Sam Example", "Sam de Vries", "Samira")
    with household(tmp_path, [Noted(name, (("zone", "UTC"),)) for name in names]) as journal:
        found = {name: [p.name for p in persons_called(journal, name)] for name in ("robin", "samira")}
        assert found == {"robin": ["Robin Example"], "samira": ["Samira"]}
        for name in ("Sam", "Rob", "Example"):
            with pytest.raises(Stop, match="Nobody called"):
                persons_called(journal, name)


@pytest.mark.parametrize("folder", ["jan", "özlem"])
def test_settings_written_later_are_about_the_person_who_is_there(tmp_path: Path, folder: str) -> None:
    """Protects who began without settings: named in them later, the year of birth reaches the minutes there are."""
    with household(tmp_path) as journal:
        assert register_person(journal, Settings(tmp_path), folder) == folder
    with open_journal(named(tmp_path, JAN, OZLEM), create=False) as journal:
        assert len(journal.persons()) == 2
        known = journal.person(folder)
        assert known is not None
        assert (journal.profile(known.id) or {}).get("born") in {1960, 1970}


def test_whose_files_lie_where(tmp_path: Path) -> None:
    """Protects two people's hearts from each other, and says which lines are missing."""
    open_names, settings = Settings(tmp_path), named(tmp_path, JAN, OZLEM)
    assert owner_of_folder(open_names, "") == ("me", "")
    assert owner_of_folder(open_names, "Kim") == ("Kim", "")
    assert owner_of_folder(settings, "") == ("Jan", "")
    assert owner_of_folder(settings, "ÖZLEM") == ("Özlem", "")
    person, why = owner_of_folder(settings, "Kim")
    assert person is None
    assert '[[person]]  and  name = "Kim"' in why
    for bad in ("con", "a:b", " x"):
        person, why = owner_of_folder(open_names, bad)
        assert person is None
        assert "cannot be the name" in why


@pytest.mark.parametrize(
    "folder",
    [
        "GARMIN",
        "Activity",
        "MONITOR",
        "DCIM",
        "Android",
        "export_4711",
        "0c8e9bd2-0a44-4f5e-9d0c-0123456789ab_1",
    ],
)
def test_a_folder_of_a_device_is_nobody(tmp_path: Path, folder: str) -> None:
    """Protects a household from a person called GARMIN: what a watch, phone or account names its folders is nobody's name."""
    assert owner_of_folder(Settings(tmp_path), folder) == ("me", "")
    assert owner_of_folder(named(tmp_path, JAN, OZLEM), folder) == ("Jan", "")
    named_so = named(tmp_path, JAN, PersonSettings(name=folder)) if len(folder) < 40 else None
    assert named_so is None or owner_of_folder(named_so, folder) == (folder, "")


@pytest.mark.parametrize(
    "folder",
    [
        "NO NAME/GARMIN/Activity", "KINGSTON/Garmin", "SD CARD/DCIM", "Untitled", "2026", "2026-11", "2026_11_03", "20261103",
        "November", "november 2026", "04 April", "3 mei 2026", "11-nov",
    ],
)  # fmt: skip
def test_the_label_of_a_card_and_a_date_are_nobody(tmp_path: Path, folder: str) -> None:
    """Protects a household from persons called NO NAME and 2026: a card's label above a device's folder, and a date, are nobody's name."""
    assert owner_of_folder(Settings(tmp_path), folder) == ("me", "")
    settings = named(tmp_path, JAN, OZLEM)
    assert owner_of_folder(settings, folder) == ("Jan", "")
    assert owner_of_folder(settings, f"{folder}/özlem") == ("Özlem", ""), "a folder of hers below it tells"
    top = folder.split("/", maxsplit=1)[0]
    assert owner_of_folder(named(tmp_path, JAN, PersonSettings(name=top)), folder) == (top, "")


@pytest.mark.parametrize(
    "folder", ["Anna/GARMIN/Activity", "KIM", "April", "Jan", "May", "Kim 2", "Week", "Jan 2"]
)
def test_a_person_may_be_called_like_a_month_or_in_capitals(tmp_path: Path, folder: str) -> None:
    """Protects a person's heart from being another's: a name that can be somebody's is."""
    assert owner_of_folder(Settings(tmp_path), folder) == (folder.split("/", maxsplit=1)[0], "")


def test_a_folder_that_is_not_in_utf_8_is_called_that(tmp_path: Path) -> None:
    """Protects who copied a folder from an old disk: the reason names what is wrong, and the name that is meant."""
    person, why = owner_of_folder(Settings(tmp_path), os.fsdecode("Jürgen".encode("latin-1")))
    assert person is None
    assert 'it is not written in UTF-8, as names of files are today; if "Jürgen" is meant' in why
    assert "invisible" not in why


def test_whose_is_what_a_watch_brings(tmp_path: Path) -> None:
    """Protects two people's hearts from each other: what a watch brings that nobody is named for waits."""
    mine = WatchSettings(serial="77", person="Özlem")
    two = Settings(tmp_path, persons=(JAN, OZLEM), watches=(mine,))
    assert owner_of_folder(Settings(tmp_path), "watch-77") == ("me", "")
    assert owner_of_folder(named(tmp_path, JAN), "watch-unknown") == ("Jan", "")
    assert owner_of_folder(two, "watch-77") == ("Özlem", "")
    for folder in ("watch-78", "watch-unknown"):
        person, why = owner_of_folder(two, folder)
        assert person is None
        assert "status" in why


def test_a_time_zone_that_nobody_names_stays_as_first_found(tmp_path: Path) -> None:
    """A shell with another TZ than the daemon must not have every day counted anew at each verb."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n')
    file = tmp_path / "run.fit"
    file.write_bytes(workout(1_100_000_000, [120] * 60))
    assert hartslag("--data", data, "add", file, env={"TZ": "Europe/Amsterdam"}).returncode == 0
    before = rows(journal(data), "SELECT max(position) FROM entry")
    for verb in ("week", "rebuild"):
        assert hartslag("--data", data, verb, env={"TZ": "Asia/Tokyo"}).returncode == 0
    assert rows(journal(data), "SELECT max(position) FROM entry") == before


def test_a_computer_that_is_given_its_time_zone_later_is_followed(tmp_path: Path) -> None:
    """A Pi goes by UTC until somebody sets its zone: then evenings are those of home, and `status` says so, and how to undo it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n')
    file = tmp_path / "run.fit"
    file.write_bytes(workout(1_163_113_800, [120, 121] * 300))  # on a Sunday, 23:10 UTC
    weeks = []
    for zone in ("Etc/UTC", "Europe/Amsterdam"):
        env = {"TZ": zone}
        assert hartslag("--data", data, "add", file, env=env).returncode == 0
        weeks.append(json.loads(hartslag("--data", data, "week", "--json", env=env).stdout)[0]["week"])
    assert weeks == ["2026-W45", "2026-W46"]
    told = " ".join(hartslag("--data", data, "status", env={"TZ": "Europe/Amsterdam"}).stdout.split())
    assert "the days of Anna go by Europe/Amsterdam now, no longer by Etc/UTC" in told
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nzone = "Etc/UTC"\n')
    assert json.loads(hartslag("--data", data, "week", "--json").stdout)[0]["week"] == weeks[0]


def test_what_nobody_owned_goes_to_the_first_who_is_named(tmp_path: Path) -> None:
    """Who starts without settings and then writes their name keeps their history, in the store too."""
    data = tmp_path / "data"
    file = tmp_path / "run.fit"
    file.write_bytes(workout(1_100_000_000, [120, 121] * 300))
    hartslag("--data", data, "add", file)
    assert rows(store(data), "SELECT DISTINCT person FROM heart_rate") == [("me",)]
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 1978\n[[person]]\nname = "Bob"\n')
    assert "Anna" in hartslag("--data", data, "week").stdout
    hartslag("--data", data, "rebuild")
    assert rows(store(data), "SELECT DISTINCT person FROM heart_rate") == [("Anna",)]
    assert rows(store(data), "SELECT DISTINCT person FROM minute") == [("Anna",)]
    assert hartslag("--data", data, "add", file, "--json").stdout.count("duplicate") == 1


def test_me_may_be_a_name(tmp_path: Path) -> None:
    """Somebody whom the settings call "me" stays who they are."""
    data = tmp_path / "data"
    file = tmp_path / "run.fit"
    file.write_bytes(workout(1_100_000_000, [120, 121] * 300))
    hartslag("--data", data, "add", file)
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n[[person]]\nname = "me"\n')
    assert hartslag("--data", data, "week").returncode == 0
    hartslag("--data", data, "rebuild")
    assert rows(journal(data), "SELECT name FROM person ORDER BY id") == [("me",), ("Anna",)]


def test_a_lost_journal_comes_back_from_the_archive(tmp_path: Path) -> None:
    """The archive keeps who is who: added to an empty journal it gives everybody their own, and copies nothing."""
    data = tmp_path / "data"
    (data / "inbox" / "Anna").mkdir(parents=True)
    (data / "inbox" / "Anna" / "run.fit").write_bytes(workout(1_100_000_000, [120, 121] * 300))
    (data / "inbox" / "walk.fit").write_bytes(workout(1_100_000_000, [100] * 600))
    with daemon(data):
        until(lambda: settled(data), "both files")
    (data / "hartslag.toml").unlink()
    before = left_behind(data)
    shutil.rmtree(data / "journal")
    added = hartslag("--data", data, "add", data / "archive")
    assert added.returncode == 0, added.stderr
    after = left_behind(data)
    for part in ("heart_rate", "minute", "day", "week", "session", "archive"):
        assert after[part] == before[part], part
