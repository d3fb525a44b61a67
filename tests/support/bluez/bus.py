"""A D-Bus of its own for a test: the real dbus-daemon in a private folder."""

import os
import subprocess
from pathlib import Path
from typing import Self

from ingest.collect.adapter import KERNEL_ADAPTERS
from tests.support.needs import program

_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="*"/><allow receive_type="*"/>
<allow send_destination="*"/>{refused}</policy></busconfig>
"""

_REFUSED = '<deny send_destination="org.bluez" send_type="method_call"/>'


class Bus:
    """A message bus; `address` goes into DBUS_SYSTEM_BUS_ADDRESS of whoever shall find it."""

    def __init__(self, folder: Path, *, permitted: bool = True) -> None:
        self._program = program("dbus-daemon", "sudo apt install dbus-daemon")
        self._folder, self._permitted = folder, permitted
        self.address = f"unix:path={folder / 'bus'}"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Ready for connections when this returns."""
        socket, configuration = self._folder / "bus", self._folder / "bus.conf"
        socket.unlink(missing_ok=True)
        configuration.write_text(
            _CONFIGURATION.format(socket=socket, refused="" if self._permitted else _REFUSED)
        )
        self._process = subprocess.Popen(
            [self._program, f"--config-file={configuration}", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("DBUS_")},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def stop(self) -> None:
        """Gone, as dbus-daemon goes: every connection ends."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def state_without_a_bus() -> str:
    """How straps are where D-Bus cannot be reached: it depends on whether this machine has an adapter for which it is missed."""
    has_adapter = KERNEL_ADAPTERS.is_dir() and any(KERNEL_ADAPTERS.iterdir())
    return "no Bluetooth service" if has_adapter else "adapter missing"
