"""What is damaged in the journal, in words for its owner."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.language import gettext as _
from ingest.language import ngettext

if TYPE_CHECKING:
    from ingest.journal.damage import Damage


_MANY = 5


def damage_text(damage: "Damage") -> str:
    """Whose it was, by what it was measured, and when."""
    person = damage.person or _("somebody")
    whose = _("{person}, {source}").format(person=person, source=damage.source) if damage.source else person
    first, last = _moment(damage.first_ms), _moment(damage.last_ms)
    if first is None:
        return _("{whose}, nobody knows when").format(whose=whose)
    if last is None or last == first:
        return _("{whose}, {first}").format(whose=whose, first=first)
    return _("{whose}, {first} to {last}").format(whose=whose, first=first, last=last)


def damaged_line(damage: "Damage") -> str:
    """A line below numbers in which it is missing."""
    return _("{what}: damaged in the journal and not counted; run `hartslag repair`.").format(
        what=damage_text(damage)
    )


def damage_remarks(d: dict[str, Any]) -> Iterator[tuple[bool, str, list[str]]]:
    """What `status` says of damages: whether it needs a hand, a sentence, and lines that say more."""
    from ingest.journal.damage import Damage
    from ingest.verbs.loss_words import found_day

    if d["is_damaged"]:
        told = _(
            "Something in the journal is damaged. The daemon repairs it by itself; where none runs: `hartslag repair`"
        )
        yield True, told, [damage_text(Damage(**found)) for found in d["found"][:_MANY]]
    said: list[dict[str, Any]] = []
    if (last := d["repaired"]) is not None:
        # What a store knew is found once it follows the new journal.
        since = [x["gone"] for x in d["lost"] if x["found_ms"] >= last["at_ms"] and not x["counts_again"]]
        said = last["lost"] + [gone for gone in since if gone not in last["lost"]]
        lost = [damage_text(Damage(**gone)) for gone in said]
        told = (
            _("The journal was repaired on {day}. Gone for good:")
            if lost
            else _("The journal was repaired on {day}. Nothing was lost.")
        )
        more = _some(lost)
        if last["kept"]:
            more.append(_("The damaged one is kept as {name}.").format(name=last["kept"]))
        yield False, told.format(day=found_day(last["at_ms"])), more
    yield from _loss_remarks(d["lost"], said)
    if count := d["to_read_again"]:
        told = ngettext(
            "{count} file is still to be read again from the archive; the daemon does that.",
            "{count} files are still to be read again from the archive; the daemon does that.",
            count,
        )
        yield False, told.format(count=count), []


def _loss_remarks(
    lost: list[dict[str, Any]], said: list[dict[str, Any]]
) -> Iterator[tuple[bool, str, list[str]]]:
    """What was found to be lost at other times than when the journal was last repaired, and what counts again."""
    from ingest.verbs.loss_words import found_day, loss_text

    by_day: dict[str, list[str]] = {}
    for loss in lost:
        if loss["counts_again"]:
            yield True, loss_text(loss), []
        elif loss["gone"] not in said:
            by_day.setdefault(found_day(loss["found_ms"]), []).append(loss_text(loss))
    for day, lines in by_day.items():
        yield False, _("Found on {day} to be gone for good:").format(day=day), _some(lines)


def _some(lines: list[str]) -> list[str]:
    """The first of them, and how many more there are."""
    if len(lines) <= _MANY:
        return lines
    return [*lines[:_MANY], _("... and {count} more.").format(count=len(lines) - _MANY)]


def _moment(ms: int | None) -> str | None:
    """A moment as the clock on the wall shows it; None for none that a calendar can name."""
    if ms is None:
        return None
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return None
