"""What a file that was read puts into the journal: its rows, within a transaction that is open."""

from ingest.collect.arriving_file import Arrival
from ingest.collect.outcome import Outcome
from ingest.collect.reader_messages import ReadMember
from ingest.formats.recording import Recording
from ingest.journal import Writer
from ingest.language import N_

_FORGOTTEN = N_(
    "That one is forgotten, so this does not count either; `hartslag forget --undo` takes that back."
)

_INSTEAD = N_("It takes the place of {file}, the same recording from a lesser source.")

_BETTER = N_("A better copy of the recording is already stored.")


def arrival_number(w: Writer, arrival: Arrival) -> int:
    """The arrival's number in the journal; its row is made when first needed."""
    if arrival.id is None:
        arrival.id = w.arrival(w.person(arrival.person), arrival.name, arrival.sha256, kept=arrival.kept)
    return arrival.id


def write_file_rows(w: Writer, arrival: Arrival, read: ReadMember) -> Outcome:
    """Write one file's rows within the open transaction."""
    person = w.person(arrival.person)
    recording = read.recording
    outcome, reason = "rejected", read.fault
    twin, lesser = w.copy_of(person, read.sha256), list[int]()
    if twin is not None:
        outcome, reason, recording = "duplicate", N_("The same file as {file}.").format(file=twin), None
    elif recording is not None:
        outcome, reason = ("stored" if recording.whole else "partial"), recording.remarks
        same = w.same_recording(person, recording)
        if same is not None:
            name, earlier, is_better = same
            if is_better:
                lesser, reason = [earlier], f"{reason} {_INSTEAD.format(file=name)}".strip()
            else:
                outcome, reason = "duplicate", N_("The same recording as {file}.").format(file=name)
                recording = None
    better, replaced = w.copies(person, recording) if recording else (None, [])
    if better is not None:
        reason = f"{reason} {_BETTER}"
    if (read.recording is not None or twin is not None) and w.has_forgotten_copy(
        person, read.sha256, read.recording
    ):
        reason = f"{reason} {_FORGOTTEN}"
    shown = arrival.name_of(read.name)
    file = w.file(
        arrival_number(w, arrival), read.name, person, read.sha256, outcome, reason, recording, better
    )
    if recording is not None:
        _write_recording(w, person, file, recording, counts=better is None)
    samples, beats = (recording.samples, recording.beats) if recording else (0, 0)
    content = {
        "name": shown,
        "outcome": outcome,
        "samples": samples,
        "beats": beats,
        "waiting": arrival.waiting,
    }
    if recording is not None and recording.model is not None:
        content |= {"device": recording.model.device, "product": recording.model.product}
    w.entry(person, "file", w.now_ms, w.replace([*lesser, *replaced], file), content, file)
    first, last = (recording and recording.span_ms) or (None, None)
    return Outcome(shown, outcome, arrival.person, samples, beats, first, last, reason, read.name)


def _write_recording(w: Writer, person: int, file: int, recording: Recording, *, counts: bool) -> None:
    """The chunks and facts of a file; what a better copy has already replaced touches nothing."""
    for part in recording.parts:
        source = w.source(person, part.source, part.kind, part.rank)
        for columns in part.columns:
            w.chunk(person, source, columns, file)
    for fact in recording.facts:
        if fact.what == "limits":
            if counts:
                w.limits(person, fact.start_ms, fact.content, file)
        else:
            w.entry(person, fact.what, fact.start_ms, (fact.start_ms, fact.end_ms), fact.content, file)
