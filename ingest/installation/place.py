"""Where the parts of an installed hartslag lie, below the root of a system."""

from dataclasses import dataclass
from pathlib import Path

from ingest.settings.installed import Installed

SERVICE = "hartslag.service"
USER = "hartslag"

COMPLETIONS = {
    "bash": "share/bash-completion/completions/hartslag",
    "zsh": "share/zsh/site-functions/_hartslag",
    "fish": "share/fish/vendor_completions.d/hartslag.fish",
}
"""What each shell asks when the Tab key is pressed, below a folder like /usr/local."""


@dataclass(frozen=True, slots=True)
class Place:
    """A system: the running one, or one whose root lies in a folder of it."""

    root: Path = Path("/")

    @property
    def is_here(self) -> bool:
        """Whether it is the system that we run in."""
        return self.root == Path("/")

    @property
    def program(self) -> Path:
        return self.root / "opt" / "hartslag"

    @property
    def versions(self) -> Path:
        """A folder in it for each version, complete with all that it needs."""
        return self.program / "versions"

    @property
    def current(self) -> Path:
        """A link to the version that counts."""
        return self.program / "current"

    @property
    def command(self) -> Path:
        return self.root / "usr" / "local" / "bin" / "hartslag"

    @property
    def settings(self) -> Path:
        return self.root / "etc" / "hartslag" / "hartslag.toml"

    @property
    def data(self) -> Path:
        return self.root / "var" / "lib" / "hartslag"

    @property
    def installed(self) -> Installed:
        """What the program is told of it."""
        return Installed(self.settings, self.data, USER)

    def accounts(self, source: Path) -> dict[Path, Path]:
        """File that tells of user, group and folders -> where it comes from."""
        found = [
            p for folder in ("sysusers.d", "tmpfiles.d") for p in (source / "systemd" / folder).glob("*.conf")
        ]
        return {self.root / "etc" / p.parent.name / p.name: p for p in found}

    def units(self, source: Path) -> dict[Path, Path]:
        """File that tells of a service, or of a device that starts one -> where it comes from."""
        systemd = source / "systemd"
        found = {self.root / "etc/systemd/system" / p.name: p for p in systemd.glob("*.service")}
        return found | {self.root / "etc/udev/rules.d" / p.name: p for p in systemd.rglob("*.rules")}

    def completions(self) -> dict[str, Path]:
        """Shell -> the file by which it completes."""
        return {shell: self.root / "usr/local" / file for shell, file in COMPLETIONS.items()}
