"""A person under another name, and two who are one: said by entries of the journal, which the stores follow by themselves.

The number of a person never changes, nor who a row is of. A name is a label; who is the same is an entry, taken back by another.
"""

from ingest.journal import Journal, Person
from ingest.journal.merged import HIDDEN


def rename(journal: Journal, person: Person, name: str) -> None:
    """Give a person another name, under which all stores hold their rows once they have followed."""
    with journal.write() as w:
        w.rename(person.id, name)


def merge(journal: Journal, person: Person, into: Person) -> None:
    """Have all that is and will be known of one person count as another's."""
    same = {person.id, into.id}
    same |= {one for one, other in journal.merges().items() if other in same}
    with journal.write() as w:
        content = {"person": person.id, "into": into.id, "name": person.name}
        copies = w.replace_copies(sorted(same))
        w.entry(into.id, "merge", w.now_ms, None, {**content, "copies": copies})
        w.rename(person.id, f"{person.name}{HIDDEN}{person.id}")


def merged_into(journal: Journal, into: Person) -> list[Person]:
    """Those who count as a person, under the names that they had; who came last comes last."""
    names: dict[int, str] = {}
    for e in journal.facts(into.id, "merge"):
        names[e.content["person"]] = e.content["name"]
    return [
        Person(one, names[one])
        for one, other in journal.merges().items()
        if other == into.id and one in names
    ]


def part(journal: Journal, person: Person, of: Person) -> None:
    """Take back that a person (by the number and the name they had) is another."""
    merges = [e for e in journal.facts(of.id, "merge") if e.content["person"] == person.id]
    with journal.write() as w:
        w.restore_copies(merges[-1].content["copies"])
        w.entry(of.id, "unmerge", w.now_ms, None, {"person": person.id})
        w.tell_persons(of.id)
        w.rename(person.id, person.name)
