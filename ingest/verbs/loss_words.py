"""What is gone for good, or counts again though its owner said that it does not: for `status`, `check` and `repair`."""

import shlex
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ingest.language import day_text
from ingest.language import gettext as _

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.journal.losses import Loss
    from ingest.journal.mended import Places
    from ingest.verbs.clock_files import PlacedFile


def recent_losses(places: "Places", journal: "Journal") -> list[dict[str, Any]]:
    """What was lost lately as plain values, also what nobody has written down yet; what is put right by now is left out."""
    from ingest.journal.losses import RECENT_MS, read_losses

    since_ms = time.time_ns() // 1_000_000 - RECENT_MS
    found = [loss for loss in read_losses(places.journal) if loss.found_ms >= since_ms]
    known = {(loss.damage, loss.forgotten) for loss in found}
    found += [loss for loss in _unwritten(places, journal) if (loss.damage, loss.forgotten) not in known]
    if not found:
        return []
    left_out = {(person.name, f.name) for person in journal.persons() for f in journal.forgotten(person.id)}
    return [
        loss_json(journal, loss)
        for loss in found
        if not loss.forgotten or (loss.damage.person, loss.forgotten) not in left_out
    ]


def _unwritten(places: "Places", journal: "Journal") -> "list[Loss]":
    from ingest.journal.known import gone_since_known

    return gone_since_known(places, journal)


def loss_json(journal: "Journal", loss: "Loss") -> dict[str, Any]:
    """A loss as plain values, and the line by which it is put right, where there is one."""
    placed = _placed(journal, loss)
    line = _forget_line(journal, loss) if loss.forgotten else None
    if placed is not None:
        line = f"hartslag clock {shlex.quote(placed.short)} --undo"
    return {
        "found_ms": loss.found_ms,
        "gone": asdict(loss.damage),
        "counts_again": (_name(loss) if placed is None else placed.short) or None,
        "said_ms": loss.said_ms or None,
        "line": line,
    }


def _placed(journal: "Journal", loss: "Loss") -> "PlacedFile | None":
    """The file whose date counts again that was taken back, where that is what was lost."""
    from ingest.verbs.clock_files import placed_files

    if not loss.forgotten or loss.damage.first_ms is not None:
        return None
    return next((f for f in placed_files(journal) if f.copy_name == _name(loss)), None)


def _forget_line(journal: "Journal", loss: "Loss") -> str:
    d = loss.damage
    if d.first_ms is None or d.last_ms is None:
        words = [_name(loss), d.person]
    else:
        words = [*_span(journal, d.person, d.first_ms, d.last_ms), d.person]
        words += ["--source", d.source] if d.source else []
    return " ".join(["hartslag forget", *map(shlex.quote, words)])


def _name(loss: "Loss") -> str:
    """A file without the place where it lay; a time as its owner said it."""
    return loss.forgotten.rpartition("/")[2] if loss.damage.first_ms is None else loss.forgotten


def _span(journal: "Journal", name: str, from_ms: int, to_ms: int) -> list[str]:
    """The time as `forget` takes it, on the clock of the person."""
    from ingest.rows.profile import build_profile, read_profile
    from ingest.verbs.times import time_of_day, zone_at

    person = journal.person(name)
    # Who is only in a journal once it is repaired has no time zone before.
    calendar = (read_profile(journal, person.id) if person else build_profile({}, [])).calendar
    begin, end = (
        [calendar.day_of(at).isoformat(), time_of_day(at, zone_at(calendar, at))] for at in (from_ms, to_ms)
    )
    return [*begin, "-", *end]


def loss_text(loss: dict[str, Any]) -> str:
    """In a sentence, or a line of a list."""
    from ingest.journal.damage import Damage
    from ingest.verbs.damage_words import damage_text

    if not loss["counts_again"]:
        return damage_text(Damage(**loss["gone"]))
    text = _(
        "On {day} you said that {what} of {person} does not count. That is lost, and it counts again: `{line}`"
    )
    return text.format(
        day=found_day(loss["said_ms"]),
        what=loss["counts_again"],
        person=loss["gone"]["person"],
        line=loss["line"],
    )


def found_day(ms: int) -> str:
    """The day of a moment on the clock of this machine."""
    from datetime import UTC, datetime

    return day_text(datetime.fromtimestamp(ms / 1000, UTC).astimezone().date())
