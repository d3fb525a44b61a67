"""What the watch says of itself, the workout and the heart of its wearer."""

import fitparse
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, LAP, SESSION, Field, Fit, workout
from ingest.formats import fit
from ingest.formats.fit import Device, Limits
from ingest.formats.fit.contents import parse_contents
from ingest.formats.fit.description import WANTED, describe
from ingest.formats.fit.era import NEVER
from ingest.formats.fit.recording import to_recording

START = 1_000_000_000


def moment(seconds: float) -> np.datetime64:
    return np.datetime64(round((seconds + ERA) * 1000), "ms")


def test_device() -> None:
    """Maker, product, serial, type and time of creation come from the first file_id of a chain."""
    first = Fit().file_id(4, manufacturer=1, product=2697, serial=42, created=START).record(START, 60)
    second = Fit().file_id(2, manufacturer=23, product=7, serial=43)
    assert fit.read(first.done() + second.done()).device == Device(
        "garmin", "fenix5", 42, "activity", moment(START), None
    )


def test_a_maker_that_no_profile_knows() -> None:
    """A number says more than nothing; a product's own name more than its number."""
    file = Fit().message(
        0, (0, "enum", 4), (1, "uint16", 65000), (2, "uint16", 8), (8, "string", "Dura"), (4, "uint32", 5)
    )
    device = fit.read(file.done()).device
    assert (device.manufacturer, device.product, device.created) == ("manufacturer 65000", "Dura", None)


@pytest.mark.parametrize(
    ("source", "kind", "sensor"),
    [(1, 120, "strap"), (3, 1, "strap"), (5, 10, "wrist"), (5, 4, None), (1, 123, None)],
)
def test_sensor(source: int, kind: int, sensor: str | None) -> None:
    """A chest strap is told from the wrist and from other sensors by what device_info calls it."""
    file = Fit().record(START, 60).device_info(START, source=source, kind=kind)
    assert fit.read(file.done()).device.sensor == sensor


def test_a_strap_beside_the_wrist_is_the_strap() -> None:
    """Watches list their own sensor also when a strap did the measuring."""
    file = (
        Fit().device_info(START, source=5, kind=10).device_info(START, source=1, kind=120).record(START, 60)
    )
    assert fit.read(file.done()).device.sensor == "strap"


def test_a_memory_is_a_strap() -> None:
    """Only chest straps remember, so `hr` messages tell the sensor as well."""
    assert fit.read(Fit().hr_anchor(START, 5, 70).done()).device.sensor == "strap"


def test_session() -> None:
    """A session begins where it says, lasts its elapsed time, and keeps the watch's own sums."""
    file = Fit().record(START, 99)
    file.session(
        START, 1800.5, timer=1500.25, sport=11, sub_sport=0, mean=120, highest=150, stamped=START + 9000
    )
    (session,) = fit.read(file.done()).sessions
    assert (session.start, session.end) == (moment(START), moment(START + 1800.5))
    assert (session.sport, session.sub_sport, session.timer_s) == ("walking", "generic", 1500.25)
    assert (session.bpm_mean, session.bpm_max) == (120, 150)


@pytest.mark.parametrize(
    ("number", "name"), [(5, "swimming"), (65, "wheelchair_push_walk"), (200, "sport 200")]
)
def test_sports(number: int, name: str) -> None:
    """Sports newer than fitparse have their names, unknown ones their number."""
    assert fit.read(Fit().session(START, 60, sport=number).done()).sessions[0].sport == name


@pytest.mark.parametrize("length", [(7, "uint32", 600_000), (8, "uint32", 600_000)], ids=["elapsed", "timer"])
@pytest.mark.parametrize("start", [(), ((2, "uint32", 0xFFFFFFFF),)], ids=["none", "invalid"])
def test_a_session_that_tells_no_start_began_its_length_before_its_end(
    start: tuple[Field, ...], length: Field
) -> None:
    """Protects the sport and the heart rate in the summary of a workout whose start its program did not write."""
    told = (253, "uint32", START + 600), *start, length, (5, "enum", 2), (16, "uint8", 131)
    (session,) = fit.read(Fit().message(SESSION, *told).done()).sessions
    assert (session.start, session.end) == (moment(START), moment(START + 600))
    assert (session.sport, session.bpm_mean) == ("cycling", 131)
    zoned = Fit().time_in_zone(START + 600, [100, 120], [0, 0, 600]).message(SESSION, *told)
    assert fit.read(zoned.done()).sessions[0].zone_s == (0, 0, 600)


def test_a_session_without_any_time_still_tells_the_sport() -> None:
    """Where samples alone tell when a workout was, what was done is not unknown."""
    file = Fit().records(START, [120] * 60).message(SESSION, (5, "enum", 2), (6, "enum", 6), local=3)
    (session,) = fit.read(file.done()).sessions
    assert (session.start, session.sport, session.sub_sport) == (moment(START), "cycling", "indoor_cycling")


MEAN_AND_MAXIMUM: list[Field] = [(16, "uint8", 130), (17, "uint8", 160)]


@pytest.mark.parametrize(
    "file",
    [
        Fit().file_id(4).message(SESSION, (5, "enum", 5), *MEAN_AND_MAXIMUM),
        Fit().file_id(4).message(SESSION, (253, "uint32", NEVER), (2, "uint32", NEVER), *MEAN_AND_MAXIMUM),
        Fit().file_id(4).message(SESSION, (7, "uint32", 1_800_000), *MEAN_AND_MAXIMUM),
        Fit().file_id(4).message(SESSION, (2, "uint32", START), *MEAN_AND_MAXIMUM),
        Fit().file_id(4).message(LAP, (15, "uint8", 130), (16, "uint8", 160)),
    ],
    ids=["no time", "times that are none", "a length", "a start", "a lap"],
)
def test_a_summary_that_tells_no_time_is_told(file: Fit) -> None:
    """Protects its owner from hearing that a file holds no heart rate, when it is its time that nobody knows."""
    (note,) = fit.read(file.done()).notes
    assert "a mean of 130 and a maximum of 160 bpm" in note
    assert "does not tell from when to when" in note


def test_sessions_in_order() -> None:
    """A triathlon's sessions come in order of time, also over chained files; one without a date is left out."""
    file = Fit().session(START + 900, 60, sport=2).session(START, 60, sport=5).session(4000, 60)
    data = file.done() + Fit().session(START + 500, 60, sport=1).done()
    assert [s.sport for s in fit.read(data).sessions] == ["swimming", "running", "cycling"]


def test_swim_with_heart_rate_in_laps_only() -> None:
    """Where the session has no mean the laps within it give one, weighted by their time."""
    file = (
        Fit()
        .session(START, 400, sport=5)
        .lap(START, 100, mean=100, highest=120)
        .lap(START + 100, 300, mean=140, highest=150)
    )
    found = fit.read(file.lap(START + 5000, 100, mean=200).done())
    assert (found.sessions[0].bpm_mean, found.sessions[0].bpm_max) == (130, 150)
    assert found.series == ()
    told = "the heart rate is in its summary alone (a mean of 130 and a maximum of 150 bpm):"
    assert found.notes == (f"{told} the workout is kept with it",)


@pytest.mark.parametrize(
    ("mean", "highest", "kept", "note"),
    [
        (
            128,
            150,
            (128, 150),
            "the heart rate is in its summary alone (a mean of 128 and a maximum of 150 bpm)",
        ),
        (128, 255, (128, None), "the heart rate is in its summary alone (a mean of 128 bpm and no maximum)"),
        (0, 155, (None, 155), "the heart rate is in its summary alone (a maximum of 155 bpm and no mean)"),
        (0, 0, (None, None), "holds no heart rate"),
        (250, 255, (None, None), "left out of its summary: a mean of 250 bpm is no heart rate"),
        (20, 140, (None, 140), "left out of its summary: a mean of 20 bpm is no heart rate"),
        (130, 240, (130, None), "left out of its summary: a maximum of 240 bpm is no heart rate"),
        (140, 120, (None, None), "a maximum of 120 bpm cannot be with a mean of 140, so neither is believed"),
    ],
)
def test_a_summary_that_cannot_be_is_left_out(
    mean: int, highest: int, kept: tuple[int | None, int | None], note: str
) -> None:
    """What a swim sums up is kept where a heart can have done it, and else left out with the reason; "unknown bpm" is said of nothing."""
    found = fit.read(
        Fit().file_id(4, serial=1, created=START).session(START, 60, mean=mean, highest=highest).done()
    )
    assert (found.sessions[0].bpm_mean, found.sessions[0].bpm_max) == kept
    assert note in "; ".join(found.notes)


@pytest.mark.parametrize("timer", [99_999, 0])
def test_a_lap_whose_timer_cannot_be_weighs_no_more_than_it_lasted(timer: int) -> None:
    """Protects the mean of a swim from one lap of nonsense."""
    file = Fit().session(START, 400, sport=5).lap(START, 100, mean=100)
    file.message(
        19,
        (253, "uint32", START + 400),
        (2, "uint32", START + 100),
        (7, "uint32", 300_000),
        (8, "uint32", timer * 1000),
        (15, "uint8", 140),
        local=4,
    )
    (session,) = fit.read(file.done()).sessions
    assert session.bpm_mean == 130


def test_laps_stand_in_for_a_mean_that_cannot_be() -> None:
    """A mean of 250 is left out, and that of the laps is kept; laps that tell no maximum make none."""
    file = Fit().session(START, 400, sport=5, mean=250, highest=160).lap(START, 400, mean=140)
    found = fit.read(file.done())
    assert (found.sessions[0].bpm_mean, found.sessions[0].bpm_max) == (140, 160)
    assert "a mean of 250 bpm is no heart rate" in "; ".join(found.notes)


@pytest.mark.parametrize(
    ("file", "limits"),
    [
        (Fit().zones_target(188, threshold=170), Limits(188, None, 170, "zones_target")),
        (Fit().user_profile(resting=52, maximum=190), Limits(190, 52, None, "user_profile")),
        (Fit().user_profile(resting=0, maximum=0), None),
        (
            Fit()
            .zones_target(188)
            .user_profile(resting=52, maximum=190)
            .monitoring_hr_data(START, week=49, today=60),
            Limits(188, 49, None, "zones_target, monitoring_hr_data"),
        ),
        (
            Fit()
            .zones_target(188)
            .time_in_zone(START, [100, 120, 140], [1, 1, 1, 1], maximum=181, resting=50, threshold=165),
            Limits(181, 50, 165, "time_in_zone", (100, 120, 140)),
        ),
        (
            Fit().hr_zone(0, 110).hr_zone(1, 130).hr_zone(2, 150).hr_zone(3, 254).zones_target(177),
            Limits(177, None, None, "zones_target, hr_zone", (110, 130, 150)),
        ),
        (Fit().record(START, 60), None),
    ],
)
def test_limits(file: Fit, limits: Limits | None) -> None:
    """The nearest message decides, each limit for itself, and the origin names them all."""
    assert fit.read(file.done()).limits == limits


def test_a_description_in_pieces_does_not_cost_the_heart_rate() -> None:
    """Fields of impossible sizes and types, as COROS writes them, are read round."""
    file = Fit().define(21, [(253, 4, 0x86), (3, 1, 0x86)]).raw(b"\0" + bytes(5))
    file.define(
        SESSION,
        [(2, 4, 0x86), (5, 1, 0x84), (7, 3, 0x86), (16, 1, 0x02), (6, 0, 0x00), (17, 1, 0x7F)],
        local=3,
    )
    file.raw(b"\x03" + START.to_bytes(4, "little") + b"\x0b" + b"\1\2\3" + b"\x6e" + b"\x96")
    file.define(0, [(1, 2, 0x04), (0, 1, 0x40)], local=4).raw(b"\x04\x01\x00\x04")
    for i in range(9):
        file.record(START + i, 100)
    found = fit.read(file.done())
    assert found.faults == ()
    assert len(found.series[0]) == 9
    assert found.device.manufacturer == "garmin"


def test_developer_fields_in_descriptive_messages() -> None:
    """A session with an app's own fields is read, described or not."""
    file = Fit().message(
        SESSION, (2, "uint32", START), (7, "uint32", 60_000), (5, "enum", 2), developer=[(0, 0, b"abc")]
    )
    assert fit.read(file.record(START, 60).done()).sessions[0].sport == "cycling"


def test_descriptions_without_end() -> None:
    """More descriptive messages than any watch writes are cut short, and said so."""
    file = Fit().record(START, 60)
    for i in range(1200):
        file.session(START + i, 1)
    found = fit.read(file.done())
    assert len(found.sessions) == 1000
    assert any("descriptive" in fault for fault in found.faults)


BASES = {
    1: [0x00, 0x01, 0x02, 0x07, 0x0A, 0x0D],
    2: [0x83, 0x84, 0x8B],
    4: [0x85, 0x86, 0x88, 0x8C],
    8: [0x89, 0x8E, 0x8F, 0x90],
}
"""Base types by their size (FIT SDK, "FIT Protocol")."""


@st.composite
def described(draw: st.DrawFn) -> tuple[int, Fit]:
    """A descriptive message: some of its fields in any type, with any bytes in them, and the values that stand for none."""
    number = draw(st.sampled_from(sorted(WANTED)))
    fields = draw(st.lists(st.sampled_from(sorted(WANTED[number])), unique=True, min_size=1))
    layout, content = [], b""
    for wanted in fields:
        size = draw(st.sampled_from(sorted(BASES)))
        base, times = draw(st.sampled_from(BASES[size])), draw(st.sampled_from([1, 1, 1, 2]))
        one = st.sampled_from([b"\xff" * size, bytes(size), b"\1" + bytes(size - 1), bytes(size - 1) + b"\1"])
        layout.append((wanted, size * times, base))
        content += draw(one | st.binary(min_size=size, max_size=size)) * times
    return number, Fit(big_endian=draw(st.booleans())).define(number, layout).raw(b"\0" + content)


class Untouched:
    """Leaves what fitparse read as it is: no datetimes, no units."""

    def leave(self, _: object) -> None: ...

    run_type_processor = run_field_processor = run_unit_processor = run_message_processor = leave


@given(described())
def test_the_same_as_fitparse(made: tuple[int, Fit]) -> None:
    """Numbers, words and seconds of descriptive messages are those that fitparse reads, whatever their types: sources are named by them."""
    number, file = made
    (theirs,) = fitparse.FitFile(file.done(), data_processor=Untouched()).get_messages()
    found = describe(parse_contents(file.done())).messages_of(number)
    for value in theirs.fields:
        ours = found[0].values.get(value.def_num)
        assert ours == (None if isinstance(value.raw_value, tuple) else value.raw_value), value
        word = value.value if isinstance(value.value, str) else ""
        assert found[0].name(value.def_num) == (word.strip() or None), value
        if number == SESSION and value.def_num in (7, 8) and isinstance(ours, int | float):
            assert found[0].seconds(value.def_num) == value.value


def test_settings_file_is_intact_and_says_what_it_is() -> None:
    """A file that never had heart rate in it is no fault of anyone."""
    found = fit.read(Fit().file_id(2).zones_target(180).done())
    assert (found.series, found.faults) == ((), ())
    assert found.notes == ("holds no heart rate: a file of type settings",)


@pytest.mark.parametrize(
    ("kind", "called"), [(14, "blood pressure"), (49, "sleep"), (68, "HRV status"), (73, "73")]
)
def test_a_type_of_file_is_called_as_people_do(kind: int, called: str) -> None:
    """Protects who drops the whole memory of a watch from "file type 49", and from words with underscores."""
    assert fit.read(Fit().file_id(kind).done()).notes == (f"holds no heart rate: a file of type {called}",)


@pytest.mark.parametrize("kind", [6, 34])
def test_the_heart_rates_of_a_way_to_follow_are_told(kind: int) -> None:
    """Protects a week from a friend's ride that came as a course: it counts, as converters write such, and is never silent."""
    (note,) = fit.read(Fit().file_id(kind).records(START, [120] * 60).done()).notes
    assert "it is no workout" in note
    assert "`hartslag forget` takes them out" in note
    assert fit.read(Fit().file_id(4).records(START, [120] * 60).done()).notes == ()


def test_no_sensor() -> None:
    """A workout whose every heart rate is 0 had no sensor; the note says so."""
    found = fit.read(workout(START, [0] * 30))
    assert found.dropped == 30
    assert found.notes == ("holds no heart rate: all 30 values say that there was no sensor",)
    said = "Holds no heart rate: all 30 values say that there was no sensor."
    assert to_recording(found).remarks == said, "told once: they are not values that were thrown away, too"
