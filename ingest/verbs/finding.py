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
    aspect: str = ""
    """Which of several lines about one subject it is, where there are several."""

    def json(self) -> dict[str, str]:
        aspect = {"aspect": self.aspect} if self.aspect else {}
        return {"level": self.level, "subject": self.subject, **aspect, "seen": self.seen, "do": self.do}
