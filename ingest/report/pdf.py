"""A page as PDF, by a program that is there anyway: Chromium, or WeasyPrint."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.errors import Stop
from ingest.language import gettext as _

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")

PATIENCE_S = 180
"""A Pi Zero starts a browser in half a minute."""


def pdf_of(page: str) -> bytes:
    """The page on paper of A4. Raises Stop, with what to install, where no program can do that."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    weasyprint = shutil.which("weasyprint")
    if browser is None and weasyprint is None:
        raise Stop(
            _(
                "A PDF needs a program that can make one, and none is installed. This installs one:\n"
                "    sudo apt install weasyprint\n"
                "Or leave out --pdf, open the page in a browser, and print it there."
            )
        )
    with TemporaryDirectory(prefix="hartslag-") as place:
        source, target = Path(place) / "page.html", Path(place) / "page.pdf"
        source.write_text(page, "utf-8")
        words = (
            _browser_words(browser, source, target, Path(place))
            if browser
            else [str(weasyprint), "--quiet", str(source), str(target)]
        )
        try:
            done = subprocess.run(  # noqa: S603 - programs of the system, and paths of our own
                words, capture_output=True, timeout=PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise _failed(words[0], str(e)) from e
        if done.returncode or not target.exists() or not target.stat().st_size:
            raise _failed(words[0], done.stderr.decode("utf-8", "replace").strip()[-300:])
        return target.read_bytes()


def _browser_words(browser: str, source: Path, target: Path, place: Path) -> list[str]:
    return [
        browser,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--no-pdf-header-footer",
        f"--user-data-dir={place / 'profile'}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # it refuses to run as root otherwise
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]


def _failed(program: str, why: str) -> Stop:
    return Stop(
        _(
            "{program} could not make the PDF: {why}\nLeave out --pdf, open the page in a browser, and print it there."
        ).format(program=program, why=why or "?")
    )
