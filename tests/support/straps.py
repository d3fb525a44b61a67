"""What tests of straps share: clocks to be set by hand, payloads, and what the journal holds of them."""

from dataclasses import dataclass, field
from pathlib import Path

from ingest.journal import ALWAYS_MS, Journal, Notifications, Source, Writer
from ingest.journal.dating import new_observation

ADA = "strap A0:9E:1A:12:34:56"


@dataclass
class ManualClock:
    """Clocks that stand still until a test moves them."""

    boot: str = "first boot"
    steady: int = 60_000
    ahead: int = 1_700_000_000_000
    right: bool = True
    battery: bool = False
    torn: int = 0
    """By how much the steady clock moves on at each look: a machine that is held up between two looks."""

    def steady_ms(self) -> int:
        self.steady += self.torn
        return self.steady

    def wall_ms(self) -> int:
        self.steady += self.torn
        return self.steady + self.ahead

    def synchronized(self) -> bool:
        return self.right

    def kept(self) -> bool:
        return self.battery

    def on(self, ms: int) -> None:
        self.steady += ms


def observe_clock(
    journal: Journal, boot: str, steady: int, wall: int, *, right: bool = True, kept: bool = True
) -> bool:
    """Let the journal know how the clocks stand, as the recorder does; gives whether that was new."""
    seen = new_observation(journal.observations(boot), steady, wall, synchronized=right, kept=kept)
    if seen:
        with journal.write() as w:
            w.clock_observation(boot, seen)
    return seen is not None


def append_notifications(
    w: Writer, notifications: Notifications, person: str = "me", source: str = ADA
) -> int:
    """Append notifications of a strap; gives its position."""
    someone = w.person(person)
    return w.notifications(someone, w.source(someone, source, "strap", 0), notifications)


StoredNotification = tuple[str, str, int, int, bytes]


@dataclass(frozen=True)
class StoredNotifications:
    """All notifications in a journal: (source, boot, beginning of the connection, steady clock, payload), and their dates."""

    notifications: list[StoredNotification] = field(default_factory=list)
    dates: list[int] = field(default_factory=list)


def stored_notifications(journal: Journal, person: str = "me") -> StoredNotifications:
    """What the journal holds of a person's straps, in order of the steady clock within each boot."""
    someone = journal.person(person)
    found: list[tuple[StoredNotification, int]] = []
    for c in journal.chunks(someone.id, -ALWAYS_MS, ALWAYS_MS) if someone else []:
        if c.notifications is not None:
            name: Source = c.source
            ahead = c.first_ms - int(c.notifications.steady_ms[0])
            for at, what in zip(c.notifications.steady_ms.tolist(), c.notifications.payloads, strict=True):
                found.append(((name.name, *(c.connection or ("", 0)), at, what), at + ahead))
    found.sort(key=lambda pair: pair[0][:4])  # stable: what came within a millisecond stays in order
    return StoredNotifications([notification for notification, _ in found], [date for _, date in found])


def stored_notifications_at(path: Path, person: str = "me") -> StoredNotifications:
    """What a journal at a path holds."""
    with Journal(path) as journal:
        return stored_notifications(journal, person)
