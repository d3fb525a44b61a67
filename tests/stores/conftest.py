"""What tests of stores share: each kind of server, a clock that passes when told to, and a journal of all there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.journal import Journal
from tests.support.fake_server import FakeServer
from tests.support.server_stores import HAPPENED, SERVERS, Clock, Real, erring, journal_of_2024, serving


@pytest.fixture
def clock() -> Clock:
    """Passes when told to."""
    return Clock()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Real]:
    """Each kind of server there is, empty."""
    with serving(request.param, tmp_path / "server", clock) as made:
        yield made


@pytest.fixture
def fake(server: Real) -> Iterator[FakeServer]:
    """What errs when told to, in front of each of them."""
    with erring(server) as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Some weeks of two persons, in which something of everything is."""
    with journal_of_2024(tmp_path / "data", HAPPENED) as opened:
        yield opened
