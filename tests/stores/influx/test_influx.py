"""The store on a server, real ones: what it holds is what the SQLite store holds, whatever the journal went through."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.journal import Journal
from tests.support.cluster import Cluster
from tests.support.happenings import events, new_folder
from tests.support.households import (
    DAY,
    Event,
    happen,
)
from tests.support.server_stores import (
    CORRECTIONS,
    Clock,
    Real,
    catch_up,
    follow_patiently,
    journal_of_2024,
    open_store,
    settle,
    wrong_rows,
)
from tests.support.servers import VictoriaMetrics


def earlier(thing: Any) -> Any:
    """An event two years before, on the same days of the week and as near to the clock changes."""
    if isinstance(thing, int) and abs(thing) > 10**12:
        return thing - 104 * 7 * DAY
    if isinstance(thing, tuple):
        return tuple(earlier(each) for each in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return type(thing)(**{f.name: earlier(getattr(thing, f.name)) for f in fields(thing)})
    return thing


def test_it_holds_what_the_sqlite_store_holds_through_every_correction(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects the numbers on the server: all of them, and after each correction, whether numbers rise, fall or vanish."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "0.db") == []
        for i, (name, event) in enumerate(CORRECTIONS.items()):
            happen(journal, event)
            catch_up(journal, store, clock)
            assert (name, wrong_rows(journal, server, tmp_path / f"{i + 1}.db")) == (name, [])
    settle(server)
    for one in server.storages if isinstance(server, Cluster) else [server]:
        if isinstance(one, VictoriaMetrics):
            one.ask("GET", "/internal/force_merge")
    assert wrong_rows(journal, server, tmp_path / "last.db") == []


def test_whatever_happens_in_a_household_the_server_holds_its_rows(server: Real, clock: Clock) -> None:
    """Protects what no example thought of: any happenings, brought up to date in any portions, beside other sites."""
    site = iter(range(1000))

    # As it is found: made smaller by a server that takes seconds for each try, it would take the time of all other tests.
    @settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(st.lists(events.map(earlier), min_size=1, max_size=7), st.integers(0, 6), st.integers(1, 5))
    def each(happened: list[Event], some: int, portion: int) -> None:
        name = f"pi-{next(site)}"
        with new_folder() as folder, journal_of_2024(folder, happened[:some]) as journal:
            with open_store(server.url, folder / "store", clock=clock, site=name) as store:
                catch_up(journal, store, clock, portion=portion)
                for event in happened[some:]:
                    happen(journal, event)
                    follow_patiently(journal, store, clock, portion=portion)
                catch_up(journal, store, clock)
            assert wrong_rows(journal, server, folder / "s.db", name) == []

    each()


def test_a_correction_behind_another_is_there_within_two_minutes(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects who corrects a profile and then drops files of last year: the second does not wait out a pause of the first."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        clock.passes(3600)
        for name in ("a maximum that makes moderate minutes light", "a strap that says less"):
            happen(journal, CORRECTIONS[name])
            for _ in range(12):
                follow_patiently(journal, store, clock)
                clock.passes(10)
            assert (name, wrong_rows(journal, server, tmp_path / f"{name}.db")) == (name, [])
