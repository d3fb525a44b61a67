"""All that a server can answer, or not: what it did not truly say yes to is sent again, what it refuses is set aside."""

import contextlib
import gzip
import logging
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.influx.victoria_trial import TRIED_US
from tests.support import fake_server as fakeserver
from tests.support.fake_server import WRITE, Exchange, FakeServer, Fault, Point, says
from tests.support.households import DAY, HOUR, MINUTE, Event, Noted, filled, happen, steady
from tests.support.replicas import differences, expected, held
from tests.support.server_stores import START, Clock, Real, catch_up, journal_of_2024, open_store, wrong_rows
from tests.support.servers import VictoriaMetrics

TOKEN = "a-secret-that-nobody-may-see"

HAPPENED: list[Event] = [
    Noted("Jan", (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    *(steady("Jan", START + i * DAY, 400, 105 + 5 * i, source=f"watch {i % 2}") for i in range(3)),
]

LATER = START + 2 * DAY + HOUR
"""Within the last day that has rows: what comes in then changes no more than that day and its weeks."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Some days of one person."""
    with journal_of_2024(tmp_path / "data", HAPPENED) as opened:
        yield opened


@pytest.fixture
def store(fake: FakeServer, tmp_path: Path, clock: Clock) -> Iterator[InfluxStore]:
    """The store on what errs."""
    with open_store(fake.url, tmp_path / "store", clock=clock) as opened:
        yield opened


def gone_wrong(journal: Journal, store: InfluxStore) -> str:
    with pytest.raises(TryLater) as caught:
        follow(journal, store)
    return str(caught.value)


# --- answers that are no yes ---

KEPT: dict[str, tuple[Fault, str]] = {
    "dies": (fakeserver.dies, "sent when it is back"),
    "dies after it has stored": (fakeserver.dies_after_storing, "sent when it is back"),
    "dies with half of it stored": (fakeserver.dies_halfway, "sent when it is back"),
    "dies within its answer": (fakeserver.half_answers, "sent when it is back"),
    "is no HTTP server": (fakeserver.babbles, "sent when it is back"),
    "stores and says 500": (fakeserver.stores_but_says(500), "sent again"),
    "says 200 and shows a hotel's page": (fakeserver.PORTAL, "log in"),
    "says 200 and nothing": (says(200), "another service"),
    "says 202": (says(202), "another service"),
    "moved for good": (says(301, Location="http://127.0.0.1:1/api/v2/write"), "url"),
    "moved for now": (says(302, Location="/login"), "url"),
    "moved and wants it again": (says(307, Location="http://127.0.0.1:1/api/v2/write"), "url"),
    "401": (says(401, '{"code":"unauthorized","message":"unauthorized access"}'), "token"),
    "403": (says(403, '{"code":"forbidden","message":"insufficient permissions"}'), "token"),
    "404": (says(404, '{"code":"not found","message":"bucket not found"}'), "bucket"),
    "405": (says(405), "405"),
    "408": (says(408), "408"),
    "429": (says(429, "slow down", Retry_After="5"), "429"),
    "500": (says(500, '{"message":"internal error"}'), "internal error"),
    "disk full": (says(500, '{"message":"engine: write /x/wal: no space left on device"}'), "no space left"),
    "502": (says(502, "<html>bad gateway</html>"), "502"),
    "503 and nonsense after it": (says(503, Retry_After="soon"), "503"),
    "507": (says(507), "507"),
    "words that are no UTF-8": (says(500, b"caf\xe9 \xff\xfe"), "500"),
    "a yes of another kind": (says(299), "another service"),
    "nine megabytes": (says(200, b"A" * 9_000_000), "sends more than is read"),
    "nine megabytes of trouble": (says(500, b"A" * 9_000_000), "sends more than is read"),
    "nine packed megabytes": (
        says(200, gzip.compress(b"A" * 9_000_000), Content_Encoding="gzip"),
        "more than",
    ),
    "nested without end": (says(200, b'{"results":' + b"[" * 200_000), "another service"),
    "little but brackets": (says(200, b'{"results":[' + b"[]," * 500_000 + b"1]}"), "another service"),
    "packed words that cannot be unpacked": (says(500, b"no gzip", Content_Encoding="gzip"), ""),
}


PARTS = 3
"""A server is told all of them in so many tests, which several processes share."""


def comes_back(journal: Journal, store: InfluxStore, clock: Clock) -> None:
    """The server is itself again, and after a pause the store is where the journal is."""
    clock.passes(10)
    follow(journal, store)
    assert store.begin(journal) == journal.last_position()


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_no_yes_moves_nothing_and_comes_again(
    part: int,
    journal: Journal,
    store: InfluxStore,
    fake: FakeServer,
    server: Real,
    clock: Clock,
    tmp_path: Path,
) -> None:
    """Protects "never lose": the position stays, the owner reads what to do, and later each row is there once."""
    catch_up(journal, store, clock)
    for i, (name, (fault, words)) in enumerate(list(KEPT.items())[part::PARTS]):
        before = store.reported_position(journal)
        happen(journal, steady("Jan", LATER + i * 10 * MINUTE, 40 + i, 130))
        fake.always = fault
        said = gone_wrong(journal, store)
        assert words in said, name
        assert fake.url in said, name
        assert store.reported_position(journal) == before, name
        fake.always = None
        comes_back(journal, store, clock)
        assert (name, wrong_rows(journal, server, tmp_path / "s.db")) == (name, [])
    catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


@pytest.mark.parametrize("part", range(PARTS))
def test_an_answer_to_a_question_that_is_none_is_no_harm(
    part: int,
    journal: Journal,
    store: InfluxStore,
    fake: FakeServer,
    server: Real,
    clock: Clock,
    tmp_path: Path,
) -> None:
    """Protects comparing and the marker: whatever is said to all questions, nothing but TryLater comes of it."""
    fake.everywhere = True
    catch_up(journal, store, clock)
    for i, (fault, _) in enumerate(list(KEPT.values())[part::PARTS]):
        happen(journal, steady("Jan", LATER + i * 10 * MINUTE, 60, 130))
        clock.passes(100 if i % 2 else 20)  # the marker is asked for, or what is there of the day
        fake.always = fault
        gone_wrong(journal, store)
        clock.passes(4000)  # and what server it is
        assert fake.url in gone_wrong(journal, store)
        fake.always = None
        comes_back(journal, store, clock)
    catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


AT_ONE_REQUEST = [fakeserver.dies_after_storing, says(503), says(400, "no"), fakeserver.PORTAL]


@pytest.mark.parametrize("which", range(len(AT_ONE_REQUEST)))
def test_at_each_single_request_something_may_go_wrong(
    which: int, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects every step of sending, comparing and correcting: one request after the other is the one that fails."""
    upper, lower = (Noted("Jan", (("maximum_bpm", bpm), ("zone", "Europe/Amsterdam"))) for bpm in (180, 220))
    with journal_of_2024(tmp_path / "few", [upper, steady("Jan", START, 70, 130)]) as journal:
        at_first = journal.last_position()
        happen(journal, steady("Jan", START + HOUR, 60, 130))
        happen(journal, lower)
        wanted = expected(filled(journal, tmp_path / "s.db"), server)
        left: tuple[int, Fault] | None = None
        # VictoriaMetrics is asked five times as much: there each request meets one of the faults, elsewhere all of them.
        in_turn = len(AT_ONE_REQUEST) if isinstance(server, VictoriaMetrics) else 1
        for n in range(which % in_turn, 400, in_turn):
            site = f"pi-{n}"
            fake.nth = (n, AT_ONE_REQUEST[which])
            with open_store(fake.url, tmp_path / site, clock=clock, site=site) as store:
                for _ in range(3):
                    with contextlib.suppress(TryLater):
                        follow(journal, store, portion=at_first)
                    clock.passes(400)
                left, fake.nth = fake.nth, None
                catch_up(journal, store, clock)
                assert store.retry()[1] == []  # a row that was refused alone was set aside
            assert (n, differences(held(server, site), wanted)) == (n, [])
            if left is not None:
                break
        assert left is not None, "a run has more requests than expected"


def test_the_token_goes_nowhere_else(journal: Journal, tmp_path: Path, clock: Clock) -> None:
    """Protects the token from a server that sends us on to another one."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with FakeServer() as thief, FakeServer() as server:
        server.everywhere = True
        for status in (301, 302, 303, 307, 308):
            server.always = says(status, Location=f"{thief.url}{WRITE}")
            with open_store(server.url, tmp_path / "store", clock=clock, token_file=token) as store:
                gone_wrong(journal, store)
        assert thief.requests == []


def test_several_faults_one_after_the_other(
    journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects both servers from a bad day: each write fails in another way first, and new things happen meanwhile."""
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        for i, (fault, _) in enumerate(KEPT.values()):
            fake.faults += [Exchange.honestly] * (i % 3) + [fault]
            if i % 5 == 0:
                happen(journal, steady("Jan", START + i * DAY // 4, 120, 100 + i, source=f"watch {i % 2}"))
            try:
                follow(journal, store, portion=2)
            except TryLater:
                clock.passes(60)
        catch_up(journal, store, clock, tries=60)
        assert not fake.faults
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


# --- patience ---


def asked(fake: FakeServer, journal: Journal, store: InfluxStore) -> int:
    """How many requests one try makes."""
    before = len(fake.requests)
    gone_wrong(journal, store)
    return len(fake.requests) - before


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_for_time_gets_it(
    form: str, journal: Journal, store: InfluxStore, fake: FakeServer, clock: Clock
) -> None:
    """Protects a server under load: Retry-After, in seconds or as a date, is kept to, and not a minute longer."""
    after = "120" if form == "seconds" else formatdate(time.time() + 120, usegmt=True)
    fake.always = says(429, "slow down", Retry_After=after)
    assert "429" in gone_wrong(journal, store)
    clock.passes(110)
    assert asked(fake, journal, store) == 0
    clock.passes(70)
    fake.always = None
    assert follow(journal, store) == journal.last_position()


def test_a_server_that_is_away_is_asked_rarely_and_not_in_step(
    journal: Journal, fake: FakeServer, tmp_path: Path
) -> None:
    """Protects a server that comes back from fifty Pis at once: pauses grow, end at half a minute, and differ."""
    pauses: list[list[float]] = []
    fake.always, fake.everywhere = says(503), True
    for i in range(2):
        clock = Clock()
        mine: list[float] = []
        with open_store(fake.url, tmp_path / f"store {i}", clock=clock) as store:
            last = clock.now_s
            while len(mine) < 9:
                if asked(fake, journal, store):
                    mine.append(clock.now_s - last)
                    last = clock.now_s
                clock.passes(0.1)
        pauses.append(mine[1:])
    assert pauses[0] != pauses[1]
    for mine in pauses:
        assert 0.4 < mine[0] < 1.2
        assert max(mine) < 31
        assert mine[-1] > 14


# --- too large, poison ---


@pytest.mark.parametrize("largest", [2_000, 30_000])
def test_a_body_that_is_too_large_goes_in_parts(
    largest: int, journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects a server behind a proxy with a small limit: 413 is an order to split, down to what it takes."""
    fake.largest_bytes = largest
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock, tries=2)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []
    assert {413, 204} <= {r.status for r in fake.writes}


def poisonous(p: Point) -> str | None:
    if p.key[0].startswith("heart_rate") and p.time_us // 1_000_000 % 100 == 7:
        return "partial write: field type conflict: bpm is type string"
    return None


@pytest.mark.parametrize("poisoned", ["partial", "all"])
def test_poison_is_set_aside_with_the_servers_words_and_tried_again_on_request(
    poisoned: str, journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects all other rows from a row that a server will not have, and that row from being forgotten."""
    fake.poison, fake.poisoned = poisonous, poisoned
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        assert store.reported_position(journal) == journal.last_position()
        refused = store.refused_rows()
        assert len(refused) == 12
        assert all("type conflict" in r.reason and "heart_rate" in r.key for r in refused)
        found = wrong_rows(journal, server, tmp_path / "a.db")
        assert [line.split(":")[0] for line in found] == ["heart_rate"]
        assert "1188 rows, wanted 1200" in found[0]
        taken, left = store.retry()
        assert (taken, len(left)) == (0, 12)
        fake.poison = lambda _: None
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        assert store.retry() == (12, [])
        assert store.refused_rows() == []
        catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "b.db") == []


def test_a_server_that_refuses_everything_has_nothing_set_aside(
    journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects years of rows from being quarantined one by one because a bucket is of the wrong kind."""
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        for status in (400, 422):
            fake.always = says(status, '{"message":"this bucket takes no lines"}')
            clock.passes(3600)
            assert "takes no lines" in gone_wrong(journal, store)
            assert store.refused_rows() == []
        fake.always = None
        catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


@pytest.mark.parametrize("server", ["victoriametrics", "cluster"], indirect=True)
def test_a_canary_that_is_refused_at_last_is_said_in_words(
    journal: Journal, store: InfluxStore, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects the daemon from an error that nobody foresaw: also where the last value written to try it out is not taken."""

    def is_last(p: Point) -> bool:
        return p.fields.get("canary") == 2.0 and (p.time_us - TRIED_US[0]) // 1000 % 6 == 0

    fake.poison = lambda p: "not this one" if is_last(p) else None
    assert "whose rows these are" in gone_wrong(journal, store)
    fake.poison = lambda _: None
    clock.passes(60)
    catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


# --- the token ---


def test_the_token_is_in_no_word_and_no_file(
    journal: Journal, fake: FakeServer, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Protects the token, even where a server repeats it in its own words."""
    caplog.set_level(logging.DEBUG)
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    fake.token = TOKEN
    said: list[str] = []
    with open_store(fake.url, tmp_path / "store", clock=clock, token_file=token) as store:
        for status in (401, 403, 404, 500, 400, 200):
            fake.always = says(status, f'{{"message":"not with Token {TOKEN}"}}')
            clock.passes(3600)
            said.append(gone_wrong(journal, store))
        fake.always = None
        fake.poison = lambda p: f"no {TOKEN}" if p.fields.get("bpm") == 106 else None
        catch_up(journal, store, clock)
        said += [
            store.place,
            repr(store.refused_rows()),
            repr(store.reported_position(journal)),
            repr(store),
        ]
    assert store.refused_rows()
    held = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p != token)
    assert TOKEN.encode() not in held
    assert TOKEN not in "\n".join([*said, caplog.text])


@pytest.mark.parametrize(
    "content", ["", "\n", f"{TOKEN}\nand more\n", f"{TOKEN}\x00", "tokén\n", f"{TOKEN}\r\n{TOKEN}"]
)
def test_a_file_that_holds_no_token_is_said_so_without_showing_it(
    content: str, journal: Journal, fake: FakeServer, server: Real, tmp_path: Path, clock: Clock
) -> None:
    """Protects the owner who pasted too much: TryLater in plain words, none of them the token, and no other error."""
    token = tmp_path / "token"
    token.write_text(content)
    fake.token = TOKEN
    with open_store(fake.url, tmp_path / "store", clock=clock, token_file=token) as store:
        said = gone_wrong(journal, store)
        assert TOKEN not in said
        assert str(token) in said
        token.write_text(f"{TOKEN}\n")
        catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []
