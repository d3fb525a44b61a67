"""Mistakes that are taken back: what should not count, and persons under a wrong name."""
