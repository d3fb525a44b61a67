"""Parts that go on, and one that does not."""

import threading

from ingest.system.watchdog import Watchdog


def test_one_that_hangs_is_named() -> None:
    """Protects against a daemon of which systemd hears that all is well while a part of it stands still."""
    now_s, stop = 0.0, threading.Event()
    watchdog = Watchdog(lambda: now_s)
    inbox, store = watchdog.part("the inbox", stop), watchdog.part("the store", stop)
    now_s = 10.0
    inbox.mark()
    assert watchdog.silent(10) == []
    now_s = 11.0
    assert watchdog.silent(10) == ["the store"]
    assert store.going_on(), "to be asked is to go on"
    assert watchdog.silent(10) == []
    stop.set()
    assert not inbox.going_on()


def test_one_that_has_ended_is_not_waited_for() -> None:
    """Protects the end: what is over hangs no more."""
    now_s = 0.0
    watchdog = Watchdog(lambda: now_s)
    watchdog.part("the inbox", threading.Event()).ended = True
    now_s = 99.0
    assert watchdog.silent(10) == []
