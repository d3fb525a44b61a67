"""Who may know of whom, and what a verb loads that does not need it."""

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.cli import VERBS

ROOT = Path(__file__).parents[1]

ORDER = (
    {"ingest.errors", "ingest.language", "ingest.log", "zones"},
    {"ingest.retelling"},
    {"ingest.formats", "ingest.sports", "ingest.system"},
    {"ingest.settings"},
    {"ingest.journal"},
    {"ingest.collect", "ingest.rows"},
    {"ingest.stores", "ingest.grafana", "ingest.household", "ingest.report", "ingest.backup"},
    {"ingest.daemon", "ingest.demo", "ingest.mistakes"},
    {"ingest.verbs", "ingest.installation"},
    {"ingest.cli"},
    {"ingest.__main__"},
)
"""Who may import whom: each part those in the lines above it, never one beside it or below."""


def part(module: str) -> str:
    """What a module belongs to."""
    return (
        ".".join(module.split(".")[:2]) if module.startswith("ingest") else module.split(".", maxsplit=1)[0]
    )


def imported(source: Path) -> set[str]:
    """All modules that a file names in its imports, wherever they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: imports are absolute here"
            module = node.module or ""
            found |= {f"ingest.{n.name}" for n in node.names} if module == "ingest" else {module}
    return found


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("source", modules("zones"), ids=lambda p: p.name)
def test_zones_knows_numbers_only(source: Path) -> None:
    """Protects zones as something that can be used, read and measured alone: no file, clock, network or log."""
    tops = {name.split(".")[0] for name in imported(source)}
    assert tops <= {"numpy", "zones"} | set(sys.stdlib_module_names)
    assert not tops & {"os", "io", "pathlib", "socket", "time", "logging", "sqlite3", "subprocess"}


@pytest.mark.parametrize("source", modules("ingest"), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(source: Path) -> None:
    """Protects the one direction in which data flows: nobody reaches up, or across."""
    mine = part(".".join(source.relative_to(ROOT).with_suffix("").parts))
    ours = {part(name) for name in imported(source) if name.split(".")[0] in {"ingest", "zones"}}
    line = next((i for i, parts in enumerate(ORDER) if mine in parts), None)
    assert line is not None or mine == "ingest.__init__", f"{mine} has no line in ORDER"
    assert ours - {mine, "ingest"} <= set().union(*ORDER[:line])


def test_tests_lie_as_the_program_does() -> None:
    """Protects who looks for the tests of a file: they lie in the same room, and what they share in tests/support, or as fixtures of a room in its conftest.py."""
    apart = {"support", "bench", "fuzz"}
    tests = [p.relative_to(ROOT / "tests") for p in (ROOT / "tests").rglob("*.py")]
    beside = [p for p in tests if p.parts[0] not in apart and not p.name.startswith(("test_", "conftest."))]
    assert sorted(map(str, beside)) == ["__init__.py"]
    rooms = {p.parent for p in tests if p.parts[0] not in apart} - {Path(), Path("zones")}
    assert [r for r in sorted(rooms) if not (ROOT / "ingest" / r).is_dir()] == []


def test_one_place_knows_each_of_the_worlds() -> None:
    """Protects the edges: SQL is spoken in journal and stores only (and SQLite itself handled in one more place), and Bluetooth nowhere but where straps are read."""
    speaking = {
        world: {
            part(".".join(p.relative_to(ROOT).with_suffix("").parts))
            for p in modules("ingest")
            if world in imported(p)
        }
        for world in ("sqlite3", "fitparse", "bleak", "dbus_fast", "tomlkit")
    }
    assert speaking == {
        "sqlite3": {"ingest.system", "ingest.journal", "ingest.stores"},
        "fitparse": {"ingest.formats"},
        "bleak": {"ingest.collect"},
        "dbus_fast": {"ingest.collect"},
        "tomlkit": {"ingest.settings"},
    }


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after some code."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('MODULES', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.rpartition("MODULES")[2].split())


HEAVY = {"bleak", "influxdb_client", "dbus_fast", "matplotlib", "rich", "pandas"}


def test_help_loads_next_to_nothing() -> None:
    """Protects completion and help on a Pi Zero, where numpy alone takes a second."""
    held = loaded("from ingest.cli import main; sys.argv = ['hartslag', '--help']; main()")
    assert not held & {"numpy", "fitparse", "sqlite3", "asyncio", *HEAVY}


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_loads_nothing_that_computes(verb: str) -> None:
    """Protects who looks up an option on a Pi Zero: what a verb computes with is loaded when it computes."""
    held = loaded(f"from ingest.cli import main; sys.argv = ['hartslag', {verb!r}, '--help']; main()")
    assert f"ingest.verbs.{verb}" in held
    assert not held & {"numpy", "fitparse", "sqlite3", "asyncio", "urllib3", *HEAVY}


@pytest.mark.parametrize("verb", ["week", "export", "check", "rebuild"])
def test_verbs_that_read_the_journal_do_not_load_what_reads_files(verb: str, tmp_path: Path) -> None:
    """Protects the wait for an answer: who asks for the week needs neither FIT nor Bluetooth nor a server."""
    from tests.support.households import household

    with household(tmp_path):
        pass
    words = ["hartslag", "--data", str(tmp_path), verb]
    held = loaded(f"from ingest.cli import main; sys.argv = {words!r}; main()")
    assert not held & {"fitparse", "asyncio", *HEAVY}
    assert "sqlite3" in held


@pytest.mark.parametrize("room", ["zones", "ingest/formats", "ingest/collect"])
def test_what_reads_files_calls_nothing_that_loads_more(room: str) -> None:
    """Protects good files: the reading process can load nothing once it is shut in, and these load numpy.ma when called."""
    late = re.compile(r"np\.(isin|in1d|unique\w*|setdiff1d|setxor1d|intersect1d|union1d)\(")
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    assert [f"{f.name}: {m[0]}" for f in files for m in late.finditer(f.read_text())] == []


def test_the_week_of_somebody_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """Protects the wait for an answer: what a call deep below drags along (numpy.ma, bz2) costs a verb its tenths."""
    from tests.support.households import household, steady
    from tests.support.strap_sessions import happen_all, wear_strap

    with household(tmp_path, [steady("Anna", 1_700_000_000_000, 600, 120)]) as journal:
        worn = wear_strap(1_795_000_000_000, [120] * 600, contact=True)
        happen_all(journal, [replace(worn, person="Anna")])
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 1978\nzone = "UTC"\n')
    words = ["hartslag", "--data", str(tmp_path), "week"]
    held = loaded(f"from ingest.cli import main; sys.argv = {words!r}; main()")
    assert "tomllib" in held
    assert not held & {"numpy.ma", "bz2", "lzma", "difflib", "email", "ingest.settings.mistakes"}


def test_straps_in_the_settings_cost_a_verb_nothing(tmp_path: Path) -> None:
    """Protects the wait for an answer: only who listens loads bleak; `check` asks the system's Bluetooth without it."""
    from tests.support.households import household

    with household(tmp_path):
        pass
    (tmp_path / "hartslag.toml").write_text('[[strap]]\naddress = "A0:9E:1A:12:34:56"\n')
    for verb, bluetooth in (("week", set()), ("status", set()), ("check", {"dbus_fast"})):
        words = ["hartslag", "--data", str(tmp_path), verb]
        held = loaded(f"from ingest.cli import main; sys.argv = {words!r}; main()")
        assert held & HEAVY == bluetooth
        assert "ingest.formats.fit.decoder" not in held, "nobody reads a file here"


def test_the_daemon_does_not_carry_what_its_reading_process_needs() -> None:
    """Protects the memory of a daemon that runs for months: files are read apart."""
    held = loaded("import ingest.daemon")
    assert not held & {"fitparse", "fastcrc", "ingest.formats.fit.decoder", *HEAVY}


def test_the_daemon_carries_nothing_that_it_may_never_need() -> None:
    """Protects the same memory: copies are somewhere to go first, and a journal is damaged before it is mended."""
    assert not loaded("import ingest.daemon") & {"ingest.backup.upkeep", "tempfile", "ingest.journal.salvage"}


def test_a_daemon_without_a_server_does_without_openssl() -> None:
    """Protects the memory of a small computer, a tenth of which it would take; whoever needs it still gets it."""
    start = "from ingest.system.openssl import leave_out_openssl; leave_out_openssl(); import ingest.daemon"
    held = loaded(f"{start}; import ingest.collect.radio, bleak")
    assert {"asyncio", "hashlib", "bleak"} <= held
    assert not held & {"ssl", "_ssl", "_hashlib"}
    later = "import hashlib, http.client, ssl; hashlib.sha256(b'1'), ssl.create_default_context()"
    assert "_ssl" in loaded(f"{start}; {later}, http.client.HTTPSConnection('localhost')")
