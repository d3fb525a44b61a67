"""The verb `report`: where pages go, and what it says when there is nothing or no way."""

import os
import re
import time
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import ERA, Fit, workout
from ingest.report.renewal import file_names
from tests.support.households import hartslag, household, steady

NOON_MS = 1_763_980_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Of two persons."""
    with household(
        tmp_path / "data", [steady("Anna", NOON_MS, 600, 120), steady("Zoë / 2", NOON_MS, 600, 120)]
    ):
        pass
    return tmp_path / "data"


def test_everybody_gets_a_page(data: Path, tmp_path: Path) -> None:
    """Protects who asks for no one in particular: a file each, in this folder, and its path is said."""
    here = tmp_path / "here"
    here.mkdir()
    answer = hartslag("--data", data, "report", cwd=here)
    assert answer.code == 0, answer.err
    assert sorted(p.name for p in here.iterdir()) == ["hartslag-anna.html", "hartslag-zoë-2.html"]
    assert str(here / "hartslag-anna.html") in answer.out
    assert answer.err == ""


def test_a_page_goes_where_it_is_wanted(data: Path, tmp_path: Path) -> None:
    """Protects scripts: a file of any name, the standard output, and a refusal to put two persons into one file."""
    answer = hartslag("--data", data, "report", "anna", "--out", tmp_path / "mine.html")
    assert answer.code == 0, answer.err
    page = (tmp_path / "mine.html").read_text()
    assert hartslag("--data", data, "report", "Anna", "--out", "-").out == page
    both = hartslag("--data", data, "report", "--out", tmp_path / "both.html")
    assert both.code == 2
    assert "--out FOLDER/" in both.err
    assert not (tmp_path / "both.html").exists()


def test_who_is_not_known_is_said(data: Path, tmp_path: Path) -> None:
    """Protects who mistypes a name: no page of nobody."""
    answer = hartslag("--data", data, "report", "Ana", cwd=tmp_path)
    assert answer.code == 1
    assert "Anna" in answer.err


def test_without_a_program_for_pdf_it_says_which(data: Path, tmp_path: Path) -> None:
    """Protects who wants paper on a bare Pi: the line that installs what is missing, and no half a file."""
    answer = hartslag("--data", data, "report", "Anna", "--pdf", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert answer.code == 1
    assert "sudo apt install" in answer.err
    assert not list(tmp_path.glob("*.pdf"))


@pytest.mark.parametrize("place", ["a file/page.pdf", "x" * 300 + ".pdf"])
def test_a_place_that_takes_no_page_is_said_at_once(data: Path, tmp_path: Path, place: str) -> None:
    """Protects who waits for a PDF: where it cannot go is said in words, before anything is counted or drawn."""
    (tmp_path / "a file").write_text("")
    answer = hartslag(
        "--data", data, "report", "Anna", "--pdf", "--out", tmp_path / place, env={"PATH": str(tmp_path)}
    )
    assert answer.code == 1
    assert "The page cannot be written to" in answer.err
    assert "Choose another place with --out." in answer.err


def test_nothing_is_left_at_home(data: Path, tmp_path: Path) -> None:
    """Protects a service without a home: nothing is written there, and nothing is said about it."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}
    env = {**{k: v for k, v in os.environ.items() if k == "PATH"}, **env}
    answer = hartslag("--data", data, "report", "Anna", cwd=tmp_path, env=env)
    assert (answer.code, answer.err) == (0, "")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("measured", ["nobody knows", "wrist", "strap", "beats"])
def test_the_wrist_is_named_only_where_a_file_tells_of_it(measured: str, tmp_path: Path) -> None:
    """Protects the page from a wrist that nobody wore: a program on a trainer, or beats, tell of none."""
    start = int(time.time()) - 7 * 86_400 - ERA
    file = Fit().file_id(4, manufacturer=260 if measured == "nobody knows" else 1, created=start)
    if measured in {"wrist", "strap"}:
        file.device_info(
            start, source=5 if measured == "wrist" else 1, kind=10 if measured == "wrist" else 120
        )
    for second in range(1800):
        if measured == "beats":
            file.record(start + second, None).hrv(495 + second % 11, 505 - second % 11)
        else:
            file.record(start + second, 120 + second % 7)
    (tmp_path / "hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nmoderate_bpm = 105\nvigorous_bpm = 150\n'
    )
    (tmp_path / "ride.fit").write_bytes(file.session(start, 1800, sport=2).done())
    assert hartslag("--data", tmp_path, "add", tmp_path / "ride.fit").code == 0
    page = hartslag("--data", tmp_path, "report", "Anna", "--out", "-").out
    said = {
        "nobody knows": "Of 100 percent of the minutes it is not known which sensor measured them.",
        "wrist": "All minutes come from the wrist.",
        "strap": "All minutes come from a strap",
        "beats": "Of 100 percent of the minutes it is not known which sensor measured them.",
    }
    assert [words for words in dict.fromkeys(said.values()) if words in page] == [said[measured]]
    assert ("at the wrist" in page or "wrist, during" in page) == (measured == "wrist")


def test_files_have_names_that_any_disk_takes() -> None:
    """Protects a stick formatted by Windows: letters and digits only, short, and of two alike names none is lost."""
    names = file_names(["Anna", "anna!", "../../etc", "<b>", "x" * 200, "\U0001f600"], ".html")
    assert len({name.casefold() for name in names.values()}) == 6
    assert all(name.replace("-", "").removesuffix(".html").isalnum() for name in names.values())
    assert max(map(len, names.values())) < 70


def wednesday_before() -> int:
    """The Wednesday of last week, in days since 1970: long over, whatever day and hour it is."""
    today = int(time.time()) // 86_400
    return today - (today + 3) % 7 - 5


def test_minutes_that_count_are_full_ones_wherever_they_stand(tmp_path: Path) -> None:
    """Protects a page from saying 41 and 42 of the same minutes: of the sensors and of the workouts, beside the week's."""
    began = wednesday_before() * 86_400 + 10 * 3600
    (tmp_path / "data").mkdir()
    (tmp_path / "data/hartslag.toml").write_text(
        '[[person]]\nname = "Anna"\nmoderate_bpm = 110\nvigorous_bpm = 150\n'
    )
    file = tmp_path / "run.fit"
    file.write_bytes(workout(began - ERA, [120 + i % 9 for i in range(2500)]))  # 41.67 minutes
    assert hartslag("--data", tmp_path / "data", "add", file).code == 0
    page = hartslag("--data", tmp_path / "data", "report", "Anna", "--out", "-").out
    words = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body")[2]).split())
    assert "41 minutes of moderate or vigorous movement" in words
    assert "41 min; " in words
    assert "41 min of them moderate or vigorous" in words
    assert re.search(r"124 128 41 0", words), "the workouts by sport"
    assert "42 min" not in words
