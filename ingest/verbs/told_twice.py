"""Files that hold the very same heart rates and both count: of one person some hours apart, or of two persons."""

import shlex
from collections.abc import Iterator

from ingest.journal import Filed, Journal
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.rows.profile import read_profile
from ingest.verbs.times import day_and_time, zone_at

LEAST_SAMPLES, LEAST_VARIED = 300, 10
"""So many heart rates one after the other, of so many different ones, are never the same twice."""

QUARTER_MS = 900_000
FARTHEST_MS = 14 * 3_600_000
"""Programs that take the local time for that of the world are off by quarters of an hour, and by no more than any zone is."""


def told_twice(journal: Journal) -> list[list[dict[str, str]]]:
    """Files that count and hold the same heart rates, those together that do: of each its name, whose it is and when it begins."""
    persons = {p.name: p.id for p in journal.persons()}
    found: list[list[Filed]] = []
    for alike in journal.files_alike(LEAST_SAMPLES):
        together: list[list[Filed]] = []
        near: list[list[Filed]] = []
        for file in sorted(alike, key=_first_ms):
            # All-day files are as long each day: what is too far back is not looked at again.
            near = [files for files in near if _first_ms(file) - _first_ms(files[-1]) <= FARTHEST_MS]
            can_be = (files for files in near if any(_can_be_same(f, file) for f in files))
            same = next((t for t in can_be if journal.holds_same_rates(t[0].id, file.id, LEAST_VARIED)), None)
            if same is not None:
                same.append(file)
            else:
                near.append([file])
                together.append(near[-1])
        counting = ([f for f in t if _counts(journal, persons[f.person], f)] for t in together if len(t) > 1)
        found += [t for t in counting if len(t) > 1]
    zones = {name: read_profile(journal, person).calendar for name, person in persons.items()}
    return [
        [
            {
                "file": f.name,
                "person": f.person,
                "begins": day_and_time(_first_ms(f), zone_at(zones[f.person], _first_ms(f))),
            }
            for f in files
        ]
        for files in found
    ]


def _first_ms(file: Filed) -> int:
    return file.first_ms or 0


def _can_be_same(one: Filed, other: Filed) -> bool:
    """Whether two files of as many samples, the earlier one first, can be of one workout."""
    apart_ms = _first_ms(other) - _first_ms(one)
    if one.person != other.person:
        return not apart_ms
    return 0 < apart_ms <= FARTHEST_MS and not apart_ms % QUARTER_MS


def _counts(journal: Journal, person: int, file: Filed) -> bool:
    """Whether a file counts, or a part of it."""
    left_out = journal.left_out(person)
    if file.id in left_out.files or file.first_ms is None or file.last_ms is None:
        return False
    names = {s.id: s.name for s in journal.sources(person)}
    _time, sources = journal.recorded_by_file(file.id)
    return any(left_out.trim(names.get(s, ""), file.first_ms, file.last_ms) for s in sources)


def told_twice_texts(found: list[list[dict[str, str]]]) -> Iterator[tuple[str, list[str]]]:
    """What `told_twice` gives, in words: what is twice, and the lines that mend it."""
    of_two = [files for files in found if len({f["person"] for f in files}) > 1]
    of_one = [files for files in found if files not in of_two]
    if of_one:
        yield (
            _(
                "These files hold the same heart rates some hours apart, as programs write them that take one time zone for"
                " another, and all of them count. Have those with a wrong time not count:"
            ),
            _lines(of_one),
        )
    if of_two:
        yield (
            _(
                "These files hold the same heart rates, and count for two persons. Have them not count for whom they are not:"
            ),
            _lines(of_two),
        )


def _lines(found: list[list[dict[str, str]]]) -> list[str]:
    """What has each file not count, by its bare name where that tells it from the others of its person."""
    lines = []
    for files in found:
        bare = {(f["person"], f["file"].rsplit("/", maxsplit=1)[-1]) for f in files}
        for f in files:
            name = f["file"].rsplit("/", maxsplit=1)[-1] if len(bare) == len(files) else f["file"]
            words = _("{file} of {person} begins on {time}: `hartslag forget {name} {whose}`")
            lines.append(
                words.format(
                    file=quoted(f["file"]),
                    person=f["person"],
                    time=f["begins"],
                    name=shlex.quote(name),
                    whose=shlex.quote(f["person"]),
                )
            )
    return lines
