"""What can go wrong, named by what to do about it.

* `HartslagError`
    * `TryLater` -- nothing is lost; the same thing may succeed in a while
        * `DiskFull` -- the disk is full: make room
        * `Replaced` -- the file that is open is not the one at its path any more: open it anew
    * `Unusable` -- this input will never do; it is set aside with the reason
    * `Stop` -- a person must act before the program can go on

Every message says what happened, to which thing, and what its owner can do. Anything that is not one of
these is a bug: it ends a verb, and of the daemon the one part, which is started again.
"""


class HartslagError(Exception):
    """Root of all errors this program raises on purpose; its text is a sentence for a person."""

    @property
    def text(self) -> str:
        """The sentence as it was given: English, that may be said in another language."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class TryLater(HartslagError):  # noqa: N818 - named by what to do, not by what it is
    """Out of reach for now; keep what we have and try again."""


class DiskFull(TryLater):
    """The disk is full, so something cannot even be looked at: it is not damaged by that."""


class Replaced(TryLater):
    """A file that is open is not the one at its path any more, as it was moved, deleted or replaced: open it anew."""


class Unusable(HartslagError, ValueError):  # noqa: N818
    """This input will never do: set it aside with the reason."""


class Stop(HartslagError):  # noqa: N818
    """A person must act: wrong settings, a damaged journal, a second daemon."""

    exit_code = 1


class LogLost(Stop):
    """The log of a database is not the one that is open: nobody else sees what goes there. The process ends, and saves it so."""


class WrongSettings(Stop):
    """The settings file cannot be used; lists every mistake."""

    exit_code = 78  # EX_CONFIG of sysexits.h; systemd is told not to restart on it

    @property
    def mistakes(self) -> list[str]:
        """Each mistake, in a line of its own; where there are several, a heading stands above them."""
        heading, *mistakes = self.text.split("\n")
        return mistakes or [heading]
