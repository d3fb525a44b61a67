"""Answers of a server with anything in the place of something: whatever it is, nothing but TryLater comes of it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import TryLater
from ingest.stores.following import follow
from tests.support.fake_server import FakeServer, Request, Said
from tests.support.households import Noted, happen, steady
from tests.support.influxdb2 import InfluxDB2
from tests.support.server_stores import SERVERS, START, Clock, journal_of_2024, open_store, serving

HOSTILE: list[Any] = [None, -1, 10**30, 1e308, "", "x\x1b[2J", [], {}, [[1]], {"a": {}}, True, [None, 10**30]]


def twist(content: Any, chance: random.Random) -> Any:
    """The same with one thing in it replaced, wherever it is."""
    if not isinstance(content, dict | list) or not content or chance.random() < 0.15:
        return chance.choice(HOSTILE)
    if isinstance(content, dict):
        key = chance.choice(sorted(content))
        if chance.random() < 0.1:
            return {k: v for k, v in content.items() if k != key}
        return {**content, key: twist(content[key], chance)}
    at = chance.randrange(len(content))
    if chance.random() < 0.1:
        return content[:at] + content[at + 1 :]
    return [*content[:at], twist(content[at], chance), *content[at + 1 :]]


class Twisting(FakeServer):
    """Of the answers in JSON each third has something else in one place, while `chance` is set."""

    chance: random.Random | None = None

    def serve(self, request: Request) -> Said:
        status, headers, body = super().serve(request)
        if self.chance is None or not body.startswith(b"{") or self.chance.random() > 1 / 3:
            return status, headers, body
        lines = [json.dumps(twist(json.loads(line), self.chance)) for line in body.splitlines()]
        return status, headers, "\n".join(lines).encode()


class TwistingInfluxDB2(Twisting, InfluxDB2):
    """The same of the InfluxDB 2 of tests, which stands before a real one by itself."""


@contextmanager
def twisting(kind: str, folder: Path, clock: Clock) -> Iterator[Twisting]:
    """A server of a kind."""
    if kind == "influxdb2":
        with TwistingInfluxDB2(folder) as made:
            yield made
        return
    with serving(kind, folder, clock) as behind:
        assert not isinstance(behind, InfluxDB2)
        with Twisting(behind) as made:
            yield made


TRIES = {"influxdb": 24, "influxdb2": 24, "victoriametrics": 10, "cluster": 6}
"""As many as take each some ten seconds."""


@pytest.mark.parametrize("kind", SERVERS)
def test_whatever_stands_in_an_answer_it_is_try_later(kind: str, clock: Clock, tmp_path: Path) -> None:
    """Protects the daemon from a server that answers in the right form with anything in it: no other error, ever."""
    with twisting(kind, tmp_path / "server", clock) as server:
        for n in range(TRIES[kind]):
            site = f"pi-{n}"
            happened = [steady("Jan", START, 60, 120), steady("Zoë", START, 30, 90)]
            with (
                journal_of_2024(tmp_path / site / "data", happened) as journal,
                open_store(server.url, tmp_path / site / "store", clock=clock, site=site) as store,
            ):
                follow(journal, store)
                server.chance = random.Random(n)
                for bpm in (110, 140):
                    happen(journal, steady("Jan", START, 60, bpm, source="watch"))
                    happen(journal, Noted("Jan", (("maximum_bpm", bpm + 60), ("zone", "Europe/Amsterdam"))))
                    clock.passes(400)
                    with suppress(TryLater):
                        follow(journal, store)
                    clock.passes(400)
                    with suppress(TryLater):
                        follow(journal, store)
                    clock.passes(4000)
                    with suppress(TryLater):
                        follow(journal, store)
                        store.keep_persons(["Jan"])
                store.inspect(journal.id)
                clock.passes(4000)
                with suppress(TryLater):
                    store.clear(journal)
                server.chance = None
