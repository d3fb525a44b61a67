"""What is damaged in the journal, in words for its owner."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.language import gettext as _

if TYPE_CHECKING:
    from ingest.journal.damage import Damage


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


def _moment(ms: int | None) -> str | None:
    """A moment as the clock on the wall shows it; None for none that a calendar can name."""
    if ms is None:
        return None
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return None
