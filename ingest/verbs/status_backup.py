"""How the copies are that the daemon keeps, in words."""

from collections.abc import Iterator
from typing import Any

from ingest.backup.trouble import AWAY
from ingest.language import gettext as _
from ingest.language import ngettext, said
from ingest.verbs.times import age_text, day_and_time

_MANY = 5


def needs_hand(b: dict[str, Any]) -> bool:
    """Whether a person must do something: a stick may be out for a day."""
    waits = b["trouble"] in {None, AWAY} and not b["is_old"]
    is_new = b["newest_ms"] is None and b["trouble"] is None
    return not (waits or is_new) or bool(b["damaged_blocks"] or b["unread_files"])


def backup_lines(b: dict[str, Any]) -> Iterator[str]:
    """How old the newest copy is and where, and what there is to say of it beside."""
    if b["newest_ms"] is None:
        yield _("Copies in {folder}: none yet").format(folder=b["folder"])
    else:
        text = ngettext(
            "Copies in {folder}: the only one is {age} old",
            "Copies in {folder}: the newest is {age} old; {n} in all, the oldest of {oldest}",
            b["copies"],
        )
        yield text.format(
            folder=b["folder"],
            age=age_text(b["age_s"]),
            n=b["copies"],
            oldest=day_and_time(b["oldest_ms"]),
        )
    if b["last_error"] is not None:
        yield said(b["last_error"])
    if b["damaged_blocks"]:
        yield _(
            "That disk gave back something else than was written to it: it may be failing. Take another one."
        )
    if b["unread_files"]:
        files = ", ".join(b["unread_files"][:_MANY])
        yield _("Not in the copies, as the daemon may not read them: {files}").format(files=files)
    if b["same_disk"]:
        yield _("They lie on the disk of the data, and die with it unless that folder is synchronised.")
    if b["other_journals"]:
        yield _(
            "Copies of another journal lie there, too: `hartslag restore --list {folder}` shows them."
        ).format(folder=b["folder"])
