"""What the watch of a person said by now: setup promises no limits that another source decides."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import HartslagError
from ingest.settings.file import check
from ingest.settings.model import FileSettings, Settings
from ingest.settings.writer import SettingsText

if TYPE_CHECKING:
    from ingest.journal import Entry


def draft_settings(draft: SettingsText, data: Path) -> Settings:
    """The draft, as far as it is needed before it is written."""
    found = check(draft.values)[0] or FileSettings()
    return Settings(data, None, found.person, found.strap, bluetooth=found.bluetooth)


def watch_limits(draft: SettingsText, who: int, data: Path) -> "list[Entry]":
    """The limits in the files that were taken for a person of the draft; none where that cannot be looked up."""
    from ingest.household import find_person, view_journal

    settings = draft_settings(draft, data)
    if not settings.journal_file.exists():
        return []
    try:
        with view_journal(settings) as journal:
            person = find_person(journal, draft.values["person"][who]["name"])
            return journal.facts(person.id, "limits") if person else []
    except (HartslagError, OSError):
        return []


def watch_maximum(limits: "list[Entry]") -> int | None:
    """The maximum that is set in the watch now."""
    return None if not limits else heart_now({}, limits)[1]


def heart_now(facts: dict[str, Any], limits: "list[Entry]") -> tuple[tuple[int, int] | None, int | None]:
    """Where moderate and vigorous begin now, and the maximum."""
    from ingest.rows.profile import build_profile

    now_ms = int(time.time() * 1000)
    profile = build_profile(facts, limits)
    edges = profile.timeline.edges_at(now_ms)
    return (edges.moderate_bpm, edges.vigorous_bpm) if edges else None, profile.heart_at(now_ms)[1]
