"""The journal mended by the daemon itself, at its start and while it runs: nobody looks at a Pi in a living room."""

import contextlib
import logging
import time

from ingest.daemon.inspection import Inspection
from ingest.errors import Stop, TryLater
from ingest.household import first_of_lost_settings, open_journal, places_of, register_person
from ingest.journal import Journal
from ingest.journal.damage import DamagedJournal, note_file
from ingest.journal.known import note_gone_since_known
from ingest.journal.losses import Loss
from ingest.journal.mended import Mended, Places
from ingest.journal.mending import mend, mended_today, note_unknown_files, trouble
from ingest.language import N_
from ingest.log import quoted
from ingest.settings.model import Settings
from ingest.system.watchdog import WatchedPart

LOOK_S = 5.0
"""Between two looks for a note that something was found damaged."""

KNOWN_S = 3600.0
"""Between two notes of how the journal is: so much less is known of one that an older copy took the place of."""

MOST_A_DAY = 3
"""After which repairing does not help, and would fill the card."""

_log = logging.getLogger(__name__)


def open_at_start(settings: Settings) -> list[str]:
    """Have a journal that can be used, before anything else; gives its spelling of the name of each strap's person.

    It is made, mended or brought up to date if need be. Raises TryLater, Stop.
    """
    try:
        return _open(settings)
    except DamagedJournal as e:
        # What decides whether it must be mended is a part of what is read to open it.
        _mend(settings, str(e.__cause__ or e))
        return _open(settings)


def _open(settings: Settings) -> list[str]:
    places = places_of(settings)
    why = trouble(places)
    if why is not None:
        _mend(settings, why)
    with open_journal(settings, create=True) as journal:
        _say_gone(note_gone_since_known(places, journal))
        if first := first_of_lost_settings(journal, settings):
            _log.warning(
                "Nobody is named in the settings any more: no strap is listened to, and files in the inbox itself are %s's.",
                quoted(first.name),
            )
        return [register_person(journal, settings, strap.person) for strap in settings.straps]


def have_unknown_read(places: Places, journal: Journal) -> None:
    """Have files of the archive be read that the journal does not know, as one that was just opened may be older, or new."""
    if unknown := note_unknown_files(places, journal.all_destinations()):
        _log.warning(
            "The journal is older than the archive, or was begun anew: %s files of that are read once more.",
            len(unknown),
        )


def keep_mended(settings: Settings, part: WatchedPart) -> None:
    """Mend the journal when somebody has found something in it that cannot be read; all others find the new one.

    What nobody asks for is looked over here.
    """
    places, inspection, known_s = places_of(settings), Inspection(settings), time.monotonic()
    while part.going_on():
        if inspection.is_due():
            inspection.look(part.wait, part.going_on)
        if time.monotonic() > known_s + KNOWN_S:
            known_s = time.monotonic()
            _note_known(settings, part)
        if note_file(places.journal).exists():
            if mended_today(places, time.time_ns() // 1_000_000) >= MOST_A_DAY:
                part.trouble(
                    N_(
                        "The journal is damaged again and again: the card or disk is dying. Put in another one, and run:"
                        " hartslag repair"
                    )
                )
            else:
                _mend(settings, "some of it could not be read", part)
                _note_known(settings, part)
        part.wait(LOOK_S)
    _note_known(settings, part)


def _note_known(settings: Settings, part: WatchedPart) -> None:
    """Write down apart from the journal how it is now, and say what is gone since that was done last."""
    with (
        contextlib.suppress(TryLater, Stop),
        Journal(settings.journal_file, create=False, readonly=True, going_on=part.going_on) as journal,
    ):
        _say_gone(note_gone_since_known(places_of(settings), journal))


def _say_gone(new: list[Loss]) -> None:
    for loss in new:
        if loss.forgotten:
            _log.warning(
                "%s of %s counts again: what said otherwise is lost.",
                quoted(loss.forgotten),
                quoted(loss.damage.person),
            )
        else:
            _log.warning("Gone for good: %s", loss.damage.sentence)


def _mend(settings: Settings, why: str, part: WatchedPart | None = None) -> None:
    _log.warning("The journal is damaged (%s): a new one is made of all that can be read.", why)
    mended = mend(places_of(settings), why, mark=part.mark if part is not None else lambda: None)
    for sentence in sentences(mended):
        _log.warning("%s", sentence)


def sentences(mended: Mended) -> list[str]:
    """What was found, for the log."""
    told = [f"The journal is repaired: {mended.entries} entries and {mended.chunks} chunks of it are there."]
    if mended.kept:
        told.append(f"The damaged one is kept as {mended.kept}.")
    if mended.files:
        told.append(f"{len(mended.files)} files are read again from the archive.")
    return [*told, *(f"Gone for good: {damage.sentence}" for damage in mended.lost[:20])]
