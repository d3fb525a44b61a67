"""Histories under names that the settings do not have, and what is forgotten: for `check` and `status`."""

import shlex
from typing import TYPE_CHECKING

from ingest.language import gettext as _
from ingest.language import ngettext

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings


def left_behind_texts(settings: "Settings", journal: "Journal") -> list[tuple[str, str]]:
    """For each history whose person the settings do not name: that there is one, and the line that mends it."""
    from ingest.household import first_of_lost_settings, left_behind
    from ingest.mistakes.broken_off import is_begun

    told = []
    if is_begun(settings):
        told.append(
            (_("Deleting a person was broken off"), _("The same `hartslag delete` again completes it"))
        )
    if first := first_of_lost_settings(journal, settings):
        seen, do = (
            _("Nobody is named in the settings any more, which once told of {name}"),
            _(
                "Put the settings file back, a backup holds a copy; or answer `hartslag setup`. Until then no strap is"
                " listened to, and files in the inbox itself are {name}'s"
            ),
        )
        told.append((seen.format(name=first.name), do.format(name=first.name)))
    seen, do = (
        _("There is a history of {name}, whom the settings do not name"),
        _("If that is {other} by now: `hartslag rename {names}`"),
    )
    return told + [
        (seen.format(name=name), do.format(other=other, names=shlex.join([name, other])))
        for name, other in left_behind(settings, journal)
    ]


def forgotten_text(number: int) -> str:
    """That some things do not count."""
    text = ngettext(
        "{n} thing is forgotten and does not count: `hartslag forget --list`",
        "{n} things are forgotten and do not count: `hartslag forget --list`",
        number,
    )
    return text.format(n=number)
