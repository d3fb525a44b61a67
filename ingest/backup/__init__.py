"""Copies of the journal, the settings and the files, kept where the card of the Pi cannot take them along when it dies."""
