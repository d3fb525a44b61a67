"""Sentences that are kept in English, said in another language."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import Fit, workout
from ingest.language import Text, speak
from ingest.retelling import retold
from tests.support.households import hartslag

START = 1_163_500_000


@pytest.fixture(autouse=True)
def dutch() -> Iterator[None]:
    """Speak Dutch for a while."""
    speak("nl")
    yield
    speak("en")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("it has just appeared or changed", "het is net verschenen of veranderd"),
        ("The same file as Monday/run.fit.", "Hetzelfde bestand als Monday/run.fit."),
        ("2 records were written without a heart rate", "2 metingen werden zonder hartslag opgeschreven"),
        (
            "Cut off: its header promises 9 bytes, 3 are there; 2 records were written without a heart rate.",
            "Afgebroken: het begin belooft 9 bytes, 3 zijn er; 2 metingen werden zonder hartslag opgeschreven.",
        ),
        (
            (
                "The heart rate is in its summary alone (a mean of 130 and a maximum of 150 bpm): the workout is kept with it."
                " A better copy of the recording is already stored."
            ),
            (
                "De hartslag staat alleen in de samenvatting (een gemiddelde van 130 en een maximum van 150 bpm): de training"
                " is daarmee bewaard. Er is al een betere kopie van deze opname opgeslagen."
            ),
        ),
        (
            (
                "There is nothing to read in this FIT file (cut off: its checksum is missing; the checksum of its header is"
                " wrong). Copy it from the watch again."
            ),
            (
                "In dit FIT-bestand valt niets te lezen (afgebroken: het controlegetal ontbreekt; het controlegetal van het"
                " begin klopt niet). Kopieer het nog eens van het horloge."
            ),
        ),
        (
            "a/b.fit: It cannot be taken out of the zip: what lies there is damaged. Copy the zip again.",
            (
                "a/b.fit: Het kan niet uit het zipbestand worden gehaald: wat daar ligt is beschadigd. Kopieer het zipbestand"
                " opnieuw."
            ),
        ),
    ],
)
def test_what_was_kept_is_found_again_by_its_words(kept: str, told: str) -> None:
    """Protects who reads Dutch: reasons lie in the journal in English, clause behind clause, and are said whole."""
    assert retold(kept) == told
    speak("en")
    assert retold(kept) == kept


@pytest.mark.parametrize(
    "words", ["", "Anna", "400: field type conflict", "a: b; c. d", "Monday's run. With Jan; fine: yes"]
)
def test_what_nobody_knows_of_stays_as_it_is(words: str) -> None:
    """Protects names and the words of servers from being translated by halves."""
    assert retold(words) == words


def test_a_text_is_said() -> None:
    """Protects what was never kept: a text that still knows its words is said as such."""
    assert retold(Text("The same file as {file}.", file="Monday run")) == "Hetzelfde bestand als Monday run."


def _odd_files() -> dict[str, bytes]:
    """Files that each are stored with a remark, or set aside with a reason."""
    whole = workout(START, [120, 121, 122, 0, 240])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "hello")
    swim = Fit().file_id(4, serial=9, created=START)
    swim.session(START, 900, sport=5, mean=130)
    undated = Fit().file_id(4, serial=9, created=900).records(900, [120] * 30)
    return {
        "whole.fit": whole,
        "cut.fit": whole[:-9],
        "short.fit": whole[:-1],
        "sum.fit": whole[:-1] + bytes([whole[-1] ^ 1]),
        "behind.fit": workout(START + 9000, [120] * 3) + b"log of the watch",
        "zeros.fit": workout(START + 19000, [120] * 3) + bytes(20),
        "swim.fit": swim.done(),
        "undated.fit": undated.done(),
        "empty.fit": b"",
        "no.fit": b"nothing of the kind",
        "photo.fit": b"\xff\xd8\xff" + bytes(50),
        "papers.zip": packed.getvalue(),
        "cut.zip": packed.getvalue()[:-30],
        "none.zip": b"PK\x05\x06" + bytes(18),
        "bad.fit.gz": b"\x1f\x8b" + bytes(20),
    }


def test_no_reason_is_half_english(tmp_path: Path) -> None:
    """Protects Dutch readers from "stored ... Cut off: its header promises": each reason that files give is said in Dutch."""
    inbox = tmp_path / "files"
    inbox.mkdir()
    for name, data in _odd_files().items():
        (inbox / name).write_bytes(data)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hartslag.toml").write_text(
        'language = "nl"\n[[person]]\nname = "Anna"\nborn = 1970\n'
    )
    added = hartslag("--data", tmp_path / "data", "add", inbox)
    status = hartslag("--data", tmp_path / "data", "status").out
    english = {"the", "its", "are", "file", "from", "again", "holds", "with", "wrong"}
    told = [line for line in (added.out + status).splitlines() if ".fit" in line or ".zip" in line]
    assert len(told) > 15
    for line in told:
        assert not english & set(line.split()), line
