"""The table `collector`: what became of each file, and each word of how a strap is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal, Person
from ingest.rows.table import TABLES, Block

LONGEST_TEXT = 200
"""Characters of a name or a reason in a row: on a server each text may be a label, and labels have a limit."""

_CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def collector_blocks(journal: Journal, person: Person, entries: Sequence[Entry]) -> Iterator[Block]:
    """A row for each file that came in, and for each state that was reported of a strap.

    Two within one millisecond are told apart by their positions. Where states were dated anew, those that are there now
    take the place of all that were there.
    """
    # Asked of the table of files: entries of a daemon of any version are told about.
    reasons = journal.file_reasons([e.file for e in entries if e.what == "file" and e.file is not None])
    for e in entries:
        if e.what == "file":
            at_us = _time_us(e.recorded_ms, e)
            row = _file_row(e, reasons.get(e.file, "") if e.file is not None else "")
            yield _state_block(person, "inbox", {at_us: row}, at_us, at_us + 1)
        elif e.what == "collector":
            at_us = _time_us(e.at_ms, e)
            yield _state_block(person, e.content["source"], {at_us: _state_row(e)}, at_us, at_us + 1)
        elif e.what == "redated":
            source, end_ms = e.content["source"], e.content["last_ms"] + 1
            # Day by day: a boot may last for months.
            for a in range(e.content["first_ms"], end_ms, DAY_MS):
                b = min(a + DAY_MS, end_ms)
                rows = {
                    _time_us(state.at_ms, state): _state_row(state)
                    for state in journal.facts(person.id, "collector", a, b)
                    if state.content["source"] == source
                }
                yield _state_block(person, source, rows, a * 1000, b * 1000)


def all_collector_blocks(
    journal: Journal, person: Person, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
) -> Iterator[Block]:
    """The rows of all that was reported of a person's files and straps in [start, end), in the place of whatever was there."""
    by_source: dict[str, dict[int, Mapping[str, Any]]] = {"inbox": {}}
    files = [e for e in journal.file_entries(person.id) if start_ms <= e.recorded_ms < end_ms]
    reasons = journal.file_reasons([e.file for e in files if e.file is not None])
    for e in files:
        row = _file_row(e, reasons.get(e.file, "") if e.file is not None else "")
        by_source["inbox"][_time_us(e.recorded_ms, e)] = row
    for e in journal.facts(person.id, "collector", start_ms, end_ms):
        by_source.setdefault(e.content["source"], {})[_time_us(e.at_ms, e)] = _state_row(e)
    for source, rows in by_source.items():
        yield _state_block(person, source, rows, start_ms * 1000, end_ms * 1000)


def _time_us(at_ms: int, e: Entry) -> int:
    return at_ms * 1000 + e.position % 1000


def _state_row(e: Entry) -> dict[str, Any]:
    """What was reported of a strap."""
    return {**e.content, "position": e.position}


def _file_row(e: Entry, reason: str) -> dict[str, Any]:
    """What became of a file. Of a long name the end is kept, of a long reason the beginning."""
    name, reason = (_CONTROLS.sub(" ", text).strip() for text in (e.content.get("name", ""), reason))
    if len(name) > LONGEST_TEXT:
        name = "..." + name[3 - LONGEST_TEXT :]
    if len(reason) > LONGEST_TEXT:
        reason = reason[: LONGEST_TEXT - 3].rstrip() + "..."
    return {
        **e.content,
        "state": e.content["outcome"],
        "file": name or None,
        "reason": reason or None,
        "position": e.position,
    }


def _state_block(
    person: Person, source: str, rows: Mapping[int, Mapping[str, Any]], start_us: int, end_us: int
) -> Block:
    """What was reported of a source, by the times of its rows (us)."""
    times_us = sorted(rows)
    fields = {name: [rows[at].get(name) for at in times_us] for name in TABLES["collector"].fields}
    tags = {"person": person.name, "source": source}
    return Block("collector", tags, start_us, end_us, np.array(times_us, np.int64), fields)
