"""Proposals that their person agrees to, written into the settings: one question for each, and one for the lines."""

import sys
from typing import TYPE_CHECKING

from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.settings.names import same_name
from ingest.verbs.command import Invocation
from ingest.verbs.proposals import Proposal, proposal_lines
from ingest.verbs.setup import data_folder, diff_lines, open_own_file, restart_lines, save, spoken_to
from ingest.verbs.setup_dialogue import Dialogue
from ingest.verbs.setup_person import note_entry

if TYPE_CHECKING:
    from ingest.settings.own_file import OwnFile
    from ingest.settings.writer import SettingsText


def offer(invocation: Invocation, proposals: list[tuple[str, list[Proposal]]]) -> None:
    """Show each proposal with its evidence, and write those that are agreed to. Raises Stop in words."""
    d = Dialogue(sys.stdin, sys.stdout)
    if not any(of_person for _name, of_person in proposals):
        for name, of_person in proposals:
            for line in proposal_lines(name, of_person):
                d.show(line)
        return
    own = open_own_file(invocation, "profile", "--propose", "--write")
    draft, agreed = spoken_to(d, lambda: _ask(d, own, proposals))
    if not agreed:
        d.say(_("Nothing was written."))
        return
    save(d, own, draft)
    for line in restart_lines(invocation, own, data_folder(invocation, own)):
        d.tell(line)


def _ask(
    d: Dialogue, own: "OwnFile", proposals: list[tuple[str, list[Proposal]]]
) -> "tuple[SettingsText, bool]":
    """The settings with the numbers that were agreed to, and whether they are to be written."""
    draft = own.draft("")
    names = [same_name(p["name"]) for p in draft.values.get("person", ())]
    for name, of_person in proposals:
        if of_person and same_name(name) not in names:
            raise Stop(_("{name} is not in the settings yet: start with `hartslag setup`.").format(name=name))
        for one in of_person:
            d.show("")
            for line in proposal_lines(name, [one], asked=True):
                d.tell(line)
            if d.agree(_("Shall this number be used from today on?"), default=None):
                note_entry(draft, names.index(same_name(name)), one.today, {one.key: one.bpm})
    if not draft.is_changed:
        return draft, False
    d.say()
    d.say(_("In the file {file} these lines change:").format(file=own.path))
    for line in diff_lines(draft):
        d.show(line)
    d.drop_typed()
    return draft, d.agree(_("Write this into the settings file?"), default=None)
