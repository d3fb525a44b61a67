"""`hartslag grafana --home`: This week as the first page, on a screen of its own, and never open to all by itself."""

import json
import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.support.households import Answer, hartslag


def written(data: Path, out: Path, *options: str) -> Answer:
    answer = hartslag("--data", data, "grafana", *options, out)
    assert answer.code == 0, answer.err
    return answer


def environment(out: Path) -> dict[str, str]:
    """What the drop-in says to Grafana, as systemd reads it."""
    lines = (out / "hartslag/start-page.conf").read_text().splitlines()
    assert lines[0] == "[Service]"
    return dict(line.removeprefix("Environment=").split("=", 1) for line in lines[1:])


def test_the_first_page_is_one_that_was_written(tmp_path: Path) -> None:
    """Protects who opens Grafana: the path names a file that lies there, and the lines say how to make it count."""
    answer = written(tmp_path / "data", tmp_path / "out", "--home")
    (path,) = environment(tmp_path / "out").values()
    board = json.loads((tmp_path / "out" / path.removeprefix("/etc/grafana/")).read_text())
    assert board["title"] == "This week"
    copied = "  sudo install -D -m 644 /etc/grafana/hartslag/start-page.conf /etc/systemd/system/grafana-server.service.d/hartslag.conf"
    order = [
        copied,
        "  sudo systemctl daemon-reload",
        "  sudo systemctl restart grafana-server",
        "  sudo install -D -m 644 /etc/grafana/hartslag/kiosk.desktop /etc/xdg/autostart/hartslag.desktop",
    ]
    assert [line for line in answer.lines if line in order] == order


def test_grafana_speaks_dutch_too(tmp_path: Path) -> None:
    """Protects a household that is spoken to in Dutch from menus in English around the page, and from English dates on its screen."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text('language = "nl"\n')
    written(data, tmp_path / "out", "--home")
    said = environment(tmp_path / "out")
    assert (said["GF_USERS_DEFAULT_LANGUAGE"], said["GF_DATE_FORMATS_INTERVAL_DAY"]) == ("nl-NL", "DD-MM")
    assert "--accept-lang=nl-NL" in (tmp_path / "out/hartslag/kiosk.desktop").read_text()


def test_a_screen_waits_for_grafana_and_opens_the_page(tmp_path: Path) -> None:
    """Protects a Pi after a power cut: its browser waits until Grafana answers, and shows the page without menus."""
    written(tmp_path / "data", tmp_path / "out", "--home")
    entry = ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]  # as the library says it is done
    entry.read(tmp_path / "out/hartslag/kiosk.desktop")
    # What the Desktop Entry Specification asks for: an argument in double quotes holds none of these.
    assert not re.search(r"[$`\\%]", entry["Desktop Entry"]["Exec"])
    shell, option, script = shlex.split(entry["Desktop Entry"]["Exec"])
    assert (shell, option) == ("sh", "-c")
    waiting, shown = script.split("; done; ")
    assert waiting.startswith("until curl ")
    assert "/api/health" in waiting
    board = json.loads((tmp_path / "out/hartslag/sqlite/week.json").read_text())
    tried = [shlex.split(one) for one in shown.split(" || ")]
    assert [browser for browser, *_ in tried] == ["chromium", "chromium-browser"]
    for _, *options, page in tried:
        assert "--kiosk" in options
        assert page == f"http://localhost:3000/d/{board['uid']}?kiosk"


def test_nobody_looks_without_a_password_unless_the_owner_says_so(tmp_path: Path) -> None:
    """Protects what a heart tells: open to the network only when asked for, as a mere viewer, and said in words."""
    out = tmp_path / "out"
    closed = written(tmp_path / "data", out, "--home")
    assert not [name for name in environment(out) if "ANONYMOUS" in name]
    assert "Everybody in your network" not in closed.out
    opened = written(tmp_path / "data", out, "--home", "--without-login")
    found = environment(out)
    assert (found["GF_AUTH_ANONYMOUS_ENABLED"], found["GF_AUTH_ANONYMOUS_ORG_ROLE"]) == ("true", "Viewer")
    assert "Everybody in your network now sees all dashboards of this Grafana, of all persons" in opened.out
    alone = hartslag("--data", tmp_path / "data", "grafana", "--without-login", out)
    assert alone.code == 2
    assert "--without-login goes with --home" in alone.err


@pytest.mark.parametrize("before", [False, True], ids=["never", "no longer"])
def test_who_does_not_ask_for_it_has_no_start_page(tmp_path: Path, *, before: bool) -> None:
    """Protects the one command: nothing about a first page is written or said, and what was written for it goes."""
    if before:
        written(tmp_path / "data", tmp_path / "out", "--home")
    answer = written(tmp_path / "data", tmp_path / "out")
    assert "start-page" not in answer.out
    assert not list((tmp_path / "out/hartslag").glob("*.conf"))
    assert not list((tmp_path / "out/hartslag").glob("*.desktop"))
