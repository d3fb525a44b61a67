"""`python -m ingest`, which is the command `hartslag`."""

from ingest.cli import main

main()
