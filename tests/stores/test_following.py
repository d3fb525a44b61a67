"""A store that follows the journal while more comes in."""

from pathlib import Path

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import DAY, Limits, at, filled, happen, household, rows, steady

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
