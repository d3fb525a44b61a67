"""Export: every sample once, in order of time, in a format that anything can read."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import ALWAYS_MS
from ingest.rows.calendar import Calendar
from ingest.verbs.samples_csv import HEADER, export_lines
from ingest.verbs.times import local_ms, parse_moment
from tests.support.happenings import new_folder, recordings
from tests.support.households import DAY, Event, Noted, Recording, S, at, hartslag, household, steady

START = at("2026-11-16T00:00+01:00")
HOME = Noted("Jan", (("zone", "Europe/Amsterdam"),))


@settings(max_examples=40)
@given(st.lists(recordings() | recordings("Piet"), max_size=5), st.data())
def test_every_sample_of_every_source_once_in_order(recorded: list[Recording], data: st.DataObject) -> None:
    """Protects the way out: nothing is resolved, averaged, doubled or left away, and --from and --to cut exactly."""
    wanted = {(t, r.person, r.source, r.kind, bpm) for r in recorded for t, bpm in r.samples}
    times = sorted({row[0] for row in wanted}) or [0]
    borders = st.sampled_from([-ALWAYS_MS, *times, times[-1] + 1, ALWAYS_MS])
    start, end = data.draw(borders), data.draw(borders)
    with new_folder() as folder, household(folder, recorded) as journal:
        header, *rows = list(export_lines(journal, [(p, start, end) for p in journal.persons()]))
    assert header == HEADER == "time,person,source,kind,bpm"
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,", row) for row in rows)
    read = [
        (round(datetime.fromisoformat(t).timestamp() * 1000), person, source, kind, int(bpm))
        for t, person, source, kind, bpm in csv.reader(rows)
    ]
    assert [row[0] for row in read] == sorted(row[0] for row in read)
    assert sorted(read) == sorted(row for row in wanted if start <= row[0] < end)


def test_names_that_need_quotes_get_them(tmp_path: Path) -> None:
    """Protects columns from a source called by its owner."""
    odd = steady("Jan, de oude", START, 1, 60, source='a "b"')
    with household(tmp_path, [odd]) as journal:
        _, row = export_lines(journal, [(p, -ALWAYS_MS, ALWAYS_MS) for p in journal.persons()])
    assert row == '2026-11-15T23:00:00.000Z,"Jan, de oude","a ""b""",activity,60'


def test_it_is_given_piece_by_piece(tmp_path: Path) -> None:
    """Protects the memory of a Pi: the first line of a long history comes before the last is read."""
    with household(tmp_path, [steady("Jan", START + i * DAY, 60, 60) for i in range(3)]) as journal:
        rows = export_lines(journal, [(p, -ALWAYS_MS, ALWAYS_MS) for p in journal.persons()])
        assert isinstance(rows, Iterator)
        assert [next(rows) for _ in range(2)][1].startswith("2026-11-15T23:00:00.000Z,")
        with journal.write() as w:
            later = steady("Jan", START + 2 * DAY + 120 * S, 1, 99)
            later.write(w)
        assert any(row.endswith(",99") for row in rows), "what is not yet reached has not yet been read"


def milliseconds(text: str) -> int:
    return local_ms(parse_moment(text), Calendar("Europe/Amsterdam"))


def test_a_moment_is_local_unless_it_says_otherwise() -> None:
    """Protects --from and --to, also on the day on which the clock changes."""
    assert milliseconds("2026-11-16") == START
    assert milliseconds("2026-07-01T12:00") == at("2026-07-01T10:00+00:00")
    assert milliseconds("2026-11-16T10:00Z") == at("2026-11-16T10:00+00:00")
    midnight = datetime(2026, 10, 25, tzinfo=UTC) - timedelta(hours=2)
    assert milliseconds("2026-10-25") == round(midnight.timestamp() * 1000)


def test_the_verb_knows_person_from_and_to(tmp_path: Path) -> None:
    """Protects the interface that spreadsheets use."""
    happened: list[Event] = [
        HOME,
        *(steady(p, START + i * DAY, 2, 60 + i) for i in range(3) for p in ("Jan", "Piet")),
    ]
    with household(tmp_path, happened):
        pass
    ever = ["--from", "0001-01-01", "--to", "9999-12-31"]
    whole = hartslag("--data", tmp_path, "export", "--csv", *ever)
    assert (whole.code, len(whole.lines), whole.lines[0]) == (0, 13, HEADER)
    assert len(hartslag("--data", tmp_path, "export", "--person", "piet").lines) == 7
    words = ["export", "--csv", "--person", "Jan", "--from", "2026-11-17", "--to", "2026-11-18"]
    assert hartslag("--data", tmp_path, *words).lines == [
        HEADER,
        "2026-11-16T23:00:00.000Z,Jan,watch,activity,61",
        "2026-11-16T23:00:01.000Z,Jan,watch,activity,61",
    ]


def test_who_names_a_file_is_told_how_it_is_made(tmp_path: Path) -> None:
    """Protects who gives it a file as other programs want one, and who mistypes a day in a Dutch home."""
    with household(tmp_path, [HOME]):
        pass
    (tmp_path / "hartslag.toml").write_text('language = "nl"\n[[person]]\nname = "Jan"\n')
    assert "> day.csv" in hartslag("--data", tmp_path, "export", "day.csv").err
    assert "geen datum" in hartslag("--data", tmp_path, "export", "--from", "gisteren").err


def test_a_day_is_that_of_each_person_where_they_were_then(tmp_path: Path) -> None:
    """Protects travellers and families far apart: --from and --to cut at everybody's own midnights, as `explain` does."""
    tokyo = [{"from": "2026-10-01", "to": "2026-10-20", "zone": "Asia/Tokyo"}]
    night = at("2026-10-11T05:00+09:00")  # 10 October 22:00 in Amsterdam
    happened: list[Event] = [
        Noted("Jan", (("zone", "Europe/Amsterdam"), ("travel", tokyo))),
        Noted("Piet", (("zone", "Europe/Amsterdam"),)),
        *(steady(person, night, 2, 60) for person in ("Jan", "Piet")),
    ]
    with household(tmp_path, happened):
        pass
    for day, next_day, person in (("10", "11", "Piet"), ("11", "12", "Jan")):
        words = ["export", "--from", f"2026-10-{day}", "--to", f"2026-10-{next_day}"]
        assert [row.split(",")[1] for row in hartslag("--data", tmp_path, *words).lines[1:]] == [person] * 2
    hour = ["export", "--from", "2026-10-11T05:00", "--to", "2026-10-11T05:00:01"]
    assert hartslag("--data", tmp_path, *hour).lines[1:] == ["2026-10-10T20:00:00.000Z,Jan,watch,activity,60"]


def test_names_are_utf_8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    """Protects a spreadsheet from "?" in a name: whoever reads a file expects what `--json` gives, too."""
    with household(tmp_path, [steady("Zoë", START, 1, 60)]):
        pass
    for locale in ("en_US.ISO-8859-1", "C"):
        env = {"LC_ALL": locale, "PYTHONIOENCODING": "latin-1"}
        assert ",Zoë," in hartslag("--data", tmp_path, "export", env=env).out
