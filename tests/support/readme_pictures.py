"""The pictures in README and docs/, drawn from the made-up household of `hartslag demo`: `make readme-pictures`.

python -m tests.support.readme_pictures [FOLDER]
"""

import argparse
import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.drawing import INSTALLS, drawing_process
from tests.support.grafana_server import ask_address
from tests.support.needs import program

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
COLUMNS, LINES = 80, 50
COLOURS = 96
"""Of a picture: flat areas and text need few, and a page with small pictures is there at once."""


def hartslag(*words: str) -> str:
    """What a verb says."""
    return subprocess.run(
        [sys.executable, "-m", "ingest", *words], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def on_a_terminal(*words: str) -> str:
    """What a verb shows on a terminal of 80 columns, with its colours."""
    shown = bytearray()

    def keep(terminal: int) -> bytes:
        read = os.read(terminal, 4096)
        shown.extend(read)
        return b""

    os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(LINES), LANG="C.UTF-8")
    pty.spawn([sys.executable, "-m", "ingest", *words], keep)
    return shown.decode().replace("\r\n", "\n")


def draw_terminal(command: str, shown: str, picture: Path) -> None:
    """A window with a command and what it shows, as a drawing whose text stays text and that loads no font."""
    import io
    import re

    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(f"\x1b[1m$ {command}\x1b[0m\n\n{shown.rstrip()}"))
    svg = console.export_svg(title="hartslag", unique_id="hartslag")
    picture.write_text(re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL))


@contextmanager
def demo_household() -> Iterator[Path]:
    """The data folder of a made-up household that speaks English, up to now."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "demo"
        hartslag("demo", str(data), "--language", "en")
        yield data


def draw_dashboard(data: Path, name: str, theme: str, picture: Path) -> None:
    """A dashboard on a phone, as `hartslag grafana` writes it for that household."""
    boards = data.parent / "grafana"
    hartslag("--data", str(data), "grafana", str(boards))
    (board,) = boards.rglob(f"{name}.json")
    store, now_ms = data / "store" / "hartslag.db", round(time.time() * 1000)
    with drawing_process(lambda *_: store, lambda _: now_ms) as (server, draw):
        drawn = draw(
            {
                "id": name,
                "dashboard": json.loads(board.read_text()),
                "ask": ask_address(server, "demo", "sqlite"),
                "width": 390,
                "height": 844,
                "theme": theme,
                "kiosk": True,
                "now_ms": now_ms,
                "time": None,
                "others": [],
                "picture": str(picture),
                "full_page": False,
            }
        )
    assert "failed" not in drawn, drawn
    make_small(picture)


def draw_page(page: Path, width: int, height: int, picture: Path) -> None:
    """The top of a page in Chromium."""
    chromium = os.environ.get("CHROMIUM") or program("chromium", INSTALLS)
    subprocess.run(
        [
            chromium,
            "--headless",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--hide-scrollbars",
            f"--window-size={width},{height}",
            f"--screenshot={picture}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )
    make_small(picture)


def make_small(picture: Path) -> None:
    """The same picture in few colours."""
    from PIL import Image

    with Image.open(picture) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    """Draw them all."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    folder: Path = given.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with demo_household() as data:
        draw_dashboard(data, "week", "light", folder / "week-phone.png")
        shown = on_a_terminal("--data", str(data), "week", "Robin Example", "--weeks", "4")
        draw_terminal("hartslag week", shown, folder / "week-terminal.svg")
        page = data.parent / "report.html"
        hartslag("--data", str(data), "report", "Robin Example", "--out", str(page))
        draw_page(page, 720, 1270, folder / "report.png")
    for picture in sorted(folder.iterdir()):
        print(f"{picture}: {picture.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
