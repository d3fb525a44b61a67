"""Both ways to a checksum give what the definition gives."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo import fit_encoder
from ingest.formats.fit.crc import BLOCK, by_numpy, crc16


@given(st.binary(max_size=700))
def test_equal_to_the_definition(data: bytes) -> None:
    """The compiled way and numpy agree with bit-by-bit arithmetic."""
    assert by_numpy(data) == crc16(data) == fit_encoder.crc16(data)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 12345])
def test_across_blocks(size: int) -> None:
    """Block borders, odd sizes and leading zeros change nothing."""
    data = bytes(size // 3) + bytes(range(251)) * (size // 251 + 1)
    assert by_numpy(data[:size]) == crc16(data[:size])


def test_checksum_of_a_file_with_its_checksum_is_zero() -> None:
    """The property by which a file is checked in one call, however many are chained."""
    data = fit_encoder.workout(1_000_000_000, [100] * 5)
    assert crc16(data) == crc16(data * 3) == 0


def test_without_the_compiled_library() -> None:
    """A machine without fastcrc reads the same and still notices damage."""
    program = (
        "import sys; sys.modules['fastcrc'] = None; sys.modules['fastcrc.crc16'] = None\n"
        "from ingest.formats import fit\n"
        "from ingest.formats.fit import crc\n"
        "from ingest.demo.fit_encoder import workout\n"
        "data = workout(1_000_000_000, [100] * 50)\n"
        "assert crc._compiled is None\n"
        "assert fit.looks_whole(data) and not fit.looks_whole(data[:-1] + b'?')\n"
        "assert len(fit.read(data).series[0]) == 50\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_reader_is_cheap() -> None:
    """Nothing imports fitparse until there is something to describe, and no table is built before it is needed."""
    program = (
        "import sys\n"
        "from ingest.formats import fit\n"
        "from ingest.formats.fit import crc\n"
        "assert 'fitparse' not in sys.modules\n"
        "assert crc._after_words.cache_info().currsize == 0\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
