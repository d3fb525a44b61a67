"""What people call their sensors in the dashboards: names of their own, else make and model, and never a raw name."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import fitdecode.profile
import fitparse.profile
import pytest

from ingest.collect.reader_messages import READ
from ingest.collect.reader_process import ReaderProcess
from ingest.demo.fit_encoder import ERA, Fit, day, workout
from ingest.grafana import profile_names
from ingest.grafana.sensor_names import sensor_names, with_names
from ingest.grafana.watch_models import MAKERS, model_name
from ingest.journal import RANKS, Journal
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.verbs.grafana import known_sensors
from tests.support.households import Workout, hartslag, household
from tests.support.other_user import NOBODY, open_to_others, run_as

ADDRESS = "A0:9E:1A:12:34:5"


def settings(data: Path, text: str = "") -> Settings:
    data.mkdir(exist_ok=True)
    (data / "hartslag.toml").write_text(text)
    return load(data / "hartslag.toml", data, {}, data)


def heard(journal: Journal, person: str, *sources: str, products: Mapping[str, str] | None = None) -> None:
    """Sources that the journal knows, and what the newest files say of their devices."""
    with journal.write() as w:
        owner = w.person(person)
        for source in sources:
            kind = "strap" if source.startswith("strap ") else source.split("-")[-1]
            kind = "activity" if kind not in {"strap", "monitoring"} or "activity" in source else kind
            w.source(owner, source, kind, RANKS[kind])
        for device, product in (products or {}).items():
            w.entry(owner, "file", w.now_ms, None, {"device": device, "product": product})


def test_everybody_sees_what_a_sensor_is_called(tmp_path: Path) -> None:
    """Protects who looks: the owner's name goes first, then make and model; sources of one watch are told apart, no others."""
    text = f"""
    [[person]]
    name = "Anna"
    [[strap]]
    name = "Anna's Polar"
    address = "{ADDRESS}1"
    [[strap]]
    name = "Forerunner"
    serial = "5"
    [[watch]]
    serial = 77
    name = "Anna's watch"
    """
    decided = settings(tmp_path, text)
    with household(tmp_path) as journal:
        heard(journal, "Anna", f"strap {ADDRESS}1", "garmin-77-monitoring", "garmin-77-activity")
        heard(journal, "Anna", "garmin-88-activity-strap", products={"garmin-88": "fenix5"})
        heard(journal, "Anna", "suunto-suunto_vertical_2-activity", "manufacturer_307-9-activity")
        heard(journal, "Anna", "garmin-99-activity", "garmin-99-activity-strap")
        names = sensor_names(decided, journal)
    assert names == {
        f"strap {ADDRESS}1": "Anna's Polar",
        "strap Forerunner 5": "Forerunner",
        "garmin-77-monitoring": "Anna's watch, all day",
        "garmin-77-activity": "Anna's watch, workouts",
        "garmin-88-activity-strap": "Garmin fenix 5",
        "suunto-suunto_vertical_2-activity": "Suunto Vertical 2",
        "manufacturer_307-9-activity": "Onelap",
        "garmin-99-activity": "Garmin, workouts",
        "garmin-99-activity-strap": "Garmin, workouts with a strap",
    }


def test_lines_say_what_a_sensor_is_called(tmp_path: Path) -> None:
    """Protects who reads an explanation: the owner's name, else make and model, and never a number in their place."""
    text = f"""
    [[person]]
    name = "Anna"
    [[strap]]
    name = "Anna's Polar"
    address = "{ADDRESS}1"
    person = "Anna"
    [[watch]]
    serial = 77
    name = "the old one"
    """
    with household(tmp_path / "house") as journal:
        heard(
            journal, "Anna", f"strap {ADDRESS}1", f"strap {ADDRESS}2", "garmin-77-activity", "garmin-78-activity",
            "garmin-78-activity-strap", "garmin-7-activity", "manufacturer_9999-5-activity", "watch-activity", products={"garmin-78": "product 4643", "garmin-77": "fr35"},
        )  # fmt: skip
        lines = [
            f"believed: strap {ADDRESS}1, not garmin-77-activity or strap {ADDRESS}2",
            "garmin-78-activity-strap (activity, 5 samples), garmin-78-activity, garmin-178-activity",
            "manufacturer_9999-5-activity (activity, 5 samples), watch-activity",
        ]
        assert list(with_names(lines, settings(tmp_path / "d", text), journal)) == [
            f"believed: Anna's Polar, not the old one or strap {ADDRESS}2",
            "Garmin Venu 4, workouts with a strap (activity, 5 samples), Garmin Venu 4, workouts, garmin-178-activity",
            "Watch of an unknown maker (activity, 5 samples), Watch of an unknown maker no. 2",
        ]


def test_no_two_sensors_read_the_same(tmp_path: Path) -> None:
    """Protects two people with one model, and one with two: whose it is tells them apart, or else a number."""
    text = '[[person]]\nname = "Anna"\n[[person]]\nname = "Jan"\n' + "".join(
        f'[[strap]]\naddress = "{ADDRESS}{i}"\nperson = "Jan"\n' for i in (1, 2)
    )
    decided = settings(tmp_path, text)
    with household(tmp_path) as journal:
        for person, serial in (("Anna", 1), ("Jan", 2)):
            device = f"garmin-{serial}"
            heard(journal, person, f"{device}-activity", f"{device}-monitoring", products={device: "fr235"})
        heard(journal, "Jan", "garmin-1-activity", f"strap {ADDRESS}1", f"strap {ADDRESS}3")
        for serial in (3, 4):
            device = f"garmin-{serial}"
            heard(journal, "Jan", f"{device}-activity", f"{device}-monitoring", products={device: "fenix2"})
        names = sensor_names(decided, journal)
    assert len(set(names.values())) == len(names)
    assert names == {
        f"strap {ADDRESS}1": "Strap",
        f"strap {ADDRESS}2": "Strap no. 2",
        f"strap {ADDRESS}3": "Strap no. 3",
        "garmin-1-activity": "Garmin Forerunner 235 of Anna, workouts",
        "garmin-1-monitoring": "Garmin Forerunner 235 of Anna, all day",
        "garmin-2-activity": "Garmin Forerunner 235 of Jan, workouts",
        "garmin-2-monitoring": "Garmin Forerunner 235 of Jan, all day",
        "garmin-3-activity": "Garmin fenix 2, workouts",
        "garmin-3-monitoring": "Garmin fenix 2, all day",
        "garmin-4-activity": "Garmin fenix 2 no. 2, workouts",
        "garmin-4-monitoring": "Garmin fenix 2 no. 2, all day",
    }


def test_a_workout_without_a_heart_rate_has_a_name_too(tmp_path: Path) -> None:
    """Protects the list of workouts: a swim is there though nothing was measured, under the name of its watch."""
    with household(tmp_path, [Workout("Anna", "garmin-5-activity", 1000, 2000)]) as journal:
        assert sensor_names(settings(tmp_path), journal) == {"garmin-5-activity": "Garmin"}


def test_names_come_out_of_files(tmp_path: Path) -> None:
    """Protects the way from a file to its name, all of it: what the watch is stands in the journal, its source is as ever."""
    start = 1_100_000_000
    files = {"run.fit": workout(start, [120] * 700), "day.fit": day(start, [70] * 300, serial=8)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    newer = Fit().file_id(4, product=3113, serial=9, created=start + 9000)
    for i in range(300):
        newer.record(start + 9000 + i, 130)
    (tmp_path / "newer.fit").write_bytes(newer.done())
    data = tmp_path / "data"
    settings(data, '[[watch]]\nserial = 8\nname = "Night watch"\n')
    with household(data):
        pass
    added = hartslag("--data", data, "add", *(tmp_path / n for n in ("run.fit", "day.fit", "newer.fit")))
    assert added.code == 0, added.err
    names, unasked = known_sensors(load(None, data, {}, data))
    assert (names, unasked) == (
        {
            "garmin-1234567890-activity": "Garmin fenix 5",
            "garmin-8-monitoring": "Night watch",
            "garmin-9-activity": "Garmin Forerunner 945",
        },
        "",
    )
    said = [line.strip() for line in hartslag("--data", data, "status").lines]
    assert "Watch Garmin fenix 5, serial number 1234567890, of me" in said
    assert 'Watch "Night watch", Garmin fenix 5, serial number 8, of me' in said
    with ReaderProcess(1 << 20) as reader:
        (read,) = reader.members(BytesIO(files["run.fit"]), lambda *_: READ)
    assert read.recording
    model = read.recording.model
    assert model is not None
    assert (model.device, model.product) == ("garmin-1234567890", "fenix5")
    assert start + ERA > 0


def test_the_list_of_watches_calls_each_as_everything_else_does(tmp_path: Path) -> None:
    """Protects who wants to name the second of two watches: which serial number it has stands beside what it is called."""
    with household(tmp_path) as journal:
        heard(journal, "Anna", "manufacturer_9999-5-activity", "manufacturer_9999-6-activity")
        heard(journal, "Anna", "garmin-7-activity", products={"garmin-7": "fr235"})
    settings(tmp_path)
    said = [line.strip() for line in hartslag("--data", tmp_path, "status").lines]
    assert "Watch of an unknown maker, serial number 5, of Anna" in said
    assert "Watch of an unknown maker no. 2, serial number 6, of Anna" in said
    assert "Watch Garmin Forerunner 235, serial number 7, of Anna" in said


def test_without_a_journal_straps_have_their_names(tmp_path: Path) -> None:
    """Protects who prepares Grafana first: nothing is amiss, nothing is made."""
    decided = settings(tmp_path, f'[[strap]]\nname = "Chest"\naddress = "{ADDRESS}1"\n')
    assert known_sensors(decided) == ({f"strap {ADDRESS}1": "Chest"}, "")
    assert [p.name for p in tmp_path.iterdir()] == ["hartslag.toml"]


def test_asking_for_names_changes_nothing(tmp_path: Path) -> None:
    """Protects the journal: it is only read, and one of an older version is left to the daemon, which copies it first."""
    file = Settings(tmp_path).journal_file
    with household(tmp_path) as journal:
        heard(journal, "Anna", "garmin-5-activity")
    held = file.read_bytes()
    assert known_sensors(Settings(tmp_path)) == ({"garmin-5-activity": "Garmin"}, "")
    assert file.read_bytes() == held
    with closing(sqlite3.connect(file)) as db:
        db.execute("DELETE FROM migration WHERE name = 'characteristics'")
        db.commit()
    held = file.read_bytes()
    names, unasked = known_sensors(Settings(tmp_path))
    assert names == {}
    assert "older version" in unasked
    assert file.read_bytes() == held
    assert not list(file.parent.glob("*.before-*"))


def test_another_user_gets_dashboards_all_the_same(tmp_path: Path) -> None:
    """Protects who may not read the journal: the straps have their names, and it is said what is missing and why."""
    decided = settings(tmp_path, f'[[strap]]\nname = "Chest"\naddress = "{ADDRESS}1"\n')
    with household(tmp_path) as journal:
        heard(journal, "me", "garmin-5-activity")
    open_to_others(tmp_path)
    decided.journal_file.parent.chmod(0)
    try:
        answer = run_as(NOBODY, lambda: "|".join(map(str, known_sensors(decided))))
    finally:
        decided.journal_file.parent.chmod(0o700)
    names, unasked = answer.split("|")
    assert names == str({f"strap {ADDRESS}1": "Chest"})
    assert "Run hartslag as the user whose it is" in unasked


# --- makers and models ---


@pytest.mark.parametrize(
    ("maker", "product", "name"),
    [
        ("garmin", "fr920xt_taiwan", "Garmin Forerunner 920XT"),
        ("garmin", "vivo_active_hr", "Garmin vivoactive HR"),
        ("garmin", "edge_explore_820", "Garmin Edge Explore 820"),
        ("garmin", "fr225_single_byte_product_id", "Garmin Forerunner 225"),
        ("garmin", "product 3516", "Garmin fenix 6X"),
        ("manufacturer_305", "", "WHOOP"),
        ("garmin", "product_60000", "Garmin"),
        ("wahoo_fitness", "ELEMNT ROAM", "Wahoo ELEMNT ROAM"),
        ("manufacturer_294", "COROS DURA", "COROS DURA"),
        ("coros", "product 3113", "COROS"),
        ("zwift", None, "Zwift"),
        ("watch", "", None),
        ("manufacturer_307", "product 22", "Onelap"),
        ("manufacturer_60000", "product 22", None),
        ("development", "Watchy", "Watchy"),
    ],
)
def test_makers_and_models(maker: str, product: str | None, name: str | None) -> None:
    """Protects the eye: names as people write them, and none rather than a number."""
    assert model_name(maker, product) == name


def test_every_word_of_the_profile_becomes_one_that_people_read() -> None:
    """Protects against a raw word: no underscore, no gap, whatever fitparse calls a product."""
    for word in fitparse.profile.FIELD_TYPES["garmin_product"].values.values():
        name = model_name("garmin", word) or ""
        assert re.fullmatch(r"Garmin( [A-Za-z0-9]+)+", name), (word, name)
        assert set(re.findall(r"\d+", name)) <= set(re.findall(r"\d+", word)), (word, name)


@pytest.mark.parametrize(
    ("product", "name"),
    [
        (4643, "Venu 4"), (4815, "Forerunner 170"), (4024, "Forerunner 955"), (3991, "Forerunner 255S Music"), (4631, "fenix 8 Pro"),
        (3514, "fenix 6 Sport"), (3066, "vivoactive 3 Music"), (4585, "Instinct 3 Solar 45 mm"), (4105, "MARQ Gen 2"), (3542, "Descent Mk2S"),
        (2187, "D2 Air"), (4556, "D2 Mach 1 Pro"), (4312, "epix Gen 2 Pro 42"), (3600, "Venu Sq"), (4130, "HRM Pro Plus"), (4063, "vivosmart 5"),
    ],
)  # fmt: skip
def test_newer_models_are_called_as_on_their_box(product: int, name: str) -> None:
    """Protects the eye from "product 4643": what came after fitparse has the name that people know."""
    assert model_name("garmin", f"product {product}") == f"Garmin {name}"


def test_every_product_of_today_becomes_a_name_that_people_read() -> None:
    """Protects against a raw word or a lost number, whatever the newest profile calls a product; another decoder's table says the same."""
    profile = fitdecode.profile.FIELD_TYPES["garmin_product"].enum
    for number, word in profile_names.GARMIN.items():
        name = model_name("garmin", f"product {number}") or ""
        assert re.fullmatch(r"Garmin( [A-Za-z0-9]+)+", name), (word, name)
        assert profile.get(number, word).lower().replace("_", "") == word.replace("_", "")
    makers = fitdecode.profile.FIELD_TYPES["manufacturer"].enum
    for number, word in profile_names.MAKERS.items():
        assert makers.get(number, word).lower().replace("_", "") == word.replace("_", "")
    assert set(MAKERS) <= set(profile_names.MAKERS.values())


def test_the_names_are_not_years_behind() -> None:
    """Says how old the tables of makers, products and sports are: a watch bought today shall have its name."""
    age = datetime.now(UTC).date() - date.fromisoformat(profile_names.RENEWED)
    assert age < timedelta(days=730), (
        f"Profile {profile_names.PROFILE} is {age.days} days old: `make names` renews it"
    )


def test_the_names_are_loaded_when_one_is_needed() -> None:
    """Protects the memory of the daemon, and the time of every verb that shows no number of a product."""
    code = (
        "import sys; from ingest.grafana import sensor_names, watch_models as w; w.model_name('garmin', 'fr935');"
        "w.model_name('polar_electro', 'Vantage V'); print('ingest.grafana.profile_names' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
