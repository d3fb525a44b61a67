"""What all tests share: where real recordings lie, a clean environment, and one paragraph about what was skipped."""

import logging
import os
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from ingest.language import speak
from tests.support import needs
from tests.support.servers import InfluxDB, VictoriaMetrics

if TYPE_CHECKING:
    from tests.support.drawing import Drawer
    from tests.support.grafana_homes import Homes
    from tests.support.grafana_panels import Filled

# A slow machine is no failure, and the same examples come in every run: a red test means a change, not luck.
# `make mutants` runs a test many times in one process, each time in a new object of its class.
settings.register_profile(
    "here",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.load_profile("here")


# Hundreds of tests start the program: compiling it each time would be a third of what that costs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode"))


# Tests that do not say otherwise are spoken to in English, whoever runs them.
os.environ["LC_ALL"] = "C.UTF-8"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Four for each core: tests mostly wait, for daemons and servers."""
    return (os.cpu_count() or 2) * 4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadscope` all pictures of one household go to one worker: its stores are filled once.

    The mark xdist_group would say so, too; xdist 3.8.0 does not heed it beside pytest 9.2.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = lambda nodeid: nodeid.rpartition("[")[2].partition(".")[0]
    return scheduling


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is marked `root` is skipped for everybody else."""
    if item.get_closest_marker("root") is not None:
        needs.root()


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say once, in one paragraph, what was skipped and what to install for it."""
    skipped = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    if skipped:
        parts = [f"{n} because {why}" for why, n in Counter(skipped).most_common()]
        terminalreporter.ensure_newline()
        terminalreporter.line(textwrap.fill(f"Skipped: {'; '.join(parts)}.", 100))
    ran = [
        r for reports in terminalreporter.stats.values() for r in reports if getattr(r, "when", "") == "call"
    ]
    if any("test_browser" in r.nodeid for r in ran):
        from tests.support.drawing import PICTURES

        terminalreporter.ensure_newline()
        terminalreporter.line(f"Pictures of the dashboards: {PICTURES}")


@pytest.fixture(scope="session")
def fit_files() -> Path:
    """The folder of real recordings; tests that need it skip where it is absent, and fail in CI."""
    folder = Path(os.environ.get("HARTSLAG_FIT_FILES") or Path(__file__).parents[2] / "shared" / "fit-files")
    if not folder.is_dir():
        needs.skip_without(f"the folder of real recordings {folder}", "HARTSLAG_FIT_FILES may name another")
    return folder


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Homes]":
    """The households of tests/support/grafana_states.py and their stores, each made when first asked for."""
    from tests.support.grafana_homes import Homes

    with Homes(tmp_path_factory.mktemp("homes")) as opened:
        yield opened


@pytest.fixture(scope="session")
def drawer(homes: "Homes") -> "Iterator[Drawer]":
    """What draws dashboards of these households in a browser."""
    from tests.support.drawing import drawing_host

    with drawing_host(homes) as started:
        yield started


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Filled]":
    """The home of tests/support/grafana_stores.py in every store, filled once for all tests of panels."""
    from tests.support.grafana_panels import filled_stores

    with filled_stores(tmp_path_factory.mktemp("filled")) as home:
        yield home


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the machine that runs the tests reaches them, and neither language nor log of one test the next.

    They are left at the end of a test: what a module makes for all its tests is made before any fixture of one test.
    """
    for name in [n for n in os.environ if n.startswith("HARTSLAG_") and n != "HARTSLAG_FIT_FILES"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    speak(None)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    speak(None)
    root.setLevel(level)
    for handler in [h for h in root.handlers if type(h) is logging.StreamHandler and h not in handlers]:
        root.removeHandler(handler)


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxDB]:
    """A real InfluxDB 1.8.3, empty but for the database `hartslag`."""
    with InfluxDB(tmp_path / "influxdb") as server:
        yield server


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """A real VictoriaMetrics, empty, with the flags that hartslag asks for."""
    with VictoriaMetrics(tmp_path / "victoria") as server:
        yield server
