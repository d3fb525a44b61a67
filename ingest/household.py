"""The settings put to work: whose files are whose, and what the journal is told of its persons."""

from ingest.journal import Journal
from ingest.rows.profile import note
from ingest.settings import Settings, same_name, wrong_with_name


def open_journal(settings: Settings, *, create: bool) -> Journal:
    """The journal, told what the settings say of everybody named in them.

    Raises Stop when there is none and it must not be made, or it cannot be opened.
    """
    journal = Journal(settings.journal_file, create=create)
    try:
        for person in settings.persons:
            name = _known(journal, person.name) or person.name
            note(journal, name, person.facts(), overwrite=True)
    except BaseException:
        journal.close()
        raise
    return journal


def _known(journal: Journal, name: str) -> str | None:
    """The journal's own spelling of a name; None when it knows nobody of that name."""
    return next((p.name for p in journal.persons() if same_name(p.name) == same_name(name)), None)


def greet(journal: Journal, settings: Settings, name: str) -> str:
    """The journal's own spelling of a person's name, whom it now knows; for anybody who may send files."""
    if known := _known(journal, name):
        return known
    person = settings.person(name)
    if person is not None:
        note(journal, person.name, person.facts(), overwrite=False)
        return person.name
    return name


def whose(settings: Settings, folder: str) -> tuple[str | None, str]:
    """The person whose files lie in a folder of the inbox ('' for the inbox itself), or what to do about it."""
    if not folder:
        return settings.default_person, ""
    wrong = wrong_with_name(folder)
    if wrong:
        return None, f"the folder {folder!r} cannot be the name of a person: {wrong}"
    person = settings.person(folder)
    if person is not None:
        return person.name, ""
    return (
        None,
        f'nobody in the settings is called {folder!r}; add the lines  [[person]]  and  name = "{folder}"',
    )
