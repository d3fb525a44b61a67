"""What README and docs/ tell a reader is true: commands run, links lead somewhere, nothing that can be used is left out."""

import re
import shlex
import shutil
from datetime import datetime
from pathlib import Path

import click
import pytest

from ingest.cli import VERBS, hartslag, load_verb
from ingest.demo.fit_encoder import ERA, day, workout
from ingest.settings import model
from ingest.settings.file import load
from tests.support.documents import PAGES, ROOT, Block, anchors, blocks, links, prose, run_commands, spans

FORM_ONLY = "sh form-only"
"""Marks what needs root, the internet, systemd or a Pi."""

KNOWN = frozenset(
    [
        "apt",
        "cd",
        "chown",
        "cp",
        "echo",
        "fusermount",
        "git",
        "grafana-cli",
        "install",
        "jmtpfs",
        "journalctl",
        "make",
        "mkdir",
        "mv",
        "nano",
        "pip",
        "python3",
        "rfkill",
        "rm",
        "scp",
        "smbpasswd",
        "source",
        "systemctl",
        "systemd-sysusers",
        "systemd-tmpfiles",
        "userdel",
        "usermod",
    ]
)
"""Programs that a reader is sent to; another name is a slip, or belongs here."""

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def of_kind(page: Path, kind: str) -> list[Block]:
    return [block for block in blocks(page.read_text()) if block.info == kind]


# --- commands that are run ---


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who has got hartslag and used it for a day, with the files that pages speak of."""
    home = tmp_path_factory.mktemp("reader") / "hartslag"
    (home / "data").mkdir(parents=True)
    (home / "config").symlink_to(ROOT / "config")
    (home / "demo").symlink_to("data")  # whose making is tested elsewhere
    settings = '[[person]]\nname = "Anna"\nborn = 1978\nzone = "Europe/Amsterdam"\n'
    (home / "data" / "hartslag.toml").write_text(settings)
    start = round(datetime.fromisoformat("2026-11-16T10:00+01:00").timestamp()) - ERA
    for place, content in (
        ("run.fit", workout(start, [110 + i % 40 for i in range(3600)])),
        ("GARMIN/ACTIVITY/1.fit", workout(start + 86_400, [120] * 600)),
        ("GARMIN/MONITOR/2.fit", day(start + 7200, [70 + i % 7 for i in range(300)])),
    ):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_bytes(content)
    (added,) = run_commands(["hartslag add run.fit GARMIN"], home)
    assert added.code == 0, added.said
    return home


RUN = [page for page in PAGES if of_kind(page, "sh")]


@pytest.mark.parametrize("page", RUN, ids=name)
def test_what_a_page_says_to_type_does_something(page: Path, reader: Path, tmp_path: Path) -> None:
    """Protects who copies a line into a terminal: it ends well, in the order of the page."""
    here = tmp_path / "hartslag"
    shutil.copytree(reader, here, symlinks=True)
    commands = [command for block in of_kind(page, "sh") for command in block.commands]
    failed = [ran for ran in run_commands(commands, here) if ran.code != 0 or "Traceback" in ran.said]
    assert failed == []


# --- commands of which only the form is checked ---


def wrong_with(command: str) -> str | None:
    """What is wrong with the form of a command, if anything."""
    words = shlex.split(command.partition(" >> ")[0])
    if words[:2] == ["sudo", "-u"]:
        words = words[3:]
    elif words[0] == "sudo":
        words = words[1:]
    program = words[0].rpartition("/")[2]
    if program == "hartslag":
        return wrong_usage(words[1:])
    if program not in KNOWN:
        return f"{program} is a program that is not known here"
    if program == "make":
        named = [w for w in words[1:] if "=" not in w]
        return ", ".join(f"no target {w}" for w in named if w not in TARGETS) or None
    if program.startswith("systemd-"):
        there = {p.name for p in (ROOT / "systemd").rglob("*")}
        return None if words[-1] in there else f"{words[-1]} is not in systemd/"
    ours = [w for w in words[1:] if re.match(r"(\.ci|config|docs|systemd|tests|ingest)/", w)]
    return ", ".join(f"{w} is not there" for w in ours if not (ROOT / w).exists()) or None


def wrong_usage(words: list[str]) -> str | None:
    """What hartslag would say of the way it is called."""
    if not words or not all(word.isascii() for word in words):
        return None
    try:
        context = hartslag.make_context("hartslag", [w for w in words if w not in {"--help", "--version"}])
        verb, *rest = [*context._protected_args, *context.args] or [""]
        if verb not in VERBS:
            return None if verb in {"", "VERB"} else f"{verb} is no verb"
        load_verb(verb).make_context(verb, rest)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        return None  # named within a sentence, without what it needs
    except click.BadParameter as e:
        return (
            None if "does not exist" in e.message or re.search(r"[A-Z]{2,}", " ".join(words)) else e.message
        )
    except click.UsageError as e:
        return e.message
    return None


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name != "ARCHITECTURE.md"], ids=name
)  # walks to a made-up verb
def test_what_cannot_be_run_here_has_the_right_form(page: Path) -> None:
    """Protects from a verb, an option, a target of make or a file that was renamed; also within sentences."""
    text = page.read_text()
    commands = [command for block in of_kind(page, FORM_ONLY) for command in block.commands]
    commands += [span for span in spans(text) if re.match(r"(hartslag|make|\.venv/bin/hartslag) ", span)]
    found = {command: wrong_with(command) for command in commands}
    assert {command: wrong for command, wrong in found.items() if wrong} == {}


def test_a_slip_in_a_command_is_seen() -> None:
    """Protects the test above from seeing nothing."""
    slips = (
        "hartslag wek",
        "hartslag week --week 3",
        "sudo -u hartslag /opt/hartslag/bin/hartslag --dta x week",
        "make rnu",
        "sudo cp systemd/hartslag.conf /etc",
        "sudo systemd-sysusers hartslg.conf",
        "atp install git",
    )
    assert [slip for slip in slips if wrong_with(slip) is None] == []


@pytest.mark.parametrize("page", ["README.md", "docs/nl/eerste-stappen.md"])
def test_a_first_page_types_no_command_that_is_not_there_yet(page: str) -> None:
    """Protects who follows it line by line: `hartslag` alone only after `make install`, and no tests on the way."""
    typed = [
        command
        for block in blocks((ROOT / page).read_text())
        for command in block.commands
        if "sh" in block.info
    ]
    bare = next((i for i, command in enumerate(typed) if command.startswith("hartslag ")), None)
    assert bare is None or "make install" in typed[:bare]
    assert "make test" not in typed


# --- settings ---


@pytest.mark.parametrize("page", [page for page in PAGES if of_kind(page, "toml")], ids=name)
def test_settings_that_a_page_shows_are_right(page: Path, tmp_path: Path) -> None:
    """Protects who pastes them: each block is a settings file without a mistake."""
    for block in of_kind(page, "toml"):
        file = tmp_path / f"{block.line}.toml"
        file.write_text(block.text)
        assert load(file, None, {}, tmp_path).file == file


@pytest.mark.parametrize("table", model.TABLES)
def test_every_setting_is_told(table: str) -> None:
    """Protects a setting from being known to its programmer alone."""
    told = (ROOT / "config" / "hartslag.toml").read_text() + (ROOT / "docs" / "settings.md").read_text()
    assert table in told
    assert [key for key in model.keys(table) if not re.search(rf"\b{key} = ", told)] == []


# --- pages ---


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_inside_leads_somewhere(page: Path) -> None:
    """Protects who clicks: the file is there, and the heading in it."""
    for target in links(page.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        place, _, anchor = target.partition("#")
        there = (page.parent / place).resolve() if place else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


def test_readme_is_short_and_leads_to_every_page() -> None:
    """Protects a README that is read, and pages from being found by nobody."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert sorted(name(p) for p in PAGES if name(p).startswith("docs/") and name(p) not in links(text)) == []


@pytest.mark.parametrize("page", [p for p in PAGES if name(p).startswith("docs/")], ids=name)
def test_a_page_begins_with_what_it_answers(page: Path) -> None:
    """Protects the tired reader, who shall know after two lines whether this is the right page."""
    title, empty, answers, *_ = page.read_text().splitlines()
    assert title.startswith("# ")
    assert empty == ""
    assert re.match(r"\*(This page answers|Deze pagina vertelt): .*", answers)


def test_every_verb_and_every_option_is_told() -> None:
    """Protects a verb from being known to its programmer alone."""
    text = (ROOT / "docs" / "commands.md").read_text()
    assert [verb for verb in VERBS if not re.search(rf"^\| `{verb}[ `]", text, re.MULTILINE)] == []
    for verb in VERBS:
        row = next(line for line in text.splitlines() if re.match(rf"\| `{verb}[ `]", line))
        options = {
            o for p in load_verb(verb).params if isinstance(p, click.Option) and not p.hidden for o in p.opts
        }
        assert sorted(o for o in options if o not in row) == [], verb


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_are_of_a_known_kind(page: Path) -> None:
    """Protects from a block that nothing checks because its mark was mistyped."""
    known = {"sh", FORM_ONLY, "toml", "text", "ini"}
    assert [block.info for block in blocks(page.read_text()) if block.info not in known] == []
    assert "```" not in prose(page.read_text())
