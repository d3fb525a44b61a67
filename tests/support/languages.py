"""Another language, for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest.language import gettext, speak, spoken_language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything is said in that language inside."""
    before = spoken_language()
    speak(language)
    try:
        yield
    finally:
        speak(before)


def said(text: str, language: str) -> str:
    """A text of the catalogues in that language."""
    with speaking(language):
        return gettext(text)
