"""InfluxDB 2: what is deleted there, and of whom; buckets whose names have a slash; and what is said of tokens and mappings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from tests.support.households import Event, Noted, happen, steady
from tests.support.influxdb2 import InfluxDB2
from tests.support.server_stores import (
    CORRECTIONS,
    HAPPENED,
    START,
    Clock,
    catch_up,
    journal_of_2024,
    open_store,
    wrong_rows,
)

TOKEN = "a-token"
THEIRS: list[Event] = [
    Noted("Zoë", (("maximum_bpm", 170), ("zone", "Europe/Amsterdam"))),
    steady("Zoë", START, 200, 100),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxDB2]:
    """One that is empty."""
    with InfluxDB2(tmp_path / "server") as made:
        yield made


@pytest.mark.parametrize(("mine", "other"), [("", "attic"), ("attic", ""), ("attic", "shed")])
def test_what_one_pi_deletes_is_its_own(
    mine: str, other: str, journal: Journal, server: InfluxDB2, tmp_path: Path
) -> None:
    """Protects a second Pi's rows of the same names, whichever of the two has a site: rebuilt, corrected, a person gone."""
    clock = Clock()
    with (
        journal_of_2024(tmp_path / "theirs", [*HAPPENED, *THEIRS]) as theirs,
        open_store(server.url, tmp_path / "2", clock=clock, site=other or None) as second,
        open_store(server.url, tmp_path / "1", clock=clock, site=mine or None) as first,
    ):
        catch_up(theirs, second, clock)
        catch_up(journal, first, clock)
        for name in ("a better copy, of which rows vanish", "a zone in which days begin elsewhere"):
            happen(journal, CORRECTIONS[name])
            catch_up(journal, first, clock)
        first.keep_persons(["Zoë"])
        assert {row["person"] for row in server.rows("day") if (row.get("site") or "") == mine} == {"Zoë"}
        first.clear(journal)
        assert not [row for row in server.rows("heart_rate") if (row.get("site") or "") == mine]
        assert wrong_rows(theirs, server, tmp_path / "2.db", other) == []
        catch_up(journal, first, clock)
        assert wrong_rows(journal, server, tmp_path / "1.db", mine) == []
        assert wrong_rows(theirs, server, tmp_path / "2.db", other) == []


@pytest.mark.parametrize("site", ["", "attic"])
@pytest.mark.parametrize("bucket", ["home/heart", "home/heart/rate", "Zoë's heart"])
def test_a_bucket_of_any_name_is_read_and_rows_of_no_other_go(
    bucket: str, site: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects the bucket that a name with a slash would be taken for: InfluxQL deletes from the default one alone."""
    clock = Clock()
    with InfluxDB2(tmp_path / "server", bucket) as server:
        server.add_bucket("home")
        with open_store(server.url, tmp_path / "b", clock=clock, bucket="home", site=site or None) as beside:
            catch_up(journal, beside, clock)
        with open_store(server.url, tmp_path / "a", clock=clock, bucket=bucket, site=site or None) as store:
            catch_up(journal, store, clock)
            happen(journal, CORRECTIONS["a better copy, of which rows vanish"])
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / "a.db", site) == []
            store.clear(journal)
            assert server.rows("heart_rate") == []
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / "b.db", site) == []
        with open_store(server.url, tmp_path / "b", clock=clock, bucket="home", site=site or None) as beside:
            catch_up(journal, beside, clock)
            server.bucket = "home"
            assert wrong_rows(journal, server, tmp_path / "c.db", site) == []


def test_without_a_site_nothing_is_deleted_beside_others_where_it_cannot_be_told_apart(
    journal: Journal, tmp_path: Path
) -> None:
    """Protects others in a bucket with a slash, where neither way of version 2 can name rows that have no site."""
    clock = Clock()
    with InfluxDB2(tmp_path / "server", "home/heart") as server:
        with open_store(server.url, tmp_path / "2", clock=clock, bucket=server.bucket, site="attic") as other:
            catch_up(journal, other, clock)
        with (
            open_store(server.url, tmp_path / "1", clock=clock, bucket=server.bucket) as store,
            pytest.raises(TryLater, match="Give this Pi a name"),
        ):
            follow(journal, store)
        assert wrong_rows(journal, server, tmp_path / "s.db", "attic") == []


def test_another_journal_takes_the_place_of_the_earlier_one(server: InfluxDB2, tmp_path: Path) -> None:
    """Protects a repaired journal: the store does not stay at "is of an earlier journal; it is emptied" for ever."""
    clock = Clock()
    for i, happened in enumerate([HAPPENED, THEIRS]):
        with (
            journal_of_2024(tmp_path / f"data {i}", happened) as journal,
            open_store(server.url, tmp_path / "store", clock=clock) as store,
        ):
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / f"{i}.db") == []


def _write_only(server: InfluxDB2) -> None:
    server.rights = {"write"}


def _read_only(server: InfluxDB2) -> None:
    server.rights = {"read"}


def _other_org(server: InfluxDB2) -> None:
    server.org = "another"


def _no_bucket(server: InfluxDB2) -> None:
    server.buckets = {"other": "hartslag"}


def _no_mapping(server: InfluxDB2) -> None:
    server.is_mapped = False


def _other_mapping(server: InfluxDB2) -> None:
    server.add_bucket("other")
    server.elsewhere = True


def _retention(server: InfluxDB2) -> None:
    server.keeps_for_ever = False


def _other_token(server: InfluxDB2) -> None:
    server.token = "another"


def _no_deletion(server: InfluxDB2) -> None:
    server.obeys = False


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        (_write_only, "may write it, and not read it"),
        (_read_only, "does not let the token do this"),
        (_other_org, 'knows no organisation "hartslag"'),
        (_no_bucket, 'knows no bucket "hartslag"'),
        (_no_mapping, "influx v1 dbrp create"),
        (_other_mapping, "a mapping leads to another bucket"),
        (_retention, "for ever"),
        (_other_token, "does not accept the token"),
        (_no_deletion, "says yes to deleting rows"),
    ],
)
def test_what_it_lacks_is_said_in_words_and_then_all_is_well(
    lacks: Callable[[InfluxDB2], None], words: str, journal: Journal, server: InfluxDB2, tmp_path: Path
) -> None:
    """Protects the owner from a wrong trail: a token, an organisation, a mapping and a bucket are told apart."""
    clock, token = Clock(), tmp_path / "token"
    token.write_text(TOKEN)
    server.token = TOKEN
    before = {**vars(server)}
    lacks(server)
    with open_store(server.url, tmp_path / "store", clock=clock, token_file=token) as store:
        with pytest.raises(TryLater, match=words) as caught:
            follow(journal, store)
        assert server.url in str(caught.value)
        _restore(server, before)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


def _restore(server: InfluxDB2, before: dict[str, object]) -> None:
    for name in ("rights", "org", "buckets", "is_mapped", "elsewhere", "keeps_for_ever", "token", "obeys"):
        setattr(server, name, before[name])


def test_a_deletion_in_the_middle_of_which_it_dies_is_done_again(
    journal: Journal, server: InfluxDB2, tmp_path: Path
) -> None:
    """Protects `rebuild`: whichever request of it fails, done again it leaves nothing of before, and all that should be."""
    clock = Clock()
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        for n in range(0, 40, 7):
            server.nth = (n, lambda x: x.cut())
            _clear_patiently(store, journal, clock)
            server.nth = None
            catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


def _clear_patiently(store: InfluxStore, journal: Journal, clock: Clock) -> None:
    try:
        store.clear(journal)
    except TryLater:
        clock.passes(60)
        store.clear(journal)
