"""Questions about one person's heart, and what the answers change in the settings.

What somebody knows anew holds from a day on, and what was counted before stays; only what was wrong is corrected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.errors import Stop
from ingest.language import PLAIN_DAY, date_text
from ingest.language import gettext as _
from ingest.settings.names import NOBODY, same_name
from ingest.settings.person import PersonSettings
from ingest.settings.profile_history import ProfileState, profile_states
from ingest.settings.writer import Place, SettingsText
from ingest.verbs.setup_answers import day_from, value_for
from ingest.verbs.setup_dialogue import Dialogue
from ingest.verbs.setup_watch import heart_now, watch_limits, watch_maximum

if TYPE_CHECKING:
    from ingest.journal import Entry

LIMITS = ("moderate_bpm", "vigorous_bpm")


@dataclass(slots=True)
class Talk:
    """What the questions work on: a draft of the settings, and in sentences what was changed in it."""

    dialogue: Dialogue
    draft: SettingsText
    today: date
    search_s: int
    """How long straps are listened for."""
    data: Path
    """Where what was collected lies, if anything was."""
    changes: list[str] = field(default_factory=list)


def facts_of(draft: SettingsText, who: int) -> dict[str, Any]:
    """What the draft says of a person, in the shape in which the journal keeps it."""
    return PersonSettings.read(draft.values["person"][who]).facts()


def state_of(draft: SettingsText, who: int, today: date) -> ProfileState:
    """What holds for their heart today."""
    states = profile_states(facts_of(draft, who))
    return [s for s in states if s.since is None or s.since <= today][-1]


def known_text(state: ProfileState, watch_bpm: int | None) -> str:
    """Where their limits come from so far; empty where nothing is known. `watch_bpm` is the maximum set in a watch."""
    words = ""
    match state.method:
        case "bpm":
            words = _("moderate from {moderate_bpm}, vigorous from {vigorous_bpm} beats per minute")
        case "max":
            words = _("the highest heart rate, {maximum_bpm} beats per minute")
        case "reserve":
            words = _("between {resting_bpm} at rest and {maximum_bpm} beats per minute at most")
        case "threshold":
            words = _("a threshold of {threshold_bpm} beats per minute")
        case _ if watch_rules(state, watch_bpm):
            words = _("the maximum that is set in your watch, {watch_bpm} beats per minute")
        case _ if state.numbers.get("born") and not state.medicine:
            words = _("a guess from the year of birth, {born}")
    return words.format(**state.numbers, watch_bpm=watch_bpm)


def watch_rules(state: ProfileState, watch_bpm: int | None) -> bool:
    """Whether limits follow from the maximum set in a watch, which goes before a guess by age."""
    return watch_bpm is not None and state.method is None and not state.medicine


# --- who ---


def ask_new_person(talk: Talk) -> int:
    """Somebody more in the settings; gives their number."""
    d, draft = talk.dialogue, talk.draft
    others = [same_name(p["name"]) for p in draft.values.get("person", ())]
    right = value_for("person", "name", text=True)

    def read(typed: str) -> str:
        name: str = right(typed)
        if same_name(name) in others:
            raise ValueError(_("There is somebody of that name already; add a letter."))
        return name

    if not others:
        d.say()
        d.say(
            _(
                "The name is also that of your folder in the inbox. A first name is enough; it stays on this computer."
            )
        )
    name = d.ask(
        _("What is your name?") if not others else _("What is their name?"),
        read,
        shown=None if others else NOBODY,
        default=NOBODY,
    )
    if len(others) == 1:  # a strap that names nobody was theirs while they were the only one
        for i, strap in enumerate(draft.values.get("strap", ())):
            if "person" not in strap:
                draft.set(("strap", i, "person"), draft.values["person"][0]["name"])
    if not others:
        for i, strap in enumerate(draft.values.get("strap", ())):
            if "person" in strap:
                draft.set(("strap", i, "person"), name)
    draft.add(("person",), {"name": name})
    talk.changes.append(_("{name} is new.").format(name=name))
    return len(others)


# --- medicines ---


def ask_medicine(talk: Talk, who: int) -> None:
    """Whether a medicine makes formulas by age wrong, and since when."""
    d, draft = talk.dialogue, talk.draft
    state = state_of(draft, who, talk.today)
    name = draft.values["person"][who]["name"]
    d.say()
    d.say(
        _(
            "Medicines: beta blockers and some other heart medicines, and S1P modulators (fingolimod, siponimod, "
            "ozanimod, ponesimod, above all at the start) lower heart rate. Formulas by age are then wrong, and are "
            "not used. Never change a medicine because of a number here."
        )
    )
    takes = d.agree(_("Do you take a medicine that limits your heart rate?"), default=state.medicine)
    if takes == state.medicine:
        return
    since = d.ask(
        _("Since when, about? Nothing before that day is changed.")
        if takes
        else _("From which day on is it over? Nothing before that day is changed."),
        day_from,
        shown=talk.today.isoformat(),
        default=talk.today,
        more=_("A day is typed as year, month and day, like {example}.").format(example="2026-03-01"),
    )
    assert since is not None
    note_entry(draft, who, since, {"limiting_medicine": takes})
    if takes:
        _end_formulas(draft, who, since)
    words = (
        _("{name} takes a medicine that limits the heart rate since {day}: no formula by age is used.")
        if takes
        else _("{name} takes no medicine that limits the heart rate any more from {day} on.")
    )
    talk.changes.append(words.format(name=name, day=date_text(since, PLAIN_DAY)))


def _end_formulas(draft: SettingsText, who: int, since: date) -> None:
    """No entry asks for a formula by age from a day on."""
    for i, entry in enumerate(draft.values["person"][who]["profile"]):
        if entry["from"] >= since and entry.get("method") == "age":
            draft.remove(("person", who, "profile", i, "method"))


# --- limits ---


def ask_limits(talk: Talk, who: int, *, is_new: bool) -> None:
    """Where moderate and vigorous begin, by the best that is known, and from when on."""
    d, draft = talk.dialogue, talk.draft
    state = state_of(draft, who, talk.today)
    names = tuple(p["name"] for p in draft.values["person"])
    limits = d.once(("watch", names, who), lambda: watch_limits(draft, who, talk.data))
    watch_bpm = watch_maximum(limits)
    known = known_text(state, watch_bpm)
    wanted = _ask_what_is_known(talk, state, known, is_watch=watch_rules(state, watch_bpm))
    if wanted is None:
        return
    name, before = draft.values["person"][who]["name"], draft.text
    words, since = _("{name}, limits: {known}."), None
    if "born" in wanted and state.method is None:
        draft.set(("person", who, "born"), wanted["born"])
    elif is_new or not (known or state.method or state.numbers):
        for key, value in wanted.items():
            draft.set(("person", who, key), value)
    else:
        since = _ask_since(talk, who, wanted)
        if since is None:
            correct(draft, who, talk.today, wanted)
            words = _("{name}, limits, corrected: {known}.")
        else:
            if "born" in wanted:
                draft.set(("person", who, "born"), wanted["born"])
            note_entry(draft, who, since, _entry_for(state_of(draft, who, since), wanted))
            words = _("{name}, limits from {day} on: {known}.")
    if draft.text == before:
        return
    after = state_of(draft, who, max([talk.today, *_days(draft, who)]))
    if "born" in wanted and watch_rules(after, watch_bpm):
        words = _("{name}: born in {born}. The limits stay those of the watch.")
    day = date_text(since, PLAIN_DAY) if since else ""
    born = wanted.get("born")
    talk.changes.append(words.format(name=name, known=known_text(after, watch_bpm), day=day, born=born))
    _say_edges(
        d, facts_of(draft, who), limits, is_watch=watch_rules(state_of(draft, who, talk.today), watch_bpm)
    )


def _ask_what_is_known(
    talk: Talk, state: ProfileState, known: str, *, is_watch: bool
) -> dict[str, Any] | None:
    """What a person knows of their heart; None for what is known already, or for nothing."""
    d = talk.dialogue
    d.say()
    d.say(
        _(
            "Moderate movement begins at a heart rate that differs from person to person. The best answer comes from an "
            "exercise test, or from a physiotherapist."
        )
    )
    if state.medicine and known:
        d.say(_("Numbers from before the medicine may no longer hold: give new ones if you have them."))
    choices = [("keep", _("Leave it as it is: {known}").format(known=known))] if known else []
    choices += [
        ("bpm", _("My limits: from how many beats on it is moderate, and from how many vigorous")),
        ("max", _("The highest heart rate that was ever measured on me, in an exercise test for instance")),
    ]
    if not state.medicine:
        guess = (
            _(
                "My year of birth, for a guess where no watch tells a maximum: yours tells one, and that goes first"
            )
            if is_watch
            else _("Neither: guess from my year of birth. One person in twenty is off by more than 20 beats")
        )
        choices.append(("age", guess))
    if not known:
        choices.append(
            ("none", _("Nothing for now: take the maximum that is set in my watch, if there is one"))
        )
    usual = "keep" if known else "none" if state.medicine else "age"

    what = d.choose(_("What do you know of your heart rate?"), choices, usual)
    match what:
        case "bpm":
            return _ask_limits_in_bpm(talk, state)
        case "max":
            most = value_for("person.profile", "maximum_bpm")
            given = d.ask(
                _("The highest heart rate, in beats per minute?"), most, **_usual(state, "maximum_bpm")
            )
            return {"maximum_bpm": given}
        case "age":
            year = value_for("person", "born")
            given = d.ask(_("In which year were you born?"), year, **_usual(state, "born", skip=True))
            return None if given is None else {"born": given}
    return None


def _ask_limits_in_bpm(talk: Talk, state: ProfileState) -> dict[str, Any]:
    d = talk.dialogue
    most = state.numbers.get("maximum_bpm")
    if state.medicine and most is None:  # low limits are believed beside a low maximum only
        most = d.ask(
            _("The highest heart rate that was measured with the medicine, in beats per minute?"),
            value_for("person.profile", "maximum_bpm"),
            shown=_("skip"),
            default=None,
        )
    known = {} if most is None else {"maximum_bpm": most}
    moderate = d.ask(
        _("From how many beats per minute on is it moderate?"),
        value_for("person.profile", "moderate_bpm", known),
        **_usual(state, "moderate_bpm"),
    )
    vigorous = d.ask(
        _("And from how many on is it vigorous?"),
        value_for("person.profile", "vigorous_bpm", {**known, "moderate_bpm": moderate}),
        **_usual(state, "vigorous_bpm"),
    )
    return {**known, "moderate_bpm": moderate, "vigorous_bpm": vigorous}


def _usual(state: ProfileState, key: str, *, skip: bool = False) -> dict[str, Any]:
    """What Enter gives: what is known already, or nothing where a question may be passed over."""
    known = state.numbers.get(key)
    if known is None:
        return {"shown": _("skip") if skip else None, "default": None}
    return {"shown": str(known), "default": known}


def _ask_since(talk: Talk, who: int, wanted: Mapping[str, Any]) -> date | None:
    """The day from which on something new holds; None where the old was wrong."""
    d = talk.dialogue
    latest = max(_days(talk.draft, who), default=date.min)
    choices = [
        *([("today", _("From today on; what was counted before stays as it is"))] * (latest <= talk.today)),
        ("day", _("From another day on; what was counted before it stays as it is")),
        ("wrong", _("The old numbers were wrong: all that was counted with them is counted anew")),
    ]
    when = d.choose(_("From when on does this hold?"), choices, choices[0][0])
    if when == "today":
        return talk.today
    if when == "wrong":
        return None

    def read(typed: str) -> date:
        found = day_from(typed)
        if found < latest:
            raise ValueError(
                _(
                    "From {day} on something newer holds already. Type that day or a later one, or go back and say "
                    "that the old numbers were wrong."
                ).format(day=latest.isoformat())
            )
        return found

    since = d.ask(_("From which day on?"), read, shown=None, default=None)
    assert wanted
    return since


def _days(draft: SettingsText, who: int) -> list[date]:
    """The days of the entries that say something of limits."""
    entries = draft.values["person"][who].get("profile", ())
    return [e["from"] for e in entries if e.keys() - {"from", "limiting_medicine"}]


def _entry_for(state: ProfileState, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry must say so that what is wanted holds from its day on."""
    if "born" in wanted:
        return {"method": "age"}
    if "maximum_bpm" in wanted and state.method in {"bpm", "threshold"}:
        return {"method": "max", **wanted}
    if "moderate_bpm" in wanted and state.method != "bpm":
        return {"method": "bpm", **wanted}
    return dict(wanted)


def _say_edges(d: Dialogue, facts: dict[str, Any], limits: "list[Entry]", *, is_watch: bool) -> None:
    """The limits that follow, so that one sees at once what a number does."""
    if d.is_replay:
        return
    edges, maximum = heart_now(facts, limits)
    if edges is None:
        return
    words = (
        _(
            "Your watch says that your highest heart rate is {maximum}, and that goes before a guess from the year of "
            "birth: moderate begins at {moderate} and vigorous at {vigorous} beats per minute. If {maximum} is wrong, "
            "go back and type the highest heart rate that you know."
        )
        if is_watch
        else _("With that, moderate begins at {moderate} and vigorous at {vigorous} beats per minute.")
    )
    d.say(words.format(moderate=edges[0], vigorous=edges[1], maximum=maximum))


# --- entries ---


def note_entry(draft: SettingsText, who: int, since: date, values: Mapping[str, Any]) -> None:
    """Say something new of a heart from a day on; there is one entry of a day."""
    entries = draft.values["person"][who].get("profile", [])
    same = [i for i, e in enumerate(entries) if e["from"] == since]
    if not same:
        draft.add(("person", who, "profile"), {"from": since, **values})
        return
    place: Place = ("person", who, "profile", same[0])
    for key, value in values.items():
        draft.set((*place, key), value)


def correct(draft: SettingsText, who: int, today: date, wanted: Mapping[str, Any]) -> None:
    """Say something else in place of what was wrong: in the entry that holds now, or at the person where there is none."""
    entries = draft.values["person"][who].get("profile", [])
    saying = [
        i for i, e in enumerate(entries) if e["from"] <= today and e.keys() - {"from", "limiting_medicine"}
    ]
    place: Place = ("person", who)
    if saying:
        place = ("person", who, "profile", max(saying, key=lambda i: entries[i]["from"]))
    if "moderate_bpm" not in wanted:
        for key in LIMITS:
            if key in _table(draft, place):
                draft.remove((*place, key))
    if "born" in wanted:
        draft.set(("person", who, "born"), wanted["born"])
        if not saying and "maximum_bpm" in _table(draft, place):
            draft.remove((*place, "maximum_bpm"))
    else:
        for key, value in wanted.items():
            draft.set((*place, key), value)
    method = "age" if "born" in wanted else "bpm" if "moderate_bpm" in wanted else "max"
    holds = state_of(draft, who, today)
    if saying and (holds.method != method) and not (method == "max" and holds.method == "reserve"):
        draft.set((*place, "method"), method)
    holds = state_of(draft, who, today)
    if any(holds.numbers.get(key) != value for key, value in wanted.items()):
        raise Stop(_("This cannot be corrected by the program: change the settings file by hand."))


def _table(draft: SettingsText, place: Place) -> Mapping[str, Any]:
    found: Any = draft.values
    for part in place:
        found = found[part]
    return found  # type: ignore[no-any-return]  # a place is one of a table
