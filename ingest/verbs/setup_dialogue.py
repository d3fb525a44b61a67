"""Questions on plain lines, one at a time: nothing moves, nothing needs colour, and a screen reader reads it as it stands.

What asks is a function that is called anew whenever somebody goes back: the answers before are given to it again, in
silence. So it may ask in any order, and need not know how to go back.
"""

import contextlib
import re
import shutil
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypeVar

from ingest.language import gettext as _
from ingest.log import plain

WIDEST = 78
"""Characters in a line; longer ones are hard to follow."""

MOST_TRIES = 20
"""Answers in a row that are none. A person has long ended it; a pipe would go on for ever."""

T = TypeVar("T")
R = TypeVar("R")


class EndedError(Exception):
    """The person, or what stands for one, wants no more: nothing is to be done."""


class _BackError(Exception):
    """To the question before."""


class Dialogue:
    """Asks through two streams. `again` is what the person said to the question last, before they went back to it."""

    def __init__(self, answers: TextIO, shown: TextIO) -> None:
        self._input, self._output = answers, shown
        self._given: list[Any] = []
        self._next = 0
        self._known: dict[object, Any] = {}

    def run(self, flow: Callable[[], R]) -> R:
        """What a flow of questions gives. Raises EndedError when there are no more answers, or `stop` is one."""
        while True:
            self._next = 0
            try:
                return flow()
            except _BackError:
                self._given.pop()

    # --- what is said ---

    @property
    def is_replay(self) -> bool:
        """Whether the answer to the next question is known already."""
        return self._next < len(self._given)

    @property
    def has_answers(self) -> bool:
        """Whether anything was answered by now."""
        return bool(self._given)

    def say(self, text: str = "", indent: str = "") -> None:
        """A paragraph, wrapped to the terminal."""
        if not self.is_replay:
            self.end(text, indent)

    def end(self, text: str, indent: str = "") -> None:
        """A paragraph that is said whatever is known already, as the last one is."""
        width = min(shutil.get_terminal_size().columns, WIDEST)
        lines = textwrap.wrap(
            text,
            max(width, 20),
            initial_indent=indent,
            subsequent_indent=" " * len(indent),
            break_on_hyphens=False,
            break_long_words=False,
        )
        self._write("\n".join(lines))

    def show(self, line: str) -> None:
        """A line as it is."""
        if not self.is_replay:
            self._write(line)

    def _write(self, line: str) -> None:
        self._output.write(plain(line) + "\n")
        self._output.flush()

    def tell(self, line: str) -> None:
        """A paragraph; or a line as it is where it is set in, as commands and paths are."""
        if line.startswith("  "):
            self.show(line)
        else:
            self.say(line)

    def once(self, what: object, find: Callable[[], R]) -> R:
        """What is found, which is not looked for again when somebody goes back and comes here anew."""
        if what not in self._known:
            self._known[what] = find()
        found: R = self._known[what]
        return found

    def forget(self, what: object) -> None:
        """Look for it anew when it is asked for next."""
        if not self.is_replay:
            self._known.pop(what, None)

    # --- what is asked ---

    def ask(
        self, question: str, read: Callable[[str], T], *, shown: str | None, default: T | None, more: str = ""
    ) -> T | None:
        """The answer to an open question, as `read` understands it; Enter gives the default, which is `shown`.

        `read` raises ValueError in words. `more` is said when somebody asks with a question mark.
        """
        return self._answer(
            [question],
            lambda typed: default if not typed and shown is not None else read(typed),
            _("Answer, back or stop [{enter}]: ").format(enter=shown)
            if shown is not None
            else _("Answer, back or stop: "),
            more,
        )

    def choose(
        self, question: str, choices: Sequence[tuple[T, str]], default: T | None = None, more: str = ""
    ) -> T:
        """One of some answers, by its number."""
        values = [value for value, _text in choices]
        usual = values.index(default) + 1 if default in values else None

        def read(typed: str) -> T:
            if not typed and usual is not None:
                return values[usual - 1]
            if re.fullmatch(r"[0-9]{1,3}\.?", typed) and 1 <= int(typed.rstrip(".")) <= len(values):
                return values[int(typed.rstrip(".")) - 1]
            raise ValueError(_("Type a number from 1 to {most}.").format(most=len(values)))

        enter = (
            _("Number, back or stop: ")
            if usual is None
            else _("Number, back or stop [{enter}]: ").format(enter=usual)
        )
        listed = [f"{number}. {text}" for number, (_value, text) in enumerate(choices, 1)]
        return self._answer([question, *listed], read, enter, more)

    def agree(self, question: str, *, default: bool | None, more: str = "") -> bool:
        """Yes or no, by number or by word."""
        yes, no = {_("yes"), _("yes")[0], "yes", "y", "1"}, {_("no"), _("no")[0], "no", "n", "2"}

        def read(typed: str) -> bool:
            word = typed.casefold().rstrip(".")
            if not typed and default is not None:
                return default
            if word not in yes | no:
                raise ValueError(_("Type 1 for yes or 2 for no."))
            return word in yes

        enter = (
            _("Number, back or stop: ")
            if default is None
            else _("Number, back or stop [{enter}]: ").format(enter=1 if default else 2)
        )
        return self._answer([question, "1. " + _("Yes"), "2. " + _("No")], read, enter, more)

    def drop_typed(self) -> None:
        """Forget what was typed, or pasted, before it was asked for. What comes by a pipe is meant as it comes."""
        if self.is_replay or not self._input.isatty():
            return
        import termios

        with contextlib.suppress(termios.error, OSError):
            termios.tcflush(self._input.fileno(), termios.TCIFLUSH)

    def _answer(self, lines: list[str], read: Callable[[str], T], prompt: str, more: str) -> T:
        if self.is_replay:
            self._next += 1
            given: T = self._given[self._next - 1]
            return given
        self._pose(lines)
        for _try in range(MOST_TRIES):
            typed = self._typed(prompt)
            try:
                if self._is_command(typed, lines, more):
                    continue
                answer = read(typed)
            except ValueError as e:
                self.say(str(e))
                continue
            self._given.append(answer)
            self._next += 1
            return answer
        raise EndedError(
            _("{tries} answers in a row were none that fit.").format(tries=MOST_TRIES),
        )

    def _pose(self, lines: list[str]) -> None:
        question, *choices = lines
        self.say()
        self.say(question)
        for choice in choices:
            number, _dot, text = choice.partition(" ")
            self.say(text, f"  {number} ")

    def _typed(self, prompt: str) -> str:
        self._output.write(prompt)
        self._output.flush()
        line = self._input.readline()
        if not line:
            self._output.write("\n")
            raise EndedError(_("There are no more answers."))
        if not self._input.isatty():
            self._output.write("\n")
        return line.strip()

    def _is_command(self, typed: str, lines: list[str], more: str) -> bool:
        """Whether what was typed is no answer but a wish: to go back, to end it, to hear more."""
        word = typed.casefold()
        if word in {"stop", "quit", "exit", _("stop")}:
            raise EndedError(_("You stopped."))
        if word in {"back", _("back")}:
            if not self._given:
                self.say(_("This is the first question."))
                return True
            raise _BackError
        if word == "?":
            if more:
                self.say(more)
            self.say(
                _(
                    "Enter takes what stands in brackets. back goes to the question before. "
                    "stop ends this, and nothing is changed."
                )
            )
            self._pose(lines)
            return True
        return False
