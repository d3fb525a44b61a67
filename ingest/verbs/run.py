"""The daemon."""

import click

from ingest.verbs.command import Invocation, require_access, verb


@verb("run", ("In the folder data, until Ctrl-C", "hartslag --data data run"))
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Listen to straps, watch the inbox and keep the store up to date, until told to stop."""
    from ingest.system.openssl import leave_out_openssl

    leave_out_openssl()  # before anything loads it
    import sys
    from functools import partial

    from ingest import daemon
    from ingest.system.acting import stay_owner
    from ingest.verbs.messages import say

    settings = invocation.load_settings()
    require_access(settings)
    stay_owner()
    daemon.run(settings, partial(say, stream=sys.stdout))
