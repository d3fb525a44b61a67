"""Parts that fail, beside others that go on: real daemons, real servers that misbehave, real files that are taken away."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from ingest.system.sqlite import COMPANIONS
from tests.support.bluez.bluez import played
from tests.support.bluez.bus import Bus
from tests.support.daemons import QUICK, daemon, hartslag, journal, rows, settled, store, until
from tests.support.preloaded import PATIENCE_S

START = 1_100_000_000  # FIT era: November 2024
STRAP = "F0:00:00:00:00:01"
HOUSEHOLD = f'{QUICK}[[person]]\nname = "Anna"\n[[strap]]\naddress = "{STRAP}"\n'
NOTIFIED = "SELECT coalesce(sum(notified), 0) FROM chunk"


def log(data: Path) -> str:
    return (data.parent / f"{data.name}.log").read_text()


def drop(data: Path, name: str, day: int) -> None:
    """Drop a workout of its own into the inbox."""
    (data / "inbox").mkdir(parents=True, exist_ok=True)
    (data / "inbox" / name).write_bytes(workout(START + day * 86_400, [120 + day] * 60))


@contextmanager
def flood() -> Iterator[str]:
    """The address of what answers everything with nine megabytes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    with client, contextlib.suppress(OSError):
                        client.recv(65536)
                        client.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"A" * 9_000_000
                        )

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def test_a_server_that_answers_nonsense_silences_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects strap and inbox from what answers at the address of a server: it is said once, all else goes on and ends."""
    data = tmp_path / "data"
    with Bus(tmp_path) as bus, played(bus.address) as air, flood() as url:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        settings = f'{HOUSEHOLD}[influx]\nurl = "{url}"\norg = "o"\nbucket = "b"\n'
        with daemon(data, settings=settings) as process:
            until(lambda: "sends more than is read" in log(data), "a word about the server")
            drop(data, "run.fit", 1)
            told = len(strap.delivered)
            until(lambda: rows(journal(data), NOTIFIED)[0][0] > told, "what the strap told since then")
            until(lambda: settled(data), "the file")
            now = json.loads(hartslag("--data", data, "status", "--json").stdout)
            assert [bool(s["last_error"]) for s in now["stores"]] == [False, True]
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
    assert log(data).count("sends more than is read") == 1
    assert "Traceback" not in log(data)


@contextmanager
def systemd_at(path: Path) -> Iterator[list[str]]:
    """What a daemon with the socket at a path tells systemd, message by message."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))

        def listen() -> None:
            while message := listening.recv(65536):
                heard.append(message.decode())

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield heard
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", str(path))
            listener.join()


def test_a_part_that_fails_is_said_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who looks only now and then: a store that cannot be is told by `status`, systemd and Grafana, and when that is over."""
    data = tmp_path / "data"
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    given = tmp_path / "given"
    given.mkdir()
    for day in (1, 2):
        (given / f"{day}.fit").write_bytes(workout(START + day * 86_400, [120 + day] * 60))
    assert hartslag("--data", data, "add", given).returncode == 0
    (data / "store").mkdir(exist_ok=True)
    shutil.rmtree(data / "store")
    (data / "store").write_text("no folder")
    with systemd_at(tmp_path / "notify") as heard, daemon(data) as process:

        def status_line() -> str:
            return next((m for m in reversed(heard) if m.startswith("STATUS=")), "")

        drop(data, "later.fit", 3)
        until(
            lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE path LIKE '%later.fit' AND filed"),
            "the file",
        )
        until(lambda: rows(journal(data), "SELECT 1 FROM reader WHERE error IS NOT NULL"), "a note of it")
        status = hartslag("--data", data, "status").stdout
        assert str(data / "store") in status
        until(lambda: str(data / "store") in status_line(), "the status line of systemd")
        (data / "store").unlink()
        until(lambda: settled(data), "the store after all")
        until(
            lambda: (
                rows(store(data), "SELECT state FROM collector WHERE source = 'part sqlite'")
                == [("failing",), ("working",)]
            ),
            "both words in the series",
        )
        until(lambda: status_line() == "STATUS=All parts work.", "the status line of systemd")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in log(data)


PARTS = """
import asyncio, os, sqlite3, sys, zlib
from ingest.daemon.supervisor import Supervisor
from ingest.log import setup
setup(False)
def tell(*words):
    # print writes word by word, and another thread's words would come between.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
supervisor = Supervisor(lambda key, trouble: tell("TOLD", key, trouble))
def deep(n=0):
    return deep(n + 1)
ERRORS = [
    lambda: deep(),
    lambda: zlib.decompress(b"no"),
    lambda: sqlite3.connect(":memory:").execute("no"),
    lambda: (_ for _ in ()).throw(MemoryError()),
    lambda: sys.exit(3),
    lambda: (_ for _ in ()).throw(KeyboardInterrupt()),
]
def failing(n):
    def work(part):
        tell("BEGUN", n)
        ERRORS[n]()
    return work
async def failing_task(part):
    await asyncio.sleep(0)
    1 / 0
def good(part):
    for n in range(1000000):
        if not part.going_on():
            break
        part.wait(0.05)
        if n % 10 == 0:
            tell("GOOD")
    tell("PUT AWAY")
for n in range(len(ERRORS)):
    supervisor.add(f"f{n}", f"part {n}", failing(n))
supervisor.add_to_loop("task", "the task", failing_task)
supervisor.add("good", "the good one", good)
asyncio.run(supervisor.run(lambda: tell("READY")))
tell("ENDED")
"""


def test_whatever_a_part_raises_stops_no_other(tmp_path: Path) -> None:
    """Protects against the half-dead daemon: errors of all kinds, in threads and in the loop, and it still works and ends."""
    with (
        (tmp_path / "err").open("w+") as err,
        subprocess.Popen(
            [sys.executable, "-c", PARTS],
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process,
    ):
        assert process.stdout is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line.strip())
            again = all(seen.count(f"BEGUN {n}") >= 2 for n in range(6))
            if again and seen.count("GOOD") >= 10:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read().split("\n")
        assert process.wait(PATIENCE_S) == 0
        err.seek(0)
        said = err.read()
    assert {"PUT AWAY", "ENDED"} <= set(rest)
    told = {line.split()[1] for line in seen if line.startswith("TOLD")}
    assert told == {*(f"f{n}" for n in range(6)), "task"}
    assert "Traceback" not in said
    for n in range(6):
        assert said.count(f"Part {n} failed") == 1, "said once, however often"
    assert "The task failed: ZeroDivisionError" in said
    assert "there was not enough memory" in said


IMPORTS = """
import sys, threading
from pathlib import Path
from ingest import daemon
from ingest.log import setup
from ingest.settings.file import load
data, late = Path(sys.argv[1]), []
setup(False)
def hook(event, args):
    if event == "import" and threading.current_thread() is threading.main_thread():
        late.append(args[0])
daemon.run(load(None, data, {}, data), lambda _: sys.addaudithook(hook))
print("LATE", *late)
"""


def test_nothing_is_imported_in_the_event_loop_once_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects what straps tell from a second of standstill on a small computer: what is needed is loaded before."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text(HOUSEHOLD)
    with Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        with subprocess.Popen(
            [sys.executable, "-c", IMPORTS, str(data)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process:
            until(lambda: len(strap.delivered) > 20, "the strap")
            until(lambda: rows(journal(data), NOTIFIED) not in ([], [(0,)]), "its heart rates")
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            (told,) = [line for line in process.stdout.read().splitlines() if line.startswith("LATE")]
            assert process.wait(PATIENCE_S) == 0
    assert told == "LATE"


@pytest.mark.parametrize("how", ["move", "delete", "file"])
def test_a_journal_that_is_taken_away_is_noticed(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects what comes after: files and straps go into the journal that is there now, and nobody is lost in between."""
    data = tmp_path / "data"
    with Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        with daemon(data, settings=HOUSEHOLD) as process:
            drop(data, "1.fit", 1)
            until(lambda: settled(data), "the first file")
            until(lambda: rows(journal(data), NOTIFIED)[0][0] > 5, "the strap")
            identity = rows(journal(data), "SELECT journal FROM identity")
            if how == "move":
                (data / "journal").rename(tmp_path / "elsewhere")
            elif how == "delete":
                shutil.rmtree(data / "journal")
            else:
                journal(data).rename(tmp_path / "elsewhere.db")
            until(lambda: rows(journal(data), NOTIFIED) not in ([], [(0,)]), "the strap in the new journal")
            drop(data, "2.fit", 2)
            until(lambda: settled(data), "the second file")
            assert rows(journal(data), "SELECT journal FROM identity") != identity
            until(
                lambda: rows(journal(data), "SELECT outcome FROM file") == [("stored",)] * 2,
                "the first file, which is read again from the archive",
            )
            assert "files of that are read once more" in log(data)
            second = hartslag("--data", data, "run")
            assert (second.returncode, str(process.pid) in second.stderr) == (1, True)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        there = rows(journal(data), NOTIFIED)[0][0]
        if how != "delete":
            there += rows(tmp_path / ("elsewhere/journal.db" if how == "move" else "elsewhere.db"), NOTIFIED)[
                0
            ][0]
            # One may have been on its way when the link was ended.
            assert there in {len(strap.delivered) - 1, len(strap.delivered)}
    assert "Traceback" not in log(data)
    assert log(data).count("is connected") == 1, "the strap was held all the while"
    assert rows(journal(data), "PRAGMA integrity_check") == [("ok",)]


def test_a_daemon_whose_settings_are_lost_says_one_thing(tmp_path: Path) -> None:
    """Protects from two answers to whose the files are: who reads the first lines is told of the lost settings, and of no "me"."""
    data = tmp_path / "data"
    away = '[influx]\nurl = "http://127.0.0.1:9"\norg = "o"\nbucket = "b"\n'
    with daemon(data, settings=f'{QUICK}[[person]]\nname = "Anna"\nmaximum_bpm = 180\n{away}'):
        drop(data, "1.fit", 1)
        until(lambda: rows(journal(data), "SELECT 1 FROM file"), "a file of Anna's")
        until(
            lambda: rows(journal(data), "SELECT 1 FROM reader WHERE error IS NOT NULL"),
            "the server's trouble",
        )
    (data / "hartslag.toml").unlink()
    (data.parent / f"{data.name}.log").unlink()
    with subprocess.Popen(
        [sys.executable, "-m", "ingest", "--data", str(data), "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "Nobody is named" in line)
        said += next(line for line in process.stdout if "Answer some questions" in line)
        until(
            lambda: not rows(journal(data), "SELECT 1 FROM reader WHERE error IS NOT NULL"), "its end, noted"
        )
        process.terminate()
        rest = process.stdout.read()
    assert "Anna" in said
    assert "called" not in said + rest
    assert rows(journal(data), "SELECT name FROM person") == [("Anna",)], "nor is anybody made of it"


def test_a_log_that_is_deleted_under_the_daemon_loses_nothing(tmp_path: Path) -> None:
    """Protects what goes into a file that nobody else sees: the daemon ends within seconds, saves it so, and says why; the next one has all."""
    data = tmp_path / "data"
    with daemon(data) as process:
        for number in (1, 2):
            drop(data, f"{number}.fit", number)
        until(lambda: settled(data), "two files")
        for companion in COMPANIONS:
            journal(data).with_name(journal(data).name + companion).unlink()
        assert process.wait(PATIENCE_S) == 1
    assert "was deleted while it was in use" in " ".join(log(data).split())
    with daemon(data):
        drop(data, "3.fit", 3)
        until(lambda: settled(data), "the third")
    assert rows(journal(data), "SELECT outcome FROM file") == [("stored",)] * 3
    assert rows(journal(data), "PRAGMA integrity_check") == [("ok",)]


def test_status_tells_of_a_part_that_is_in_trouble(tmp_path: Path) -> None:
    """Protects who never looks at a log: an inbox that cannot be is in `status`; files are taken once it is mended."""
    data = tmp_path / "data"
    with daemon(data):
        until(lambda: rows(store(data), "SELECT 1 FROM replica"), "the daemon")
        (data / "inbox").rmdir()
        (data / "inbox").write_text("no folder")
        until(lambda: rows(journal(data), "SELECT 1 FROM reader WHERE name = 'inbox'"), "a note of it")
        assert "cannot be looked into" in hartslag("--data", data, "status").stdout
        now = json.loads(hartslag("--data", data, "status", "--json").stdout)
        assert [p["part"] for p in now["parts"]] == ["inbox"]
        (data / "inbox").unlink()
        until((data / "inbox").is_dir, "the folder")
        until(lambda: "it is made again" in log(data), "a word about it")
        drop(data, "1.fit", 1)
        until(lambda: settled(data), "the file")
        assert json.loads(hartslag("--data", data, "status", "--json").stdout)["parts"] == []


def test_two_daemons_are_impossible_whatever_is_moved(tmp_path: Path) -> None:
    """Protects the inbox in the moment before the daemon has noticed: a second one is refused all the same."""
    data = tmp_path / "data"
    with daemon(data) as process:
        until(lambda: settled(data) or rows(store(data), "SELECT 1 FROM replica"), "the daemon")
        os.kill(process.pid, signal.SIGSTOP)
        try:
            (data / "journal").rename(tmp_path / "elsewhere")
            second = hartslag("--data", data, "run")
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert second.returncode == 1
        assert "Another daemon" in second.stderr
        drop(data, "1.fit", 1)
        until(lambda: settled(data), "the file, by the first")
        held = data / "journal" / "daemon"
        until(lambda: held.exists() and held.read_text().startswith(str(process.pid)), "the lock anew")
