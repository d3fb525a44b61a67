"""Steps of the wall clock while straps are heard: whatever it shows, what they told is there once, at its own time."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.air.heart import measurement
from tests.support.happenings import new_folder
from tests.support.households import rows
from tests.support.straps import ManualClock

TRUE_MS = 1_790_000_000_000
"""By how much the wall clock is ahead of the steady one when it is right."""

HOUR = 3_600_000

STRAPS = (StrapOwner("me", "strap Polar 1"), StrapOwner("Piet", "strap Polar 2"))


@dataclass(frozen=True)
class Told:
    """One of the straps is heard for some seconds."""

    strap: int
    seconds: int


@dataclass(frozen=True)
class Stepped:
    """Somebody sets the wall clock; it is not known to be right then."""

    by_ms: int


@dataclass(frozen=True)
class Happened:
    """Anything else."""

    what: str


TIME_SERVER, NETWORK_LOST, COMMIT, DROPPED, RESTARTED, READ = (
    Happened(what) for what in ("time server", "network lost", "commit", "dropped", "restarted", "read")
)

steps = st.sampled_from(
    [HOUR, -HOUR, 900, -900, 1500, -1500, 26 * HOUR, -26 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR]
)
acts = st.one_of(
    st.builds(Told, st.integers(0, 1), st.sampled_from([1, 3, 20])),
    st.builds(Stepped, steps),
    st.sampled_from([TIME_SERVER, NETWORK_LOST, COMMIT, COMMIT, DROPPED, RESTARTED, READ]),
)
Act = Told | Stepped | Happened


class Evening:
    """A daemon whose clock is played with: a recorder, a journal, and a store that reads along."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder, self.clock = folder, clock
        self.journal = Journal(folder / "j.db", now_ms=clock.wall_ms)
        self.connections: dict[int, Connection] = {}
        self.cache = RowCache()
        self.told = 0
        self.begin()

    def begin(self) -> None:
        self.recorder = Recorder(self.folder / "j.db", self.clock, on_commit=lambda: None)

    def act(self, act: Act) -> None:
        if isinstance(act, Told):
            self.tell(act)
        elif isinstance(act, Stepped):
            self.clock.ahead, self.clock.right = self.clock.ahead + act.by_ms, False
        elif act == TIME_SERVER:
            self.clock.ahead, self.clock.right = TRUE_MS, True
        elif act == NETWORK_LOST:
            self.clock.right = False
        elif act == COMMIT:
            self.recorder.commit(self.journal)
        elif act == READ:
            self.read()
        else:
            self.drop()
            if act == RESTARTED:
                self.recorder.commit(self.journal)
                self.begin()

    def tell(self, act: Told) -> None:
        if act.strap not in self.connections:
            self.connections[act.strap] = self.recorder.open_connection(STRAPS[act.strap])
            self.recorder.record_state(STRAPS[act.strap], StrapState("connected"))
        for _ in range(act.seconds):
            self.clock.on(1000)
            self.told += 1
            self.connections[act.strap].receive(measurement(70 + self.told % 90, (600 + self.told % 300,)))

    def drop(self) -> None:
        for connection in self.connections.values():
            connection.end()
        self.connections.clear()

    def read(self) -> None:
        with SqliteStore(self.folder / "store.db") as store:
            follow(self.journal, store, portion=3, cache=self.cache)

    def end(self) -> None:
        self.drop()
        self.recorder.commit(self.journal)
        self.read()
        self.journal.close()

    def heard(self) -> list[tuple[str, int, int, bytes]]:
        """All that is in the journal: source, steady clock, date, octets."""
        with Journal(self.folder / "j.db") as journal:
            found = []
            for person, a, b in (
                (1, -1 << 62, -1 << 59),
                (1, 0, 1 << 50),
                (2, -1 << 62, -1 << 59),
                (2, 0, 1 << 50),
            ):
                for c in journal.chunks(person, a, b):
                    assert c.notifications is not None
                    ahead = c.first_ms - int(c.notifications.steady_ms[0])
                    pairs = zip(c.notifications.steady_ms.tolist(), c.notifications.payloads, strict=True)
                    found += [(c.source.name, at, at + ahead, octets) for at, octets in pairs]
        return sorted(found)

    def shown(self) -> dict[str, list[tuple[object, ...]]]:
        """What the store shows of samples, beats and minutes."""
        held = rows(self.folder / "store.db")
        return {table: held[table] for table in ("heart_rate", "beat", "minute", "day", "session")}


def evening(folder: Path, clock: ManualClock, happened: list[Act]) -> Evening:
    folder.mkdir()
    played = Evening(folder, clock)
    for act in happened:
        played.act(act)
    played.end()
    return played


def undisturbed(happened: list[Act]) -> list[Act]:
    """The same straps, heard at the same moments, by a clock that nobody touches."""
    return [a for a in happened if isinstance(a, Told) or a in {DROPPED, RESTARTED}]


@settings(max_examples=30, deadline=None)
@given(
    happened=st.lists(acts, min_size=3, max_size=25),
    began_ms=st.sampled_from([0, 0, 5 * HOUR, -300 * 24 * HOUR]),
    right=st.booleans(),
)
@example(
    happened=[COMMIT, Told(0, 3), COMMIT, Stepped(HOUR), Told(0, 15), COMMIT, READ, TIME_SERVER, COMMIT],
    began_ms=0,
    right=True,
)
@example(
    happened=[Told(0, 3), COMMIT, Told(1, 3), READ, Stepped(-HOUR), COMMIT, DROPPED, Told(0, 3)],
    began_ms=5 * HOUR,
    right=False,
)
def test_a_step_neither_loses_nor_doubles_nor_misplaces(
    *, happened: list[Act], began_ms: int, right: bool
) -> None:
    """Protects a workout from a time server and an owner's hand: once the time is known all is as if nobody had touched it."""
    clock = ManualClock(ahead=TRUE_MS + (0 if right else began_ms), right=right)
    with new_folder() as folder:
        played = evening(folder / "played", clock, [*happened, TIME_SERVER, COMMIT])
        plain = evening(folder / "plain", ManualClock(ahead=TRUE_MS), undisturbed(happened))
        assert played.heard() == plain.heard()
        assert all(date == at + TRUE_MS for _, at, date, _ in played.heard())
        assert played.shown() == plain.shown()


@settings(max_examples=30, deadline=None)
@given(
    happened=st.lists(acts.filter(lambda a: a != TIME_SERVER), min_size=3, max_size=25),
    right=st.booleans(),
    battery=st.booleans(),
)
@example(
    happened=[COMMIT, Told(0, 3), COMMIT, Stepped(HOUR), COMMIT, Told(0, 15), READ], right=True, battery=False
)
def test_until_a_time_server_is_back_the_last_right_moment_dates(
    *, happened: list[Act], right: bool, battery: bool
) -> None:
    """Protects what is heard after a wrong step: dated by what was right, or all by one clock, or kept apart; and it is all there."""
    began: list[Act] = [COMMIT] if right else []
    clock = ManualClock(ahead=TRUE_MS, right=right, battery=battery)
    with new_folder() as folder:
        played = evening(folder / "played", clock, [*began, Told(0, 1), COMMIT, *happened])
        plain = evening(folder / "plain", ManualClock(ahead=TRUE_MS), [Told(0, 1), *undisturbed(happened)])
        heard = played.heard()
        assert [(s, at, octets) for s, at, _, octets in heard] == [
            (s, at, octets) for s, at, _, octets in plain.heard()
        ]
        ahead = {date - at for _, at, date, _ in heard}
        assert len(ahead) == 1
        if right:
            assert played.shown() == plain.shown()
        elif ahead.pop() < 0:
            assert not any(played.shown().values())
        else:
            assert len(played.shown()["heart_rate"]) == len(heard)
