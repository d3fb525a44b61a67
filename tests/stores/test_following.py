"""A store that follows the journal while more comes in."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.rows.table import Block
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import DAY, Limits, a_file, at, filled, happen, household, rows, steady

MORNING = at("2024-10-22T10:00+02:00")


def test_edges_that_come_in_meanwhile_rule_the_weeks_written_after_them(tmp_path: Path) -> None:
    """Protects whoever looks between two files: a week counted by edges that hold no more must not be seen."""
    with household(tmp_path) as journal:
        happen(journal, Limits("me", MORNING, 150))
        happen(journal, steady("me", MORNING, 900, 120))
        looks = 0
        after_first: list[dict[str, list[tuple[object, ...]]]] = []

        def going_on() -> bool:
            nonlocal looks
            looks += 1
            if looks == 2:  # the first rows of the past are written, its weeks are not
                with Journal(journal.path) as beside:
                    happen(beside, Limits("me", MORNING + 6 * DAY, 190))
                    happen(beside, steady("me", MORNING + 7 * DAY, 900, 120))
            return True

        with SqliteStore(tmp_path / "along.db") as store:
            follow(
                journal,
                store,
                going_on=going_on,
                cache=RowCache(),
                progress=lambda *_: after_first.append(rows(tmp_path / "along.db")),
            )
        assert after_first[0]["week"] == filled(journal, tmp_path / "anew.db")["week"]


class _Counting(SqliteStore):
    """A store that notes which rows of minutes it is given."""

    minutes = 0

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        def noted() -> Iterator[list[Block]]:
            for portion in portions:
                self.minutes += sum(len(block) for block in portion if block.table == "minute")
                yield portion

        super().write(noted(), position)


def test_a_file_that_comes_in_while_the_store_follows_is_counted_once(tmp_path: Path) -> None:
    """Protects the time of who adds many files: each was counted as the latest, and once more in its turn."""
    with household(tmp_path) as journal:
        happen(journal, steady("me", MORNING, 900, 120))
        looks = 0

        def going_on() -> bool:
            nonlocal looks
            looks += 1
            if looks == 2:
                with Journal(journal.path) as beside, beside.write() as w:
                    later = steady("me", MORNING + 3_600_000, 900, 120)
                    later.write(w, a_file(w, w.person("me")))
            return True

        with _Counting(tmp_path / "along.db") as store:
            follow(journal, store, going_on=going_on)
            assert store.minutes == 2 * 15
        assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew.db")


def test_while_a_store_is_filled_each_minute_is_counted_once(tmp_path: Path) -> None:
    """Protects the time of a rebuild: what was noted first of a person's edges had all years counted, and each once more in its turn."""
    with household(tmp_path) as journal:
        happen(journal, Limits("me", MORNING, 150))
        for month in range(4):
            happen(journal, steady("me", MORNING + month * 30 * DAY, 900, 120))
        with _Counting(tmp_path / "store.db") as store:
            follow(journal, store, portion=2)
            assert store.minutes == 4 * 15
        assert rows(tmp_path / "store.db") == filled(journal, tmp_path / "anew.db")
