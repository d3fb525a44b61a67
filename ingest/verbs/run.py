"""The daemon."""

from typing import TYPE_CHECKING

import click

from ingest.verbs.command import Invocation, require_access, verb

if TYPE_CHECKING:
    from ingest.daemon.listening import Listeners
    from ingest.settings.model import Settings


@verb("run", ("In the folder data, until Ctrl-C", "hartslag --data data run"))
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Listen to straps, watch the inbox and keep the store up to date, until told to stop."""
    from ingest.system.openssl import leave_out_openssl

    leave_out_openssl()  # before anything loads it
    from ingest.system.acting import stay_owner

    settings = invocation.load_settings()
    require_access(settings)
    stay_owner()
    run_until_stopped(settings)


def run_until_stopped(settings: "Settings", listeners: "Listeners | None" = None) -> None:
    """Run the daemon; at Ctrl-C on a terminal it is said that it stops, and in the end that it has."""
    import sys
    from functools import partial

    from ingest import daemon
    from ingest.language import gettext as _
    from ingest.verbs.messages import say

    interrupted: list[bool] = []

    def on_interrupt() -> None:
        interrupted.append(True)
        if sys.stdout.isatty():
            say("\n" + _("It stops; what is begun is put away first."), sys.stdout)

    daemon.run(settings, partial(say, stream=sys.stdout), listeners, on_interrupt)
    if interrupted and sys.stdout.isatty():
        say(_("Stopped. Nothing is lost: the same command again goes on."), sys.stdout)
