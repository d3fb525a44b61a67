"""Why a person has no week to show though something came in: one sentence, and what to do."""

import shlex

from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.language import gettext as _
from ingest.language import ngettext


def nothing_reason(journal: Journal, person: Person) -> str:
    """Why nothing of a person is measured; "" where nothing came in."""
    files = journal.files_of(person.id)
    gone = journal.left_out(person.id).files
    name = person.name
    told = (told.person for boot in journal.unplaced_boots() for told in boot.told)
    if name in told or any(e.file is not None for e in journal.facts(person.id, "undated")):
        text = _(
            "{name}: what came in was recorded while a clock was not set. `hartslag clock` gives it a date."
        )
        return text.format(name=name)
    forgotten = _("{name}: all that came in is forgotten. `hartslag forget --list` shows it.").format(
        name=name
    )
    if _counts_but_for_forgotten_time(journal, person):
        return forgotten
    kept = [path for file, path, outcome in files if outcome in {"stored", "partial"} and file not in gone]
    if kept:
        command = shlex.join(["hartslag", "explain", kept[0].rsplit("/", 1)[-1], name])
        return ngettext(
            "{name}: {files} file is kept, and holds no heart rate that can count. `{command}` says more.",
            "{name}: {files} files are kept, and hold no heart rate that can count. `{command}` says more of the newest.",
            len(kept),
        ).format(files=len(kept), name=name, command=command)
    if any(file in gone for file, _path, _outcome in files):
        return forgotten
    if not files:
        return ""
    return _("{name}: no file that came in could be read. `hartslag status` says why.").format(name=name)


def _counts_but_for_forgotten_time(journal: Journal, person: Person) -> bool:
    """Whether anything of a person would be measured if no time were forgotten."""
    times = [f.position for f in journal.forgotten(person.id) if not f.files]
    if not times:
        return False
    with journal.supposing(undone=times):
        return bool(journal.chunk_spans(person.id, -ALWAYS_MS, ALWAYS_MS))
