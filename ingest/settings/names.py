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
        # a card without a label, as Windows and macOS call it
        "no name", "untitled",
    }
)  # fmt: skip
"""Folders of watches, phones, programs and exports: nobody is called so."""

_OF_EXPORTS = re.compile(r"export_\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(_\d+)?", re.IGNORECASE)
"""What Strava and Garmin call the zip of an account, and with it the folder in which it is unpacked."""


_LABEL = re.compile(r"[A-Z0-9][A-Z0-9 _-]{0,10}")
"""How a card or stick is called: its label has up to eleven characters, and no small letters (FAT)."""

_MONTHS = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
        "jan",
        "feb",
        "mar",
        "mrt",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "okt",
        "nov",
        "dec",
    ]
)
_NAMES_AS_WELL = frozenset({"april", "may", "mei", "june", "july", "juli", "august", "jan", "jun"})
"""Months that somebody may be called after: alone they are no date."""


def is_nobody(folder: str, inner: str = "") -> bool:
    """Whether a folder has a name that is nobody's: it is a device's, or a date; `inner` is the folder within it.

    A label of a card or stick is known by what it stands above: a folder of a device.
    """
    if is_of_device(folder) or _is_date(folder):
        return True
    return is_of_device(inner) and _LABEL.fullmatch(folder) is not None


def _is_date(folder: str) -> bool:
    """Whether a name is a year, a month or a day, however it is written: `2026`, `2026-11`, `11 November`, `November`."""
    words = re.findall(r"[^\W\d_]+", folder.casefold())
    if not all(word in _MONTHS for word in words) or not re.fullmatch(r"[\w\s.,-]+", folder):
        return False
    return re.search(r"\d\d", folder) is not None or any(
        len(w) > 4 and w not in _NAMES_AS_WELL for w in words
    )


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
    if wrong := _wrong_with_characters(name):
        return wrong
    if found := sorted(set(name) & set('/\\<>:"|?*')):
        return Text(N_("a name is also a folder and cannot contain {characters}"), characters=" ".join(found))
    if name[0] == "." or name != name.strip() or name[-1] == ".":
        return Text(
            N_("a name is also a folder and cannot begin with a dot, end with one, or stand between spaces")
        )
    if re.fullmatch(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", name, re.IGNORECASE):
        return Text(N_("Windows cannot have a folder of this name"))
    return None


def _wrong_with_characters(name: str) -> Text | None:
    if any("\udc80" <= ch <= "\udcff" for ch in name):
        meant = name.encode("utf-8", "surrogateescape").decode("latin-1")
        words = N_(
            "it is not written in UTF-8, as names of files are today; if {name} is meant, give it that name anew"
        )
        return Text(words, name=quoted(meant))
    if any(unicodedata.category(ch) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for ch in name):
        return Text(N_("a name has no invisible characters"))
    return None


def same_name(name: str) -> str:
    """What two spellings of one name have in common: a Mac's accents and a share's capitals make no new person."""
    return unicodedata.normalize("NFC", name).casefold()


def as_kept(name: str) -> str:
    """The name with its accents as the journal has them. Raises ValueError, in words, when it can be no name."""
    if wrong := wrong_with_name(name):
        raise ValueError(_("found {found}; {wrong}").format(found=quoted(name), wrong=said(wrong)))
    return unicodedata.normalize("NFC", name)
