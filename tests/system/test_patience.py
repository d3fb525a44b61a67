"""Waiting that ends with the program."""

import time

from ingest.system.patience import Patience


def test_there_is_always_a_first_try() -> None:
    """Protects the last commit before the end: to be told to stop is no reason not to try."""
    assert len(list(Patience(at_most_s=0, going_on=lambda: False).attempts())) == 1


def test_it_ends_when_told_to() -> None:
    """Protects a daemon that is told to stop while another process holds what it needs."""
    answers = [True, True, False, True]
    assert len(list(Patience(going_on=lambda: answers.pop(0)).attempts(step_s=0))) == 3


def test_it_ends_by_itself() -> None:
    """Protects `status` from silence about what is waited for."""
    began = time.monotonic()
    assert len(list(Patience(at_most_s=0.05).attempts(step_s=0.001))) > 1
    assert time.monotonic() - began >= 0.05
