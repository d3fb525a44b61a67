"""The daemon."""

import click

from ingest.verbs.command import Invocation, verb


@verb("run", ("In the folder data, until Ctrl-C", "hartslag --data data run"))
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Listen to straps, watch the inbox and keep the store up to date, until told to stop."""
    from ingest.system.openssl import leave_out_openssl

    leave_out_openssl()  # before anything loads it
    from ingest import daemon

    daemon.run(invocation.load_settings())
