"""The table `claim`: what a watch itself says of a span of time, stamped with the start of it."""

from ingest.journal import Journal, Person
from ingest.rows.table import TABLES, Block


def claim_block(journal: Journal, person: Person, start_ms: int, end_ms: int) -> Block:
    """The claims about spans that begin in [start, end); of two of one source and start the later one is the row."""
    rows = {
        (e.content["source"], e.at_ms): {name: e.content.get(name) for name in TABLES["claim"].fields}
        for e in journal.facts(person.id, "claim", start_ms, end_ms)
    }
    in_order = [(source, at, fields) for (source, at), fields in rows.items()]
    return Block.by_source("claim", {"person": person.name}, start_ms, end_ms, in_order)
