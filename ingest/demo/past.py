"""The past of the made-up household: its files go through a real inbox, its straps into the real recorder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from operator import attrgetter

from ingest.collect.arrival import Arrivals
from ingest.collect.inbox import Inbox
from ingest.collect.reader_process import ReaderProcess
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.demo.day import MINUTE_MS, MadeUpDay, day_minutes
from ingest.demo.effort import Effort
from ingest.demo.story import ROBINS_MAXIMUM_BPM, Story
from ingest.demo.straps import MadeUpClock, MadeUpStrap, wear
from ingest.demo.watch import MADE_UP, all_day_file, workout_file
from ingest.household import open_journal, owner_of_folder, register_person
from ingest.journal import Journal
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore

BREAKFAST_MS = 445 * MINUTE_MS
"""After midnight, when the watch brings the file of the day before."""

NEW_MS, AT_ONCE_MS = 4 * MINUTE_MS, 2 * MINUTE_MS
"""Before now, until when the newest file of the watch reaches, and when it came."""

Progress = Callable[[float], None]
"""Told how much of the work was done since it was last told; all of it is 1."""

STORES_SHARE = 0.35
"""How much of the work it is to fill the store."""


@dataclass(frozen=True)
class Happening:
    """What comes in at a moment: files of the watch, or a strap that is worn for a workout."""

    at_ms: int
    files: dict[str, bytes] = field(default_factory=dict)
    worn: tuple[MadeUpStrap, Effort] | None = None


def live_through(
    settings: Settings, story: Story, straps: tuple[MadeUpStrap, MadeUpStrap], progress: Progress
) -> None:
    """Let the household of the settings live until the moment of the story, and the store follow.

    `straps` are those of the first and the second person. Raises TryLater when the disk is full.
    """
    # An end by force leaves nothing that is used: the card need not remember each minute of twelve weeks.
    clock = MadeUpClock(story.robins_day(story.first).start_ms)
    with (
        open_journal(settings, create=True, now_ms=clock.wall_ms, synced=False) as journal,
        ReaderProcess(settings.inbox.largest_mb << 20, folder=settings.data) as reader,
    ):
        arrivals = Arrivals(journal, reader, settings.data)
        recorder = Recorder(settings.journal_file, clock, on_commit=lambda: None)
        inbox = _MadeUpInbox(settings, journal, arrivals, clock, reader)
        for of_day in happenings(story, straps):
            for happening in of_day:
                clock.move_to(happening.at_ms)
                inbox.take(happening.files)
                if happening.worn:
                    wear(*happening.worn, recorder, journal, clock, story.now_ms)
            progress((1 - STORES_SHARE) / story.days)
        clock.move_to(story.now_ms)
        for strap in straps:
            recorder.record_state(strap.owner, StrapState("stopped", battery_pct=strap.battery_at_end))
        recorder.commit(journal)
        arrivals.flush()
        _fill_store(settings, journal, progress)


class _MadeUpInbox:
    """The inbox of the household, in which what is dropped stands still until the clock has moved on."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        arrivals: Arrivals,
        clock: MadeUpClock,
        reader: ReaderProcess,
    ) -> None:
        self._settings, self._journal, self._arrivals, self._clock = settings, journal, arrivals, clock
        self._inbox = Inbox(
            settings.inbox_folder,
            partial(owner_of_folder, settings),
            lambda: clock.steady_ms() / 1000,
            settle_s=settings.inbox.settle_s,
            patience_s=settings.inbox.patience_s,
            looks_whole=reader.looks_whole,
        )

    def take(self, files: dict[str, bytes]) -> None:
        """Drop files into the folder of the first person, and have them taken once they are found to be whole."""
        if not files:
            return
        folder = self._settings.inbox_folder / self._settings.default_person
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self._inbox.scan()
        self._clock.move_to(self._clock.wall_ms() + round(self._settings.inbox.settle_s * 1000))
        arrived = self._inbox.scan().arrived
        for done, candidate in enumerate(arrived, start=1):
            person = register_person(self._journal, self._settings, candidate.person)
            self._arrivals.take(candidate.path, candidate.name, person, waiting=len(arrived) - done)


def happenings(story: Story, straps: tuple[MadeUpStrap, MadeUpStrap]) -> Iterator[list[Happening]]:
    """What comes in on each day, in order of time."""
    yesterday: MadeUpDay | None = None
    for number in range(story.days):
        date = story.first + timedelta(days=number)
        today = story.robins_day(date)
        found = [
            *_all_day_files(story, yesterday, today),
            *_workouts(story, today, straps[0], story.robins_zone(date), has_maximum=date >= story.tested),
            *(
                Happening(e.start_ms, worn=(straps[1], e))
                for e in story.sams_efforts(date)
                if e.end_ms <= story.now_ms
            ),
        ]
        yield sorted(found, key=attrgetter("at_ms"))
        yesterday = today


def _all_day_files(story: Story, yesterday: MadeUpDay | None, today: MadeUpDay) -> Iterator[Happening]:
    """The file of the day before at breakfast, and today's just now."""
    last_ms = story.now_ms - AT_ONCE_MS
    for day, at_ms in ((yesterday, min(today.start_ms + BREAKFAST_MS, last_ms)), (today, last_ms)):
        if day is not None and (day is yesterday or today.end_ms > story.now_ms):
            file = all_day_file(day, day_minutes(day, story.now_ms - NEW_MS))
            if file is not None:
                yield Happening(at_ms, {f"{day.name} all day {MADE_UP}.fit": file})


def _workouts(
    story: Story, today: MadeUpDay, strap: MadeUpStrap, zone: tzinfo, *, has_maximum: bool
) -> Iterator[Happening]:
    """The workouts of the first person: what the strap tells meanwhile, and the watch's file some minutes later."""
    for effort in today.efforts:
        if effort.by_strap and effort.end_ms <= story.now_ms:
            yield Happening(effort.start_ms, worn=(strap, effort))
        came_ms = effort.end_ms + NEW_MS
        if effort.by_watch and came_ms <= story.now_ms:
            began = datetime.fromtimestamp(effort.start_ms / 1000, zone)
            name = f"{began:%Y-%m-%d %H%M} {effort.sport.name} {MADE_UP}.fit"
            yield Happening(
                came_ms, {name: workout_file(effort, ROBINS_MAXIMUM_BPM if has_maximum else None)}
            )


def _fill_store(settings: Settings, journal: Journal, progress: Progress) -> None:
    at = 0

    def tell(position: int, last: int) -> None:
        nonlocal at
        progress(STORES_SHARE * (position - at) / last)
        at = position

    with SqliteStore(settings.store_file) as store:
        follow(journal, store, progress=tell)
