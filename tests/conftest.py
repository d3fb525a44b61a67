"""What all tests share: where real recordings lie, and a clean environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.servers import InfluxDB, VictoriaMetrics

IN_CI = os.environ.get("CI") == "true"

# A slow machine is no failure, and the same examples come in every run: a red test means a change, not luck.
settings.register_profile(
    "here", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")


@pytest.fixture(scope="session")
def fit_files() -> Path:
    """The folder of real recordings; tests that need it skip where it is absent, and fail in CI."""
    folder = Path(os.environ.get("HARTSLAG_FIT_FILES") or Path(__file__).parents[2] / "shared" / "fit-files")
    if not folder.is_dir():
        why = f"real recordings are needed in {folder}, or where HARTSLAG_FIT_FILES says"
        if IN_CI:
            pytest.fail(why)
        pytest.skip(why)
    return folder


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests reaches them."""
    for name in [n for n in os.environ if n.startswith("HARTSLAG_") and n != "HARTSLAG_FIT_FILES"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


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
