"""What a look at something found: how well it is, what was seen, and what to do about it."""

from dataclasses import dataclass

OK, WARN, FAIL = "OK", "WARN", "FAIL"
"""In order; something to be known, but nothing lost by it, is no failure."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `check`. `subject` is a word by which a program finds it, and never changes."""

    level: str
    subject: str
    seen: str
    do: str = ""

    def json(self) -> dict[str, str]:
        return {"level": self.level, "subject": self.subject, "seen": self.seen, "do": self.do}
