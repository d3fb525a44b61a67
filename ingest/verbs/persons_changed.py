"""What `rename`, `merge` and `delete` have in common: no daemon beside them, and the settings that name a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import Stop
from ingest.language import N_, Text
from ingest.settings.names import same_name
from ingest.verbs.command import Invocation

if TYPE_CHECKING:
    from ingest.settings.own_file import OwnFile
    from ingest.settings.writer import SettingsText

_NAMED_BELOW = ("strap", "watch")
"""Headings below which a person is named."""


@contextmanager
def without_daemon(data: Path) -> Iterator[None]:
    """Be the one who works in the data folder. Raises Stop while the daemon does: it would go on under the old names."""
    from ingest.system.lock import holder, only_daemon

    if (process := holder(data)) is not None:
        words = N_(
            "The daemon (process {process}) works with the names of now. Stop it (sudo systemctl stop hartslag, or"
            " Ctrl-C where it runs), do this again, and start it anew."
        )
        raise Stop(Text(words, process=process))
    with only_daemon(data):
        yield


class SettingsChange:
    """The settings file, and what changes in it as a person has another name or is gone."""

    def __init__(self, invocation: Invocation, *words: str) -> None:
        """Raises Stop for who may not write it, with what to do."""
        from ingest.verbs.setup import open_own_file

        self.own: OwnFile = open_own_file(invocation, *words)
        self.draft: SettingsText | None = None if self.own.content is None else self.own.draft("")

    def rename(self, old: str, new: str) -> None:
        """Write another name for a person. Where both are there the old one goes."""
        if self.draft is None:
            return
        self._replace(old, new, same_name(old) != same_name(new) and self._find(new) is not None)

    def remove(self, name: str) -> None:
        """Take a person out, with the straps and watches that are theirs."""
        if self.draft is None:
            return
        for heading in _NAMED_BELOW:
            whose = [same_name(str(v.get("person"))) for v in self.draft.values.get(heading, [])]
            self._remove(heading, [i for i, one in enumerate(whose) if one == same_name(name)])
        if (at := self._find(name)) is not None:
            self._remove("person", [at])

    def _remove(self, heading: str, numbers: list[int]) -> None:
        """Take some of the blocks below a heading out; with the last one the heading goes, too."""
        assert self.draft is not None
        if numbers and len(numbers) == len(self.draft.values[heading]):
            self.draft.remove((heading,))
            return
        for i in reversed(numbers):
            self.draft.remove((heading, i))

    def _replace(self, old: str, new: str, are_two: bool) -> None:
        assert self.draft is not None
        for heading in _NAMED_BELOW:
            for i, values in enumerate(self.draft.values.get(heading, [])):
                if same_name(str(values.get("person"))) == same_name(old):
                    self.draft.set((heading, i, "person"), new)
        at = self._find(old)
        if at is not None and are_two:
            self._remove("person", [at])
        elif at is not None:
            self.draft.set(("person", at, "name"), new)

    def _find(self, name: str) -> int | None:
        assert self.draft is not None
        names = [same_name(str(p.get("name"))) for p in self.draft.values.get("person", [])]
        return names.index(same_name(name)) if same_name(name) in names else None

    @property
    def lines(self) -> list[str]:
        """The lines that come and go."""
        from ingest.verbs.setup import diff_lines

        return diff_lines(self.draft) if self.draft is not None and self.draft.is_changed else []

    def save(self) -> None:
        """Write the file, if anything in it changes. Raises Stop."""
        from ingest.system.acting import acting_as_root

        if self.draft is not None and self.draft.is_changed:
            with acting_as_root():
                self.own.save(self.draft)

    def remove_kept(self) -> None:
        """Remove the file as it was before, which is kept beside it."""
        from ingest.system.acting import acting_as_root

        with acting_as_root():
            self.own.kept.unlink(missing_ok=True)
