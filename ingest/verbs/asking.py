"""A yes before something is written: asked for on a terminal, given by --yes, and never taken for granted in a pipe."""

import sys

import click

from ingest.language import gettext as _
from ingest.verbs.messages import say

UNCHANGED = 3
"""How a verb ends that showed what would change, and changed nothing as nobody said yes."""


def ask_for_yes(*, yes: bool) -> None:
    """Return once somebody has said yes; ends the verb otherwise."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say(_("Nothing is changed yet: the same line with --yes does it."), sys.stderr)
        sys.exit(UNCHANGED)
    yes_words = {_("y"), _("yes"), "y", "yes"}
    answer = click.prompt(_("Do it? (yes or no)"), default=_("no"), show_default=False, prompt_suffix=" ")
    if answer.strip().casefold() not in yes_words:
        say(_("Nothing is changed."), sys.stdout)
        sys.exit(UNCHANGED)
