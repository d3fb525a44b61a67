"""hartslag as a service of the system: put in place, brought up to date, and taken away again.

A version is complete in a folder of its own before a link is swung to it, which takes an instant: whatever stops an
installation, the one before goes on.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import Stop
from ingest.installation import packages
from ingest.installation.place import SERVICE, Place
from ingest.language import gettext as _
from ingest.settings.installed import FILE_NAME

SOURCES = ("pyproject.toml", "README.md", "LICENSE", ".ci", "ingest", "zones", "config", "systemd")
"""What of a checkout the program is made from."""

_BEFORE_IT_WAS_SO = ("bin", "include", "lib", "lib64", "share", "pyvenv.cfg")
"""What lies in the folder of the program where it was installed by hand, as a single environment."""

_COPY = ".build-"
"""What the folder with a copy of the sources is called in front."""

Build = Callable[[Path, Path], None]
"""Makes an environment at the first path out of the sources at the second."""


def build(environment: Path, source: Path) -> None:
    """The program with all that it needs, of which what the version that counts has already is not fetched again.

    Raises Stop.
    """
    for before in (environment.parents[1] / "current", None):
        packages.make_environment(environment)
        if before is not None:
            packages.share_packages(before, environment)
        packages.install_packages(environment, source, editable=False)
        if before is None or packages.can_be_loaded(environment):
            return
        shutil.rmtree(environment)  # what it had already is damaged: all of it anew


def install(place: Place, checkout: Path, take: Path | None, build_program: Build = build) -> Iterator[str]:
    """Put the program of a checkout in place, or bring it up to date; gives lines for whoever waits.

    `take` is a data folder whose content is taken along. Raises Stop in words, and then what was there before goes on.
    """
    _require_room(place)
    _require_our_command(place)
    place.versions.mkdir(parents=True, exist_ok=True)
    for folder in (place.program, place.versions):
        folder.chmod(0o755)
    with _alone(place), _private_copy(place, checkout) as source:
        new = _free_version(place)
        try:
            _build(place, new, source, build_program)
            make_accounts(place, source)
            make_settings(place, source, take)
            if take is not None:
                if place.is_here:
                    run("systemctl", "stop", SERVICE, needed=False)
                _run_new(place, new, "taking_along", str(take))
                yield _("What was collected in {folder} is taken along; there it stays as it was.").format(
                    folder=take
                )
            _run_new(place, new, "ready")
            swing(place, new)
        except BaseException:
            if place.current.resolve() != new.resolve():
                shutil.rmtree(new, ignore_errors=True)
            raise
        for target, origin in place.units(source).items():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_beside(target, origin.read_bytes(), 0o644)
        make_command(place)
        start(place)
        _remove_versions(place)
        _remove_old_installation(place)


# --- before anything is done ---


def _require_room(place: Place) -> None:
    there = next(p for p in (place.program, *place.program.parents) if p.exists())
    free_mb = shutil.disk_usage(there).free >> 20
    if free_mb < packages.DISK_MB:
        words = _(
            "{needed} MB are needed in {folder}, and {free} are free. Make room, then type the same command again."
        )
        raise Stop(words.format(needed=packages.DISK_MB, folder=there, free=free_mb))


def _require_our_command(place: Place) -> None:
    """Raise Stop where somebody else's command of that name would be written over."""
    if os.path.lexists(place.command) and not is_our_command(place):
        raise Stop(_("There is another {file}: move it away first.").format(file=place.command))


def is_our_command(place: Place) -> bool:
    """Whether the command is the one that an installation made."""
    return place.command.is_symlink() and place.command.readlink().is_relative_to(place.program)


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    with (place.program / "lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise Stop(_("hartslag is being installed already, by somebody else: wait for that.")) from e
        yield


# --- a version ---


def _free_version(place: Place) -> Path:
    """A folder for a new version. What an interrupted installation left goes."""
    _remove_versions(place)
    name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    number = next(i for i in range(1000) if not (place.versions / f"{name}.{i}").exists())
    return place.versions / f"{name}.{number}"


@contextmanager
def _private_copy(place: Place, checkout: Path) -> Iterator[Path]:
    """The sources as files of root's own: what a build leaves beside them is not left in somebody's checkout."""
    for left in place.program.glob(f"{_COPY}*"):  # by a power cut
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place.program, prefix=_COPY) as folder:
        source = Path(folder) / "hartslag"
        source.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in SOURCES:
            if (checkout / name).is_dir():
                shutil.copytree(checkout / name, source / name, ignore=ignored, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(checkout / name, source / name)
        yield source


def _build(place: Place, new: Path, source: Path, build_program: Build) -> None:
    build_program(new, source)
    (new / FILE_NAME).write_text(place.installed.text(), encoding="utf-8")
    (new / FILE_NAME).chmod(0o644)


def _run_new(place: Place, new: Path, module: str, *words: str) -> None:
    """Run a module of the new version, as who owns the data: it says itself what is wrong. Raises Stop."""
    command = [str(new / "bin" / "python"), "-I", "-m", f"ingest.installation.{module}", *words]
    done = subprocess.run(command, check=False, cwd=place.program)  # noqa: S603 - what was just installed
    if done.returncode:
        raise Stop(_("hartslag was not changed: what runs, goes on."))


def swing(place: Place, new: Path) -> None:
    """Have a version be the one that counts, from one instant to the next."""
    beside = place.program / ".current"
    beside.unlink(missing_ok=True)
    beside.symlink_to(new.relative_to(place.program))
    beside.rename(place.current)
    os.sync()


def _remove_versions(place: Place) -> None:
    """Take away all versions but the one that counts."""
    current = place.current.resolve()
    for found in place.versions.iterdir():
        if found.resolve() != current:
            shutil.rmtree(found, ignore_errors=True)


def _remove_old_installation(place: Place) -> None:
    """Take away what was installed by hand where the versions are now."""
    if (place.program / "pyvenv.cfg").exists():
        for name in _BEFORE_IT_WAS_SO:
            old = place.program / name
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)


# --- what is around it ---


def make_accounts(place: Place, source: Path) -> None:
    """User, group and folders; done again it changes nothing."""
    for target, origin in place.accounts(source).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_beside(target, origin.read_bytes(), 0o644)
    below = [] if place.is_here else [f"--root={place.root}"]
    run("systemd-sysusers", *below, "hartslag.conf")
    run("systemd-tmpfiles", *below, "--create", "hartslag.conf")


def make_settings(place: Place, source: Path, take: Path | None) -> None:
    """Settings where there are none: those that are taken along, or else the sample, which explains all of them."""
    sample = (source / "config" / "hartslag.toml").read_bytes()
    own = take / "hartslag.toml" if take else None
    if own and own.exists() and (not place.settings.exists() or place.settings.read_bytes() == sample):
        write_beside(
            place.settings,
            _without_folder(own.read_text("utf-8-sig")).encode(),
            0o640,
            like=place.settings.parent,
        )
    elif not place.settings.exists():
        write_beside(place.settings, sample, 0o640, like=place.settings.parent)


def _without_folder(text: str) -> str:
    """Settings without the data folder that they name: it is another one now."""
    lines, heading = [], ""
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            heading = line.strip()
        is_folder = heading == "[data]" and line.lstrip().startswith("folder")
        lines.append(f"# {line}" if is_folder else line)
    return "".join(lines)


def make_command(place: Place) -> None:
    """The command for everybody, and what shells complete it by."""
    place.command.parent.mkdir(parents=True, exist_ok=True)
    beside = place.command.with_name(".hartslag.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(place.current / "bin" / "hartslag")
    beside.rename(place.command)
    for shell, file in place.completions().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        script = run(
            str(place.current / "bin" / "hartslag"), environ={"_HARTSLAG_COMPLETE": f"{shell}_source"}
        )
        if script:
            write_beside(file, script.encode(), 0o644)


def start(place: Place) -> None:
    """Have it start with the system, and now, where systemd runs; Bluetooth is let on. Raises Stop."""
    if not place.is_here:
        run("systemctl", f"--root={place.root}", "enable", SERVICE)
        return
    unblock_bluetooth()
    runs = Path("/run/systemd/system").is_dir()
    if runs:
        run("systemctl", "daemon-reload")
        run("udevadm", "control", "--reload", needed=False)
    run("systemctl", "enable", SERVICE)
    if runs:
        try:
            run("systemctl", "restart", SERVICE)
        except Stop as e:
            words = _(
                "hartslag is installed but does not start. What it says:\n  journalctl -u hartslag -n 20"
            )
            raise Stop(words) from e


def unblock_bluetooth(rfkill: Path = Path("/sys/class/rfkill")) -> None:
    """Let Bluetooth on, which Raspberry Pi OS blocks; systemd remembers it (docs.kernel.org/driver-api/rfkill.html)."""
    for switch in rfkill.glob("*/soft"):
        try:
            if (
                switch.parent / "type"
            ).read_text().strip() == "bluetooth" and switch.read_text().strip() == "1":
                switch.write_text("0")
        except OSError:
            continue  # a stick that was just pulled out


def remove(place: Place) -> bool:
    """Take the program away, and leave data, settings and their user; whether there was one."""
    if not place.program.exists() and not (place.root / "etc/systemd/system" / SERVICE).exists():
        return False
    if place.is_here:
        run("systemctl", "disable", "--now", SERVICE, needed=False)
    source = place.current / "share" / "hartslag"
    source = source if source.is_dir() else Path(__file__).parents[2]
    for target in (*place.units(source), *place.accounts(source)):
        target.unlink(missing_ok=True)
    wants = place.root / "etc/systemd/system/multi-user.target.wants" / SERVICE
    wants.unlink(missing_ok=True)
    for file in place.completions().values():
        file.unlink(missing_ok=True)
    if is_our_command(place):
        place.command.unlink()
    shutil.rmtree(place.program)
    if place.is_here and Path("/run/systemd/system").is_dir():
        run("systemctl", "daemon-reload")
    return True


# --- files and programs ---


def write_beside(target: Path, content: bytes, mode: int, *, like: Path | None = None) -> None:
    """Write a file whole or not at all, with these permissions, and owner and group `like` those of another."""
    if target.exists() and target.read_bytes() == content:
        return
    beside = target.with_name(f".{target.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        out.write(content)
        if like is not None and os.geteuid() == 0:
            os.fchown(out.fileno(), like.stat().st_uid, like.stat().st_gid)
        os.fchmod(out.fileno(), mode)
        out.flush()
        os.fsync(out.fileno())
    beside.rename(target)


def run(*words: str, needed: bool = True, environ: dict[str, str] | None = None) -> str:
    """What a program of the system answers. Raises Stop with its own words when it is needed and fails."""
    try:
        done = subprocess.run(  # noqa: S603 - programs of the system, with words of our own
            words, capture_output=True, text=True, check=False, env={**os.environ, **(environ or {})}
        )
    except FileNotFoundError as e:
        if not needed:
            return ""
        raise Stop(
            _("There is no program {name} here; a service needs Debian with systemd.").format(name=words[0])
        ) from e
    if done.returncode and needed:
        raise Stop(f"{_said_of(words)}\n  {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _said_of(words: Sequence[str]) -> str:
    return _("This did not work, and says why:  {command}").format(command=" ".join(words))
