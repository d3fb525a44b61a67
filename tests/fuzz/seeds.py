"""Small files, one per quirk, that mutations start from; the fuzz target keeps them on disk under seeds/."""

from ingest.demo.fit_encoder import Fit, day, workout

START = 1_000_000_000


def _compressed() -> bytes:
    file = Fit(header_size=12).file_id(created=START).record(START, 100, local=0)
    for i in range(1, 40):
        file.record(START + i * 3, 100 + i, local=1, compressed=True)
    return file.done()


def _memory() -> bytes:
    file = Fit().file_id(created=START)
    for i in range(0, 60, 5):
        file.record(START + i, 90 + i)
    strap = Fit().file_id(created=START).hr_anchor(START + 10, 123_456, 120, fraction=16384)
    for k in range(5):
        strap.hr_events([123_456 + 700 * (8 * k + i) for i in range(1, 9)], [120 + i for i in range(8)])
    return file.done() + strap.hr_anchor(START + 50, 200_000, 130).done()


def _beats() -> bytes:
    file = Fit(big_endian=True).file_id(created=START)
    for i in range(12):
        file.record(START + i, 75).hrv(800, 810)
    file.beat_intervals(START + 30, [800, 790, 0xFFFF], past_ms=5)
    return file.raw_bbi(START + 40, [(800, 1, 0), (900, 0, 0), (2000, 0, 1)]).done()


def _apps() -> bytes:
    file = Fit().file_id(created=START).developer_field(5)
    for i in range(20):
        file.message(20, (253, "uint32", START + i), developer=[(5, 0, bytes((100 + i,))), (6, 1, b"xy")])
    return file.done()


def _described() -> bytes:
    file = (
        Fit().file_id(created=START).device_info(START, source=1, kind=120).zones_target(188, threshold=170)
    )
    file.user_profile(resting=50).hr_zone(0, 110).hr_zone(1, 130)
    for i in range(30):
        file.record(START + i, 110 + i)
    file.timer(START, start=True).timer(START + 10, start=False).timer(START + 15, start=True).timer(
        START + 30, start=False
    )
    file.session(START, 30, timer=25, mean=120, highest=139).lap(START, 30, mean=120, highest=139)
    file.time_in_zone(START + 30, [110, 120, 130], [0, 10, 10, 5], maximum=188)
    return file.activity(START + 30).done()


def _from_power_on() -> bytes:
    file = Fit().file_id().record(5000, 100).record(5001, 101)
    return file.correlation(START, 5000).record(START + 5, 102).done()


def _all_day() -> bytes:
    file = (
        Fit().file_id(32, created=START).monitoring_info(START).monitoring(START + 60, (24, "byte", 6 | 64))
    )
    file.monitoring(START + 120, (3, "uint32", 90), (4, "uint32", 50_000), (5, "enum", 6), (28, "uint8", 3))
    file.monitoring(START + 900, (33, "uint16", 9), (34, "uint16", 4)).monitoring_bpm(START + 61, 71)
    return (
        file.hsa_heart_rate(START + 1000, [80, 81, 0, 255])
        .monitoring_hr_data(START + 2000, week=51, today=55)
        .done()
    )


SEEDS = (
    workout(START, [100 + i for i in range(30)], strap=True),
    workout(START, [120] * 200),
    day(START, [60, 61, 0, 110, 120, 130, 62]),
    _compressed(),
    _memory(),
    _beats(),
    _apps(),
    _described(),
    _from_power_on(),
    _all_day(),
    Fit().record(START, 100).record(START + 1, 101).done(data_size=0),
)
