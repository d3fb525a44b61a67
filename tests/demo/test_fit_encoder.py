"""The FIT encoder: columns of messages are the messages, written faster."""

from ingest.demo.fit_encoder import Fit
from ingest.formats.file_formats import read_recording

START = 1_000_000_000
BPM = [70, 71, 80, 95, 120]


def test_a_column_of_records_is_as_many_records() -> None:
    """Protects the made-up workouts: what is written at once reads as what is written one by one."""
    one_by_one, at_once = Fit().file_id(created=START), Fit().file_id(created=START).records(START, BPM)
    for i, bpm in enumerate(BPM):
        one_by_one.message(20, (253, "uint32", START + i), (3, "uint8", bpm), local=1)
    assert at_once.done() == one_by_one.done()
    assert read_recording(at_once.done()).samples == len(BPM)


def test_a_column_of_all_day_rates_is_as_many_messages() -> None:
    """Protects the made-up days likewise, in both orders of bytes."""
    for big_endian in (False, True):
        files = [Fit(big_endian=big_endian).file_id(32, created=START).monitoring_info(START) for _ in "12"]
        times = [START + 60 * i for i in range(1, len(BPM) + 1)]
        for time, bpm in zip(times, BPM, strict=True):
            files[0].monitoring_bpm(time, bpm)
        files[1].monitoring_rates(times, BPM)
        assert files[0].done() == files[1].done()
