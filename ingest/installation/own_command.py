"""The command `hartslag` of one user, who is not root: it asks the checkout, and the data in it."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ingest.errors import Stop
from ingest.installation.place import COMPLETIONS
from ingest.language import gettext as _

MADE_BY = "Made by make install"
"""By which it is known as ours."""


def command_of(home: Path) -> Path:
    return home / ".local" / "bin" / "hartslag"


def is_ours(command: Path) -> bool:
    """Whether a command is one that was made here."""
    try:
        return MADE_BY in command.read_text(errors="replace")
    except OSError:
        return False


def make_own_command(home: Path, program: Path, data: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Make the command and what shells complete it by; gives what to tell. Raises Stop for somebody else's command."""
    command = command_of(home)
    if os.path.lexists(command) and not is_ours(command):
        words = _("There is another {file}, which make install has not made: move it away first.")
        raise Stop(words.format(file=command))
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(_script(program, data))
    command.chmod(0o755)
    for shell, file in _completions(home).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        asked = {**os.environ, "_HARTSLAG_COMPLETE": f"{shell}_source"}
        file.write_bytes(subprocess.run([program], stdout=subprocess.PIPE, check=False, env=asked).stdout)  # noqa: S603
    yield _("hartslag is a command now: hartslag week")
    if str(command.parent) not in environ.get("PATH", "").split(":"):
        yield _("Your shell does not look in ~/.local/bin yet: log out and in once.")
    if environ.get("SHELL", "").endswith("zsh"):
        yield _("For the Tab key, put this line into ~/.zshrc, before compinit:")
        yield "  fpath=(~/.local/share/zsh/site-functions $fpath)"
    yield _("To have hartslag collect from now on, also after a power cut: sudo make install")


def remove_own_command(home: Path) -> str:
    """Take the command away again; what to tell."""
    if not is_ours(command_of(home)):
        return _("There is no command hartslag that make install has made.")
    for file in (command_of(home), *_completions(home).values()):
        file.unlink(missing_ok=True)
    return _("The command hartslag is gone; data are not touched.")


def _completions(home: Path) -> dict[str, Path]:
    found = {shell: home / ".local" / file for shell, file in COMPLETIONS.items()}
    return found | {"fish": home / ".config/fish/completions/hartslag.fish"}


def _script(program: Path, data: Path) -> str:
    return (
        "#!/bin/sh\n"
        f"# {MADE_BY} of hartslag; make uninstall takes it away.\n"
        f'[ -n "$HARTSLAG_DATA" ] || HARTSLAG_DATA={shlex.quote(str(data))}\n'
        "export HARTSLAG_DATA\n"
        f'exec {shlex.quote(str(program))} "$@"\n'
    )
