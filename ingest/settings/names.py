"""Names of persons: which can be one, and which are the same."""

import re
import unicodedata

from ingest.language import N_, Text, said
from ingest.language import gettext as _
from ingest.log import quoted

NOBODY = "me"
"""Who the heart belongs to as long as nobody has been named."""


_WATCH_FOLDER = re.compile(r"watch-([1-9][0-9]{0,9}|unknown)")


def folder_of_watch(serial: str) -> str:
    """The folder in the inbox for what a watch brings; its serial number may be unknown, ''."""
    return f"watch-{serial or 'unknown'}"


def watch_of_folder(folder: str) -> str | None:
    """The serial number of the watch whose folder in the inbox this is, '' for one without; None for any other folder."""
    found = _WATCH_FOLDER.fullmatch(folder)
    return found and found[1].replace("unknown", "")


def wrong_with_name(name: str) -> Text | None:
    """Why `name` cannot be a person's name, and with it a folder on any computer in the house; None if it can."""
    if not 1 <= len(name) <= 40:
        return Text(N_("a name has 1 to 40 characters"))
    if any(unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for ch in name):
        return Text(N_("a name has no invisible characters"))
    if found := sorted(set(name) & set('/\\<>:"|?*')):
        return Text(N_("a name is also a folder and cannot contain {characters}"), characters=" ".join(found))
    if name[0] == "." or name != name.strip() or name[-1] == ".":
        return Text(
            N_("a name is also a folder and cannot begin with a dot, end with one, or stand between spaces")
        )
    if re.fullmatch(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", name, re.IGNORECASE):
        return Text(N_("Windows cannot have a folder of this name"))
    return None


def same_name(name: str) -> str:
    """What two spellings of one name have in common: a Mac's accents and a share's capitals make no new person."""
    return unicodedata.normalize("NFC", name).casefold()


def as_kept(name: str) -> str:
    """The name with its accents as the journal has them. Raises ValueError, in words, when it can be no name."""
    if wrong := wrong_with_name(name):
        raise ValueError(_("found {found}; {wrong}").format(found=quoted(name), wrong=said(wrong)))
    return unicodedata.normalize("NFC", name)
