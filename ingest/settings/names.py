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


_OF_SYSTEMS = frozenset(
    {
        "__macosx", "system volume information", "lost+found", "$recycle.bin", "recycler", "recycled", "found.000", "lost.dir",
        "@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "@recently-snapshot", "@sharebin", "@__thumb", "network trash folder",
        "temporary items", "trash", "~snapshot",
    }
)  # fmt: skip
"""Folders that systems, disks and shares make for themselves: side files, what was deleted, what was found after a fault.

Those whose names begin with a dot (.Trash-1000, .Spotlight-V100, .fseventsd, .stfolder, .sync) are passed over in any case.
"""

_OF_DEVICES = frozenset(
    {
        # a watch's memory: of Garmin, COROS, Wahoo, Hammerhead, Bryton
        "garmin", "activity", "activities", "monitor", "sleep", "metrics", "hrvstatus", "skintemp", "primary", "newfiles",
        "records", "settings", "summary", "totals", "sports", "workouts", "courses", "segments", "locations", "location",
        "weight", "goals", "schedule", "wellness", "debug", "apps", "coros", "elemnt", "fitfiles", "bryton", "exports", "export",
        # exports of accounts, and programs that leave files behind
        "di_connect", "di-connect-uploaded-files", "di-connect-fitness", "di-connect-wellness", "uploadedfiles", "strava",
        "zwift", "healthfit", "rungap", "gadgetbridge", "fit", "fit files", "media",
        # a phone or a computer
        "download", "downloads", "dcim", "documents", "documenten", "android", "pictures", "music", "movies", "alarms",
        "ringtones", "podcasts", "notifications", "internal storage", "interne opslag", "new folder", "nieuwe map",
    }
)  # fmt: skip
"""Folders of watches, phones, programs and exports: nobody is called so."""

_OF_EXPORTS = re.compile(r"export_\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_\d+)?", re.IGNORECASE)
"""What Strava and Garmin call the zip of an account, and with it the folder in which it is unpacked."""


def made_by_system(folder: str) -> bool:
    """Whether a folder of that name holds what a system made for itself, and nothing that somebody put there."""
    return folder.casefold() in _OF_SYSTEMS


def is_of_device(folder: str) -> bool:
    """Whether a folder has the name that watches, phones and exports give to theirs: it is nobody's name."""
    return folder.casefold() in _OF_DEVICES or _OF_EXPORTS.fullmatch(folder) is not None


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
