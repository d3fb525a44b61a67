"""Bodies on their way to a server: several at once, and still in their order."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest.settings.model import InfluxSettings
from ingest.stores.influx.batch import LEAST_BODY_BYTES, BatchWriter, RejectedLine
from ingest.stores.influx.client import ServerClient, Unavailable
from tests.support import fake_server as fakeserver
from tests.support.fake_server import Exchange, FakeServer, Fault, says

PADDING = b"".join(b"minute,person=Zo%d bpm=1 1\n" % i for i in range(1100))
"""Fills a body that is as small as they become, and no more than one."""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """One that holds the last value of each point."""
    with FakeServer() as made:
        yield made


@pytest.fixture
def batch(server: FakeServer) -> Iterator[BatchWriter]:
    """What writes to it."""
    with closing(ServerClient(InfluxSettings(url=server.url))) as client:
        made = BatchWriter(client, refused.append)
        made.probe_line = b"replica version=1 1\n"
        refused.clear()
        while made.body_limit > LEAST_BODY_BYTES:
            made.shrink()
        yield made
        made.discard()


refused: list[RejectedLine] = []


def add(batch: BatchWriter, count: int) -> None:
    for i in range(count):
        batch.add(b"minute,person=Jan bpm=%d 1\n" % i + PADDING, "s")


@pytest.mark.parametrize("fault", [says(413), says(400, "no"), fakeserver.stores_but_says(400)])
@pytest.mark.parametrize("at", [0, 1])
def test_what_is_sent_once_more_does_not_come_behind_what_followed(
    fault: Fault, at: int, batch: BatchWriter, server: FakeServer
) -> None:
    """Protects a row that is sent twice in a run: the later number stays, though the body of the earlier one went in parts."""
    server.faults.extend([*[Exchange.honestly] * at, fault])
    add(batch, 3)
    while len(server.writes) < 3 or server.writes[2].status is None:
        time.sleep(0.01)
    batch.flush()
    assert [row["bpm"] for row in server.rows("minute") if row["person"] == "Jan"] == [2.0]
    assert refused == []


def test_a_server_that_fails_is_told_of_before_a_yes_to_all(batch: BatchWriter, server: FakeServer) -> None:
    """Protects the position: it moves on a yes to each body, whichever of those on their way had none."""
    server.faults.extend([Exchange.honestly, Exchange.honestly, says(503)])
    with pytest.raises(Unavailable):
        add(batch, 6)
    batch.discard()
    sent = len(server.writes)
    batch.flush()
    assert len(server.writes) == sent
