"""What `make run`, `make install` and `make uninstall` do: python3 -m ingest.installation."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from ingest.errors import HartslagError, Stop
from ingest.installation import own_command, packages, service, taking_along
from ingest.installation.place import Place
from ingest.language import gettext as _
from ingest.language import said, speak, system_words

CHECKOUT = Path(__file__).parents[2]

_TOLD = "taken-along-or-not"
"""Beside the program: the folders of which it was decided whether they are taken along, a line each."""


def install_packages(environment: Path) -> Iterator[str]:
    """The program in an environment of the checkout, for `make run`."""
    packages.require_debians()
    yield _long_work(environment)
    began = time.monotonic()
    if not (environment / "bin" / "python").exists():
        packages.make_environment(environment)
    packages.install_packages(environment, CHECKOUT, editable=True)
    yield _("Installed, in {seconds} s.").format(seconds=round(time.monotonic() - began))


def _long_work(folder: Path) -> str:
    words = _(
        "Installing hartslag into {folder}. That takes a few minutes, on a Pi Zero up to half an hour, and needs the "
        "internet: up to {download} MB are downloaded, and {disk} MB stay on the disk."
    )
    return words.format(folder=folder, download=packages.DOWNLOAD_MB, disk=packages.DISK_MB)


# --- as a service ---


def install_service(place: Place, data: Path, take: str) -> Iterator[str]:
    """Install the service or bring it up to date, and say what to do next."""
    if os.geteuid() != 0 and place.is_here:
        raise Stop(_("A service is installed by root:\n  sudo make install"))
    packages.require_debians()
    taken = _to_be_taken(place, data, take)
    is_update = place.current.exists()
    if is_update:
        yield _(
            "hartslag is there already and is brought up to date, which takes a minute or some; it runs on meanwhile, and your "
            "data and settings stay."
        )
    else:
        yield _long_work(place.program)
    yield from service.install(place, CHECKOUT, taken)
    if taken is not None:
        _note_told(place, taken)
    yield ""
    if is_update:
        yield _("hartslag is up to date, and runs.")
    else:
        yield from _next_lines(place)
    if taken is None and _is_to_be_told(place, data):
        yield from _left_lines(data)


def _to_be_taken(place: Place, data: Path, take: str) -> Path | None:
    """The folder that is taken along, asked for on a terminal. Raises Stop while something is collected in it."""
    if take == "no" or not taking_along.has_collected(data):
        return None
    if take != "yes":
        is_seen = sys.stdin.isatty() and sys.stdout.isatty()
        if not is_seen or taking_along.has_begun(place.data) or not _is_to_be_told(place, data):
            return None
        print(
            _("In {folder} is what `make run` has collected; the service will collect in {place}.").format(
                folder=data, place=place.data
            )
        )
        answer = input(_("Shall it be taken along? It is copied, nothing is deleted. [Y/n] ")).strip()
        if answer[:1].casefold() == "n":
            _note_told(place, data)
            return None
    taking_along.require_at_rest(data)
    return data


def _is_to_be_told(place: Place, data: Path) -> bool:
    """Whether there is something to take along of which its owner has not decided yet."""
    told = place.program / _TOLD
    return (
        taking_along.has_collected(data)
        and str(data) not in (told.read_text() if told.exists() else "").splitlines()
    )


def _note_told(place: Place, data: Path) -> None:
    place.program.mkdir(parents=True, exist_ok=True)
    with (place.program / _TOLD).open("a") as told:
        told.write(f"{data}\n")


def _left_lines(data: Path) -> Iterator[str]:
    yield ""
    words = _(
        "In {folder} is what `make run` has collected. To have it taken along (it is copied, nothing is deleted):"
    )
    yield words.format(folder=data)
    yield "  sudo make install TAKE=yes"


def _next_lines(place: Place) -> Iterator[str]:
    """What to do next."""
    yield _("hartslag is installed: it runs now, and starts with this computer.")
    for what, line in (
        (_("Your settings and your strap, by questions in plain words:"), "sudo hartslag setup"),
        (_("How it is, and what it waits for:"), "sudo hartslag status"),
        (_("Your week:"), "sudo hartslag week"),
    ):
        yield what
        yield f"  {line}"
    yield _(
        "Files of a watch are dropped into {folder}. So that you may, once, and then log in anew:"
    ).format(folder=place.data / "inbox")
    yield f"  sudo usermod -aG hartslag {os.environ.get('SUDO_USER') or 'pi'}"
    user = os.environ.get("SUDO_USER")
    if user and own_command.is_ours(own_command.command_of(Path(f"~{user}").expanduser())):
        yield _(
            "The command that `make install` made for you before asks the checkout, not the service. Take it away:"
        )
        yield "  make uninstall"


def remove_service(place: Place) -> Iterator[str]:
    """Take the program away, and say where the data are."""
    if os.geteuid() != 0 and place.is_here:
        raise Stop(_("The service is taken away by root:\n  sudo make uninstall"))
    if not service.remove(place):
        yield _("hartslag is not installed as a service here.")
        return
    yield _("hartslag is gone. Your data are still in {data}, your settings in {settings}.").format(
        data=place.data, settings=place.settings.parent
    )
    yield _("When you are sure that you want none of it any more:")
    yield f"  sudo rm -r {place.data} {place.settings.parent}"
    yield "  sudo userdel hartslag"


# --- how it is called ---


def lines_of(asked: argparse.Namespace) -> Iterator[str]:
    """What was asked for, as lines while it goes on."""
    home, data = Path.home(), asked.data.absolute()
    place = Place(asked.root.absolute())
    if asked.what == "packages":
        return install_packages(asked.environment)
    if asked.what == "install":
        if asked.service:
            return install_service(place, data, asked.take)
        program = CHECKOUT / asked.environment / "bin" / "hartslag"
        return own_command.make_own_command(home, program, data, os.environ)
    if asked.service:
        return remove_service(place)
    return iter([own_command.remove_own_command(home)])


def main() -> None:
    """Ends with 1 when a person must act first, with 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m ingest.installation")
    parser.add_argument("what", choices=["packages", "install", "uninstall"])
    parser.add_argument("--service", action="store_true", help="of the system, not a command of one user")
    parser.add_argument("--root", type=Path, default=Path("/"), help="a folder that is the root of a system")
    parser.add_argument(
        "--environment", type=Path, default=Path(".venv"), help="where the checkout has its packages"
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="where `make run` collects")
    parser.add_argument(
        "--take", choices=["ask", "yes", "no"], default="ask", help="whether that is taken along"
    )
    asked = parser.parse_args()
    speak(None)
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    try:
        for line in lines_of(asked):
            print(line, flush=True)
    except HartslagError as e:
        print(said(e.text), file=sys.stderr)
        sys.exit(1)
    except OSError as e:
        print(f"{e.filename}: {said(system_words(e))}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, EOFError):
        print(
            "\n" + _("Interrupted. What was there before goes on; type the same command to begin again."),
            file=sys.stderr,
        )
        sys.exit(130)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
