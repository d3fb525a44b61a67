"""The log: one safe line per event, for people at a terminal and for the journal of the system."""

import fcntl
import io
import logging
import os
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Loggers belong to the whole process: each test leaves them as it found them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for ours in ("ingest", "zones"):
        logging.getLogger(ours).setLevel(logging.NOTSET)


def said(code: str, *, journal: bool = False, **environ: str) -> list[str]:
    """The lines on stderr of a process of its own that logs, with or without the journal at the other end."""
    read, write = os.pipe()
    stat = os.fstat(write)
    if journal:
        environ["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
    begin = "import logging\nfrom ingest import log\nlogger = logging.getLogger('ingest.inbox')\n"
    with os.fdopen(read, encoding="utf-8") as lines:
        with os.fdopen(write, "w") as stderr:
            subprocess.run(
                [sys.executable, "-c", begin + code], stderr=stderr, env={**os.environ, **environ}, check=True
            )
        return lines.read().splitlines()


def test_for_a_terminal() -> None:
    """At a terminal a line begins with the local time, and warnings say that they are."""
    lines = said(
        "log.setup(False)\nlogger.info('stored %s', 3)\nlogger.warning('full')\nlogger.debug('detail')"
    )
    assert len(lines) == 2
    assert re.fullmatch(r"\d\d:\d\d:\d\d stored 3", lines[0])
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning: full", lines[1])


def test_for_the_journal() -> None:
    """The journal knows the time; it is told the priority, of each line of a traceback too."""
    lines = said(
        "log.setup(True)\n"
        "logger.debug('a')\nlogger.info('b')\nlogger.warning('c')\nlogger.critical('d')\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    logger.exception('e')",
        journal=True,
    )
    assert lines[:4] == ["<7>a", "<6>b", "<4>c", "<2>d"]
    assert lines[4] == "<3>e"
    assert lines[-1] == "<3>ZeroDivisionError: division by zero"
    assert all(line.startswith("<3>") for line in lines[4:])


def test_an_inherited_journal() -> None:
    """A desktop's terminal inherits the name of the journal's stream; there people still see times."""
    (line,) = said("log.setup(False)\nlogger.info('stored')", JOURNAL_STREAM="8:12345")
    assert re.fullmatch(r"\d\d:\d\d:\d\d stored", line)


def test_libraries_are_heard_from_a_warning_on() -> None:
    """Other people's details do not fill the log, not even when ours are asked for; their warnings do arrive."""
    out = io.StringIO()
    log.setup(True, out)
    logging.getLogger("bleak").info("detail")
    logging.getLogger("bleak").warning("trouble")
    logging.getLogger("ingest.strap").debug("ours")
    assert [line.partition(" ")[2] for line in out.getvalue().splitlines()] == ["warning: trouble", "ours"]


def test_setting_up_twice() -> None:
    """Set up again, for a verb or a test, a line is still said once."""
    first, second = io.StringIO(), io.StringIO()
    log.setup(True, first)
    log.setup(False, second)
    logging.getLogger("ingest.inbox").info("stored")
    logging.getLogger("ingest.inbox").debug("detail")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_one_event_one_line() -> None:
    """A message that carries somebody's line feed cannot pretend to be two."""
    out = io.StringIO()
    log.setup(False, out)
    logging.getLogger("ingest.inbox").info("took %s", "a\nb\x1b[2J")
    assert out.getvalue().endswith("took a\\nb\\x1b[2J\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run.fit", '"run.fit"'),
        ("Zoë's 走.fit", '"Zoë\'s 走.fit"'),
        ("a\nb\t\x1b[31m", r'"a\nb\t\x1b[31m"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("a\u202egnp.fit", r'"a\u202egnp.fit"'),
        (os.fsdecode(b"\xff.fit"), r'"\udcff.fit"'),
        ("x" * 300, '"' + "x" * 200 + '" and so on'),
    ],
)
def test_quoted(text: str, shown: str) -> None:
    """Foreign text is recognisable and harmless: no control characters, no turned direction, no endless line."""
    assert log.quoted(text) == shown


@given(st.text(st.characters(), max_size=300))
def test_quoted_is_always_one_printable_line(text: str) -> None:
    """Whatever a file is called, its name can be printed anywhere."""
    shown = log.quoted(text)
    assert shown.isprintable()
    shown.encode("utf-8")


def test_repeats() -> None:
    """A trouble is said when it begins, when it changes and when it ends; between, it is a detail."""
    out = io.StringIO()
    log.setup(True, out)
    repeats = log.Repeats(logging.getLogger("ingest.store"))
    for text in ("away", "away", "refuses", "refuses"):
        repeats.say("influx", text)
    repeats.say("inbox", "full")
    repeats.over("influx", "back")
    repeats.over("influx", "back")
    repeats.say("influx", "refuses")
    lines = [line.partition(" ")[2] for line in out.getvalue().splitlines()]
    assert lines == [
        "warning: away", "away", "warning: refuses", "refuses", "warning: full", "back", "warning: refuses",
    ]  # fmt: skip


def test_repeats_are_bounded() -> None:
    """Years of ever new troubles do not grow the daemon; the ones that are still on stay known."""
    out = io.StringIO()
    log.setup(False, out)
    repeats = log.Repeats(logging.getLogger("ingest.inbox"))
    for i in range(3 * log.MOST_KINDS):
        repeats.say(f"file {i}", "stuck")
        repeats.say("disk", "full")
    assert out.getvalue().count("full") == 1
    before = len(out.getvalue())
    repeats.say("file 0", "stuck")
    assert len(out.getvalue()) > before


def test_on_a_terminal_lines_are_broken_at_words_below_their_time() -> None:
    """Protects who watches the daemon in a narrow window: whole words, and the times in a column of their own."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    with os.fdopen(slave, "w") as stream:
        log.setup(verbose=False, stream=stream)
        logging.getLogger("ingest.x").warning(
            "the file /media/stick/a/very/long/path/that/is/copied.fit waits, as it grows"
        )
    shown = os.read(master, 4096).decode().splitlines()
    os.close(master)
    assert "/media/stick/a/very/long/path/that/is/copied.fit" in "".join(shown)
    assert all(line.startswith(" " * 9) for line in shown[1:])
    assert len(shown) > 1
    assert max(len(line) for line in shown if "/media" not in line) <= 40


FOREIGN = "a\x1b]0;gone\x07 \x1b[2J \x9b2J \u202etxt.fit \x7f\r \udc9f"
"""What a server, a file name or a radio may send: a title, a cleared screen, text that runs backwards, half a letter."""


def test_nothing_foreign_acts_on_a_terminal_and_our_own_styles_do() -> None:
    """Protects who reads an error of a server from what it would do to the screen, and keeps our bold and colours."""
    told = log.shown(f"\x1b[1m{FOREIGN}\x1b[0m \x1b[38;5;33mblue")
    assert told.startswith("\x1b[1ma\\x1b]0;gone\\x07 ")
    assert told.endswith("\x1b[0m \x1b[38;5;33mblue")
    assert re.sub(r"\x1b\[(0|1|38;5;33)m", "", told).isprintable()


@given(st.text())
def test_plain_words_are_as_they_were_and_others_can_be_printed(text: str) -> None:
    """Protects names in any script, and the program from letters that no encoding has."""
    told = log.plain(text)
    told.encode()
    assert "\x1b" not in told
    if all(c.isprintable() or c in "\n\t" for c in text):
        assert told == text


def test_verbs_write_through_what_escapes() -> None:
    """Protects terminals from the verb that is written next: whatever prints, prints through `print_lines` or `say`."""
    by_itself = re.compile(r"(?<![\w.])print\(|click\.echo\(|sys\.std(out|err)\.write\(")
    edges = {"command.py", "messages.py"}
    verbs = (Path(log.__file__).parent / "verbs").glob("*.py")
    assert [
        f"{file.name}: {line.strip()}"
        for file in verbs
        if file.name not in edges
        for line in file.read_text().splitlines()
        if by_itself.search(line) and not re.search(r'click\.echo\((""(, err=True)?)?\)', line)
    ] == []
