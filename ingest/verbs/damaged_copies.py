"""What is said of a copy that is damaged: which others are, which is the newest whole one, and what is whole of the rest."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.language import gettext as _
from ingest.language import ngettext
from ingest.verbs.times import day_and_time

if TYPE_CHECKING:
    from ingest.backup.restoring import Found
    from ingest.backup.staging import DamagedParts
    from ingest.backup.wholeness import Survey

_MOST = 5


def damaged_lines(found: "Sequence[Found]", one: "Found", look: "Callable[[Found], Survey]") -> Iterator[str]:
    """What to do about a copy that is damaged; `found` are all of its folder, and `look` reads what they need."""
    if one.backup is None:
        yield _("The copy {file} is damaged. Nothing was changed here.").format(file=one.file)
        yield _("Take another copy, if there is one.")
        yield _("To have what is whole of it, call it again with {option}").format(option="--damaged")
        return
    survey = look(one)
    words = _("Copy {number}, of {when}, is damaged where it lies. Nothing was changed here.")
    yield words.format(number=one.copy.number, when=day_and_time(one.copy.at_ms))
    whole = [f for f in found if survey.is_whole(f.copy)]
    if len(found) == 1:
        yield _("There is no other copy there.")
    elif whole:
        yield from _newest_whole_lines(found, whole)
    else:
        yield _("None of the {n} copies there is whole.").format(n=len(found))
    yield _left_text(survey, one)
    best = max(found, key=lambda f: _worth(survey, f))
    told = one
    if not whole and _worth(survey, best)[:2] > _worth(survey, one)[:2]:
        yield _left_text(survey, best)
        told = best
    option = f"--copy {told.copy.number} --damaged"
    yield _("To have what is whole of it, call it again with {option}").format(option=option)


def _newest_whole_lines(found: "Sequence[Found]", whole: "Sequence[Found]") -> Iterator[str]:
    from ingest.backup.restoring import newest

    yield ngettext(
        "It is the only damaged one of the {all} copies there.",
        "{n} of the {all} copies there are damaged: what they have in common lies there once.",
        len(found) - len(whole),
    ).format(n=len(found) - len(whole), all=len(found))
    it = newest(whole).copy
    words = _("The newest whole one is copy {number}, of {when}. To take it, call it again with {option}")
    yield words.format(number=it.number, when=day_and_time(it.at_ms), option=f"--copy {it.number}")


def _worth(survey: "Survey", f: "Found") -> tuple[bool, int, int]:
    return survey.has_journal(f.copy), survey.whole_files(f.copy), f.copy.number


def _left_text(survey: "Survey", f: "Found") -> str:
    """What is whole of a copy."""
    has_journal, whole, number = _worth(survey, f)
    words = (
        ngettext(
            "Whole in copy {number}, of {when}: the journal, and {whole} of {n} file.",
            "Whole in copy {number}, of {when}: the journal, and {whole} of {n} files.",
            f.copy.files,
        )
        if has_journal
        else ngettext(
            "Whole in copy {number}, of {when}: {whole} of {n} file, and of the journal what can be read.",
            "Whole in copy {number}, of {when}: {whole} of {n} files, and of the journal what can be read.",
            f.copy.files,
        )
    )
    return words.format(number=number, when=day_and_time(f.copy.at_ms), whole=whole, n=f.copy.files)


def left_out_lines(left: "DamagedParts") -> Iterator[str]:
    """What of a damaged copy was left out."""
    if left.remains:
        yield _(
            "Its journal is damaged. What can be read of it is here; `hartslag repair` makes a new one of that and names what is"
            " gone, and so does the daemon when it starts."
        )
    elif left.journal:
        yield _(
            "Its journal is damaged, and was left out. The files are read again once hartslag runs; what only straps told is"
            " lacking. An older copy may have more of it."
        )
    if count := len(left.files) + left.unnamed:
        text = ngettext(
            "{n} file is damaged, and was left out", "{n} files are damaged, and were left out", count
        ).format(n=count)
        names = ", ".join(left.files[:_MOST]) + (" ..." if 0 < len(left.files[:_MOST]) < count else "")
        yield f"{text}: {names}" if names else f"{text}."
