"""Are the data whole, copied, and where they can be read? Journal, copies, stores and Grafana, files that wait or were set aside."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.errors import DiskFull
from ingest.language import gettext as _
from ingest.language import ngettext, said
from ingest.log import quoted
from ingest.retelling import retold
from ingest.verbs.finding import FAIL, OK, WARN, Finding
from ingest.verbs.left_behind import left_behind_texts
from ingest.verbs.times import age_text

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.stores.contract import Store

LATELY_DAYS = 7

_MOST = 10
_DAY_MS = 86_400_000


def data_findings(settings: "Settings", journal: "Journal | None") -> Iterator[Finding]:
    """Everything that was collected, and what became of it; no journal yet is no fault."""
    if journal is None and (held := held_without_journal(settings)):
        yield Finding(WARN, "journal", *held)
        yield from _backup(settings)
        yield from _server(settings, None)
        return
    if journal is None:
        told = _("Journal {path}: not made yet; the daemon makes it").format(path=settings.journal_file)
        yield Finding(OK, "journal", told)
        yield from _backup(settings)
        yield from _server(settings, None)
        return
    yield from _journal(settings, journal)
    yield from _backup(settings)
    yield from (Finding(WARN, "persons", *told) for told in left_behind_texts(settings, journal))
    yield from _limits(settings, journal)
    yield from _watches(settings, journal)
    yield from _stores(settings, journal)
    yield from _inbox(settings, journal)


def no_room_findings(settings: "Settings", error: DiskFull) -> Iterator[Finding]:
    """A disk on which something cannot be looked at, unless it is the one of the data, which is told of by itself."""
    from ingest.verbs.check_machine import LEAST_FREE_BYTES, free_bytes

    if free_bytes(settings) >= LEAST_FREE_BYTES:
        yield Finding(FAIL, "room", said(error.text))


def held_without_journal(settings: "Settings") -> tuple[str, str] | None:
    """What to say and do where the journal is gone and something was collected before; None where nothing was."""
    if not (settings.store_file.exists() or any(settings.archive.glob("*/**/*.*"))):
        return None
    seen = _("Journal {path}: gone, though something was collected here before").format(
        path=settings.journal_file
    )
    do = _(
        "`hartslag restore` shows the copies there are; without one `hartslag run` begins a new journal, and reads the files of"
        " the archive again"
    )
    return seen, do


def _journal(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    called = _("Journal {path}").format(path=journal.path)
    from ingest.journal.mending import whole

    try:
        faults = whole(journal.path)
    except DiskFull as e:
        yield from no_room_findings(settings, e)
        return
    do = _("Run `hartslag repair`: all that can be read goes into a new journal, and the rest is named.")
    yield from _faults("journal", called, faults, do)
    yield from _losses(settings, journal)
    if settings.journal_file.stat().st_mode & 0o007:
        told = _("Journal {path} is open to others than its owner and group").format(path=journal.path)
        yield Finding(FAIL, "journal", told, f"chmod o-rwx {journal.path}")


def _losses(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    """What was lost lately, and what counts again for that."""
    from ingest.household import places_of
    from ingest.verbs.loss_words import loss_text, recent_losses

    lost = recent_losses(places_of(settings), journal)
    for loss in lost[:_MOST]:
        if loss["counts_again"]:
            yield Finding(
                WARN, "journal", loss_text(loss), _("Say it once more by that line, if it still holds")
            )
        else:
            told = _("Journal: gone for good: {what}").format(what=loss_text(loss))
            do = _(
                "Nothing brings it back, unless a copy has it: `hartslag restore` shows them. It is told for 30 days"
            )
            yield Finding(WARN, "journal", told, do)
    if len(lost) > _MOST:
        yield Finding(
            WARN,
            "journal",
            _("... and {count} more.").format(count=len(lost) - _MOST),
            "`hartslag status --json`",
        )


def _faults(subject: str, called: str, faults: list[str], do: str) -> Iterator[Finding]:
    if not faults:
        yield Finding(OK, subject, _("{what}: whole").format(what=called))
    for fault in faults[:_MOST]:
        yield Finding(FAIL, subject, f"{called}: {fault}", do)


def _backup(settings: "Settings") -> Iterator[Finding]:
    """How old the newest copy is. Whoever names no folder for copies is told so, for a card dies one day."""
    from ingest.backup.state import backup_status

    now = backup_status(settings, time.time_ns() // 1_000_000)
    if now is None:
        told = _("Copies: none are kept; when the card dies, what straps told is gone")
        do = _('Name a folder on a stick or a share: [backup] and folder = "..." in the settings')
        yield Finding(WARN, "backup", told, do)
        return
    if now["age_s"] is None:
        told = _("Copies in {folder}: none yet").format(folder=now["folder"])
    else:
        told = _("Copies in {folder}: the newest is {age} old").format(
            folder=now["folder"], age=age_text(now["age_s"])
        )
    why = now["last_error"] or ""
    yield Finding(WARN if now["is_old"] or why else OK, "backup", told, why)
    if now["same_disk"]:
        told = _("Copies in {folder} lie on the disk that the data are on, and die with it").format(
            folder=now["folder"]
        )
        yield Finding(WARN, "backup", told, _("Name a folder on a stick or a share"))
    yield from _in_copies(now)


def _in_copies(now: dict[str, Any]) -> Iterator[Finding]:
    """What the last look at the copies found: a disk that fails, files that are in none, and copies of another journal."""
    if now["damaged_blocks"]:
        told = _("Copies in {folder}: the disk gave back something else than was written to it").format(
            folder=now["folder"]
        )
        yield Finding(WARN, "backup", told, _("It may be failing: take another one"))
    if files := now["unread_files"]:
        told = ngettext(
            "Copies in {folder}: {count} file is not in them, as the daemon may not read it",
            "Copies in {folder}: {count} files are not in them, as the daemon may not read them",
            len(files),
        ).format(folder=now["folder"], count=len(files))
        yield Finding(WARN, "backup", told, ", ".join(map(quoted, files[:_MOST])))
    if now["other_journals"]:
        told = _("Copies of another journal lie in {folder}, too").format(folder=now["folder"])
        yield Finding(
            OK,
            "backup",
            told,
            _("`hartslag restore --list {folder}` shows them").format(folder=now["folder"]),
        )


def _limits(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    """What speaks against the limits of a heart rate that are in use now."""
    from ingest.grafana.sensor_names import sensor_names
    from ingest.rows.profile import read_profile
    from ingest.verbs.limit_doubts import device_names, doubt_parts, find_limit_doubts

    for person in journal.persons():
        doubts = find_limit_doubts(person.name, read_profile(journal, person.id), journal.now_ms())
        if doubts.devices:
            doubts = doubts.named(device_names(sensor_names(settings, journal)))
        for text, lines, more in doubt_parts(doubts):
            yield Finding(WARN, "limits", text, "\n".join([*(f"  {line}" for line in lines), more]))


def _watches(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    """The watches in the settings of which nothing has come in: one that is new, or a slip of the pen."""
    from ingest.grafana.sensor_names import watches

    known = {watch.serial for watch in watches(settings, journal)}
    for watch in settings.watches:
        if watch.serial not in known:
            told = _(
                "Watch {name}: no file of serial number {serial} has come in; `hartslag status` names those that have"
            ).format(name=watch.name or watch.person or watch.serial, serial=watch.serial)
            yield Finding(OK, "watch", told)


# --- stores ---


def _stores(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    from ingest.stores.configured import configured_stores
    from ingest.stores.sqlite import SqliteStore

    for store in configured_stores(settings):
        if isinstance(store, SqliteStore):
            if not store.path.exists():
                told = _("Store {place}: not made yet; the daemon makes it").format(place=store.place)
                yield Finding(OK, "store", told)
                continue
            yield from _grafana(store)
        elif settings.influx is not None:
            found = list(_server(settings, journal))
            yield from found
            yield from _noted(store, journal, [f.seen for f in found])
            continue
        called = _("Store {place}").format(place=store.place)
        try:
            faults = store.faults(journal.id)
        except DiskFull as e:
            yield from no_room_findings(settings, e)
            continue
        yield from _faults("store", called, faults, store.remedy)
        yield from _noted(store, journal, faults)


def _server(settings: "Settings", journal: "Journal | None") -> Iterator[Finding]:
    if settings.influx is not None:
        from ingest.stores.influx.store import InfluxStore
        from ingest.verbs.check_server import server_findings

        store = InfluxStore(settings.influx, settings.store_file.parent)
        yield from server_findings(settings.influx, store, journal)


def _noted(store: "Store", journal: "Journal", seen: list[str]) -> Iterator[Finding]:
    """What troubles a store by the daemon's word, unless it was found just now, too."""
    error = retold(journal.store_errors().get(store.name) or "")
    if error and not any(error in text for text in seen):
        told = _("Store {place}: {error}").format(place=store.place, error=error)
        yield Finding(
            WARN, "store", told, _("Nothing is lost: what is missing there is written once that is over")
        )


def _grafana(store: "Store") -> Iterator[Finding]:
    """Whether Grafana's user could read the store, where there is such a user."""
    import grp
    import pwd
    from pathlib import Path

    from ingest.system.permissions import allowed

    try:
        user = pwd.getpwnam("grafana")
    except KeyError:
        return
    groups = {user.pw_gid, *(g.gr_gid for g in grp.getgrall() if "grafana" in g.gr_mem)}
    path = Path(store.place)
    closed = allowed(path, user.pw_uid, groups)
    if closed is None:
        yield Finding(OK, "grafana", _("Grafana may read {store}").format(store=path))
        return
    told = _("Grafana may not read {store}: {closed} is closed to its user").format(store=path, closed=closed)
    do = f"sudo usermod -aG {path.group()} grafana && sudo systemctl restart grafana-server"
    yield Finding(WARN, "grafana", told, do)


# --- files ---


def _inbox(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    """Files that a person must do something about, and those that were set aside lately."""
    from ingest.verbs.status_answer import waiting_files

    waiting = [w for w in waiting_files(settings, journal) if w.act]
    for w in waiting[:_MOST]:
        told = _("Inbox: {file} waits").format(file=quoted(w.name))
        yield Finding(WARN, "inbox", told, retold(w.why))
    if not waiting:
        yield Finding(
            OK, "inbox", _("Inbox {folder}: nothing in it needs a hand").format(folder=settings.inbox_folder)
        )
    since_ms = time.time_ns() // 1_000_000 - LATELY_DAYS * _DAY_MS
    lately = [f for f in journal.files("rejected", 1000) if f.received_ms >= since_ms]
    if lately:
        told = ngettext(
            "Set aside in the last week: {count} file that could not be read",
            "Set aside in the last week: {count} files that could not be read",
            len(lately),
        ).format(count=len(lately))
        newest = f"{quoted(lately[0].name)}: {retold(lately[0].reason)}"
        yield Finding(WARN, "rejected", told, newest)
