"""`hartslag grafana DIR`: what is written for whom, what is never written over, and where no secret stands."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import Stop
from ingest.grafana.folder import write_folder
from ingest.grafana.provisioning import datasource_yaml, influxdb, sqlite, victoriametrics
from tests.support.households import hartslag
from tests.support.other_user import NOBODY, open_to_others, run_as
from tests.support.servers import InfluxDB, VictoriaMetrics

SETTINGS = """\
[[person]]
name = "Zoë"
zone = "Europe/Amsterdam"
week_begins = "sunday"

[[person]]
name = "Anna"
zone = "Europe/Amsterdam"
week_begins = "sunday"
"""


def settings(folder: Path, text: str = SETTINGS) -> Path:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "hartslag.toml").write_text(text)
    return data


def yaml(text: str) -> Any:
    """The YAML that we write: mappings and lists by their indents, texts as in JSON."""
    root: dict[str, Any] = {}
    at: list[tuple[int, Any]] = [(-1, root)]
    for line in text.splitlines():
        inner = line.strip()
        indent = len(line) - len(line.lstrip())
        while at[-1][0] >= indent:
            at.pop()
        holder = at[-1][1]
        if inner.startswith("- "):
            one: dict[str, Any] = {}
            holder.append(one)
            at.append((indent, one))
            inner, holder, indent = inner[2:], one, indent + 2
        key, _, value = inner.partition(":")
        if value.strip():
            holder[key] = json.loads(value)
        else:
            holder[key] = [] if key in {"datasources", "providers"} else {}
            at.append((indent, holder[key]))
    return root


def test_what_is_written_names_the_owners_file_and_people(tmp_path: Path) -> None:
    """Protects who copies and looks: the store is found, and the first person in the settings is picked."""
    data, out = settings(tmp_path), tmp_path / "for grafana"
    answer = hartslag("--data", data, "grafana", out)
    assert answer.code == 0, answer.err
    (source,) = yaml((out / "provisioning/datasources/hartslag-sqlite.yaml").read_text())["datasources"]
    assert source["jsonData"]["path"] == str(data / "store" / "hartslag.db")
    (provider,) = yaml((out / "provisioning/dashboards/hartslag-sqlite.yaml").read_text())["providers"]
    assert provider["options"]["path"] == "/etc/grafana/hartslag/sqlite"
    boards = {p.name: json.loads(p.read_text()) for p in (out / "hartslag" / "sqlite").iterdir()}
    assert set(boards) == {f"{name}.json" for name in ("week", "now", "history", "workout", "collectors")}
    for board in boards.values():
        (person,) = board["templating"]["list"]
        assert person["current"]["value"] == "Zoë"
        assert board["timezone"] == "Europe/Amsterdam"
        assert {p["datasource"]["uid"] for p in board["panels"] if "datasource" in p} == {source["uid"]}
    weeks = {name: board["weekStart"] for name, board in boards.items() if board["weekStart"]}
    assert weeks == {"week.json": "sunday", "now.json": "sunday", "history.json": "sunday"}
    assert f"  sudo cp -r '{out}'/. /etc/grafana/" in answer.lines
    assert "  sudo grafana-cli plugins install frser-sqlite-datasource" in answer.lines


def test_the_dashboards_speak_the_language_of_the_settings(tmp_path: Path) -> None:
    """Protects a household that is spoken to in Dutch: titles and instructions are, and addresses stay when it changes."""
    data, out = settings(tmp_path), tmp_path / "out"
    assert hartslag("--data", data, "grafana", out).code == 0
    path = out / "hartslag" / "sqlite" / "week.json"
    english = json.loads(path.read_text())
    settings(tmp_path, 'language = "nl"\n' + SETTINGS)
    answer = hartslag("--data", data, "grafana", out)
    assert answer.lines[-1].startswith("Open daarna http://localhost:3000: het dashboard heet Deze week.")
    dutch = json.loads(path.read_text())
    assert (english["title"], dutch["title"]) == ("This week", "Deze week")
    assert english["uid"] == dutch["uid"]


@pytest.mark.parametrize("option", [("--server", "influxdb"), ("--token",)])
def test_what_is_said_of_a_server_that_is_not_there_is_no_use(
    tmp_path: Path, option: tuple[str, ...]
) -> None:
    """Protects who waits for dashboards of a server: the settings name none, and that is said before anything is written."""
    answer = hartslag("--data", settings(tmp_path), "grafana", *option, tmp_path / "out")
    assert answer.code == 1
    assert f"The settings name no server, so {option[0]} means nothing." in answer.err
    assert not (tmp_path / "out").exists()


def test_again_it_brings_up_to_date_what_it_wrote_itself(tmp_path: Path) -> None:
    """Protects an update: what changed is renewed, what is no longer wanted goes, and nothing needs deleting by hand."""
    data, out = settings(tmp_path, SETTINGS + '[influx]\nurl = "http://127.0.0.1:1"\n'), tmp_path / "out"
    assert hartslag("--data", data, "grafana", "--server", "influxdb", out).code == 0
    assert (out / "hartslag" / "influxdb" / "week.json").exists()
    settings(tmp_path, SETTINGS.replace("sunday", "monday"))
    assert hartslag("--data", data, "grafana", out).code == 0
    assert json.loads((out / "hartslag/sqlite/week.json").read_text())["weekStart"] == "monday"
    assert not [p for p in out.rglob("*influxdb*") if p.is_file()]
    assert not (out / "hartslag" / "influxdb" / "week.json").exists()


@pytest.mark.parametrize("before", [False, True], ids=["never written", "written and changed"])
def test_what_somebody_else_wrote_is_left_as_it_is(tmp_path: Path, *, before: bool) -> None:
    """Protects a dashboard that its owner has worked on: nothing is written at all, and the file is named."""
    data, out = settings(tmp_path), tmp_path / "out"
    if before:
        assert hartslag("--data", data, "grafana", out).code == 0
    theirs = out / "hartslag" / "sqlite" / "history.json"
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text("mine")
    held = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    settings(tmp_path, SETTINGS.replace("sunday", "monday"))
    answer = hartslag("--data", data, "grafana", out)
    assert answer.code == 1
    assert str(theirs) in answer.err
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == held


def test_a_power_cut_between_the_files_is_made_good(tmp_path: Path) -> None:
    """Protects the next call: a file that was renewed before the lights went out is still one of ours, whatever is wanted then."""

    def content(word: str) -> dict[str, str]:
        return {f"{name}.json": f"{word} {name}" for name in ("a", "b", "c")}

    write_folder(tmp_path, content("first"))
    (tmp_path / ".b.json.tmp").mkdir()  # as good as no power: here it ends, the one before it is written
    with pytest.raises(Stop):
        write_folder(tmp_path, content("second"))
    assert (tmp_path / "a.json").read_text() == "second a"
    (tmp_path / ".b.json.tmp").rmdir()
    write_folder(tmp_path, content("third"))
    assert {p.name: p.read_text() for p in tmp_path.glob("*.json")} == content("third")


def test_a_list_of_seals_from_elsewhere_takes_nothing_away(tmp_path: Path) -> None:
    """Protects every other file: what is taken away lies in the folder and is as we wrote it."""
    import hashlib

    data, out = settings(tmp_path), tmp_path / "out"
    outside, inside = tmp_path / "outside", tmp_path / "out" / "inside"
    (out / "hartslag").mkdir(parents=True)
    for path in (outside, inside):
        path.write_text("precious")
    seal = hashlib.sha256(b"precious").hexdigest()
    (out / "hartslag" / "SHA256SUMS").write_text(
        f"{seal}  ../outside\n{seal}  {outside}\n{'0' * 64}  inside\n"
    )
    assert hartslag("--data", data, "grafana", out).code == 0
    assert outside.read_text() == inside.read_text() == "precious"


def test_no_secret_is_written(tmp_path: Path) -> None:
    """Protects the token: Grafana reads it from a file of its own, and ours is not even opened."""
    token = tmp_path / "token"
    token.write_text("s3cret-t0ken")
    text = (
        f'[influx]\nurl = "http://127.0.0.1:1"\nbucket = "heart"\nsite = "room-7"\ntoken_file = "{token}"\n'
    )
    data, out = settings(tmp_path, text), tmp_path / "out"
    answer = hartslag("--data", data, "grafana", "--server", "influxdb", out)
    assert answer.code == 0, answer.err
    everything = answer.out + "".join(p.read_text() for p in out.rglob("*") if p.is_file())
    assert "s3cret" not in everything
    (source,) = yaml((out / "provisioning/datasources/hartslag-influxdb.yaml").read_text())["datasources"]
    assert source["jsonData"]["dbName"] == "heart"
    assert source["secureJsonData"] == {
        "httpHeaderValue1": "Token $__file{/etc/grafana/hartslag/influxdb.token}"
    }
    assert "  sudo install -m 640 -g grafana /dev/stdin /etc/grafana/hartslag/influxdb.token" in answer.lines
    board = json.loads((out / "hartslag/influxdb/week.json").read_text())
    assert [v["current"].get("value") for v in board["templating"]["list"]] == ["room-7", None]
    assert (out / "hartslag/influxdb/fleet.json").exists()


@pytest.mark.parametrize("kind", [InfluxDB, VictoriaMetrics])
def test_the_server_is_asked_what_it_is(tmp_path: Path, kind: type[InfluxDB | VictoriaMetrics]) -> None:
    """Protects who does not know what the difference is: the right language is chosen."""
    with kind(tmp_path / "server") as server:
        data = settings(tmp_path, f'[influx]\nurl = "{server.url}"\n')
        answer = hartslag("--data", data, "grafana", tmp_path / "out")
    assert answer.code == 0, answer.err
    name = "influxdb" if kind is InfluxDB else "victoriametrics"
    found = {p.name for p in (tmp_path / "out" / "provisioning" / "datasources").iterdir()}
    assert found == {"hartslag-sqlite.yaml", f"hartslag-{name}.yaml"}
    assert not (tmp_path / "out" / "hartslag" / name / "fleet.json").exists()


@pytest.mark.parametrize(("language", "words"), [("en", "cannot be reached"), ("nl", "is niet bereikbaar")])
def test_a_server_that_is_away_is_told_how_to_go_on(language: str, words: str, tmp_path: Path) -> None:
    """Protects who prepares Grafana before the server: what is wrong and the way out stand in the message."""
    data = settings(tmp_path, f'language = "{language}"\n[influx]\nurl = "http://127.0.0.1:1"\n')
    answer = hartslag("--data", data, "grafana", tmp_path / "out")
    assert answer.code == 1
    assert "--server influxdb" in answer.err
    assert words in answer.err
    assert not (tmp_path / "out").exists()


def test_dollars_and_quotes_stand_for_themselves() -> None:
    """Protects odd paths: Grafana would take $HOME or "$x" in these files for something to be filled in."""
    path = '/srv/a$HOME "b"\\c/store.db'
    (source,) = yaml(datasource_yaml(sqlite(path)))["datasources"]
    assert source["jsonData"]["path"] == path.replace("$", "$$")
    (source,) = yaml(datasource_yaml(influxdb("http://h:1", "$b", has_token=False, has_sites=False)))[
        "datasources"
    ]
    assert source["jsonData"]["dbName"] == "$$b"


def test_grafana_never_makes_the_store_itself(tmp_path: Path) -> None:
    """Protects the daemon's first start: an empty file of Grafana's user would lock it out of its own store for ever."""
    path = tmp_path / "store.db"
    options = sqlite(str(path)).json_data["pathOptions"]
    uri = f"file:{path}?{options}"  # as the plugin opens it; SQLite itself passes over the part that begins with _
    assert "busy_timeout" in options
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        sqlite3.connect(uri, uri=True)
    assert list(tmp_path.iterdir()) == []
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE week (x)")
    with closing(sqlite3.connect(uri, uri=True)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("week",)]


def test_a_folder_of_somebody_elses_is_answered_in_words(tmp_path: Path) -> None:
    """Protects who forgets sudo: what may not be written is named, and both ways out."""
    out = tmp_path / "etc" / "grafana"
    out.mkdir(parents=True)
    open_to_others(out)
    out.chmod(0o555)
    told = run_as(NOBODY, lambda: _refusal(out))
    assert told.startswith(f'"{out}/hartslag" is not this user\'s to write. Put sudo before')
    assert "for-grafana" in told
    assert list(out.iterdir()) == []
    out.chmod(0o777)
    (out / "hartslag").mkdir(mode=0o555)
    told = run_as(NOBODY, lambda: _refusal(out))
    assert told.startswith(f'"{out}/hartslag" is not this user\'s to write. Put sudo before')


def test_a_file_in_the_way_is_answered_in_words(tmp_path: Path) -> None:
    """Protects who has something else of that name there: it is named, and nothing is written over."""
    data, out = settings(tmp_path), tmp_path / "out"
    out.mkdir()
    (out / "hartslag").write_text("a file where a folder should be")
    answer = hartslag("--data", data, "grafana", out)
    assert answer.code == 1
    assert f'"{out}/hartslag" cannot be written: ' in answer.err
    assert answer.err.endswith("or name another folder.\n")
    assert [p.name for p in out.iterdir()] == ["hartslag"]


def _refusal(out: Path) -> str:
    with pytest.raises(Stop) as told:
        write_folder(out, {"provisioning/datasources/a.yaml": "a: 1\n"})
    return str(told.value)


def test_grafana_may_read_what_was_written_under_a_strict_umask(tmp_path: Path) -> None:
    """Protects a careful root: files and folders for another user are readable, whatever the umask says."""
    data, out = settings(tmp_path), tmp_path / "new" / "grafana"
    before = os.umask(0o077)
    try:
        assert hartslag("--data", data, "grafana", out).code == 0
    finally:
        os.umask(before)
    for path in (out.parent, out, *out.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path


def test_a_cluster_is_read_where_it_is_not_written() -> None:
    """Protects a cluster of VictoriaMetrics, which takes lines at one path and answers questions at another."""
    source = victoriametrics("https://a:8427/insert/7/influx", has_token=False, has_sites=True)
    assert source.url == "https://a:8427/select/7/prometheus"
