"""The question how many minutes a week a person aims for: a number, or a plan that rises."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from ingest.language import DAY_OF_YEAR, PLAIN_DAY, date_text
from ingest.language import gettext as _
from ingest.settings.writer import Place, SettingsText
from ingest.verbs.setup_answers import day_from, steps_from, value_for
from ingest.verbs.setup_dialogue import Dialogue
from ingest.verbs.setup_person import Talk, facts_of

USUAL_MIN, MS_MIN = 150, 60
STEPS_MIN = [60, 90, 120, 150]
WEEKS = 4


def ask_target(talk: Talk, who: int, *, is_new: bool) -> None:
    """What a week is held against, and from which week on."""
    from ingest.rows.calendar import Calendar

    d, draft = talk.dialogue, talk.draft
    person = draft.values["person"][who]
    calendar = Calendar.of(facts_of(draft, who))
    this_week, _name = calendar.week_of(talk.today)
    now_min = int(calendar.target(this_week))
    choices = [] if is_new else [("keep", _kept_text(person.get("plan"), now_min))]
    choices += [
        (
            "usual",
            _(
                "{minutes}: what the World Health Organization advises adults at least, 150 to 300 minutes a week"
            ).format(minutes=USUAL_MIN),
        ),
        (
            "ms",
            _("{minutes}: the Canadian guideline for adults with MS, 30 minutes twice a week").format(
                minutes=MS_MIN
            ),
        ),
        ("own", _("A number of my own")),
        ("plan", _("A plan that rises step by step, like {steps}").format(steps=_steps_text(STEPS_MIN))),
    ]
    d.say()
    d.say(
        _(
            "The target is yours: minutes of moderate movement in a week, where a vigorous minute counts as two. "
            "Less than a guideline is worth it, too, and a week below the target is not a failure."
        )
    )
    name = person["name"]
    what = d.choose(
        _("How many minutes a week do you aim for?"),
        choices,
        "usual" if is_new else "keep",
    )
    if what == "keep":
        return
    if what == "plan":
        _ask_plan(talk, who, this_week, is_new=is_new)
        return
    minutes = {"usual": USUAL_MIN, "ms": MS_MIN}.get(what) or _ask_minutes(d, now_min)
    if is_new:
        draft.set(("person", who, "target_min"), minutes)
        talk.changes.append(_("{name}: {minutes} minutes a week.").format(name=name, minutes=minutes))
    else:
        _set_target(talk, who, this_week, minutes)


def _ask_minutes(d: Dialogue, now_min: int) -> int:
    found: int | None = d.ask(
        _("How many minutes a week?"), value_for("person", "target_min"), shown=str(now_min), default=now_min
    )
    return now_min if found is None else found


def _kept_text(plan: Mapping[str, Any] | None, now_min: int) -> str:
    if plan:
        return _("Leave it as it is: {minutes} minutes now, by the plan {steps}").format(
            minutes=now_min, steps=_steps_text(plan["targets_min"])
        )
    return _("Leave it as it is: {minutes} minutes").format(minutes=now_min)


def _steps_text(steps_min: list[int]) -> str:
    return ", ".join(map(str, steps_min))


def _ask_plan(talk: Talk, who: int, this_week: date, *, is_new: bool) -> None:
    d, draft = talk.dialogue, talk.draft
    usual = _steps_text(STEPS_MIN)
    steps = d.ask(
        _("Which steps, in minutes a week? The last one stays."), steps_from, shown=usual, default=STEPS_MIN
    )
    weeks = d.ask(
        _("How many weeks does each step last?"),
        value_for("person.plan", "weeks"),
        shown=str(WEEKS),
        default=WEEKS,
    )
    since = _ask_week(d, this_week, wrong=False)
    assert since is not None
    if is_new and steps:
        draft.set(("person", who, "target_min"), steps[0])
    keep_past_steps(draft, who, since)
    place: Place = ("person", who, "target")
    for i in reversed(range(len(draft.values["person"][who].get("target", [])))):
        if draft.values["person"][who]["target"][i]["from"] == since:
            draft.remove((*place, i))
    draft.put(("person", who, "plan"), {"from": since, "targets_min": steps, "weeks": weeks})
    talk.changes.append(
        _("{name}: a plan of {steps} minutes a week, {weeks} weeks each, from {day} on.").format(
            name=draft.values["person"][who]["name"],
            steps=_steps_text(steps or []),
            weeks=weeks,
            day=date_text(since, PLAIN_DAY),
        )
    )


def _ask_week(d: Dialogue, this_week: date, *, wrong: bool) -> date | None:
    """The day from which weeks are held against a new target; None where the old one was wrong."""
    next_week = this_week + timedelta(days=7)
    choices = [
        ("this", _("From this week on ({day})").format(day=date_text(this_week, DAY_OF_YEAR))),
        ("next", _("From next week on ({day})").format(day=date_text(next_week, DAY_OF_YEAR))),
        ("day", _("From another day on")),
    ]
    if wrong:
        choices.append(("wrong", _("The old target was wrong: change it for the weeks before, too")))
    when = d.choose(_("From when on? Weeks before that keep the target they had."), choices, "this")
    if when == "day":
        return d.ask(
            _("From which day on? It holds for weeks that begin on it or later."),
            day_from,
            shown=this_week.isoformat(),
            default=this_week,
        )
    return {"this": this_week, "next": next_week}.get(when)


def _set_target(talk: Talk, who: int, this_week: date, minutes: int) -> None:
    draft = talk.draft
    since = _ask_week(talk.dialogue, this_week, wrong=True)
    name = draft.values["person"][who]["name"]
    if since is None:
        correct_target(draft, who, this_week, minutes)
        talk.changes.append(
            _("{name}, corrected: {minutes} minutes a week.").format(name=name, minutes=minutes)
        )
        return
    keep_past_steps(draft, who, since)
    entries = draft.values["person"][who].get("target", [])
    same = [i for i, e in enumerate(entries) if e["from"] == since]
    if same:
        draft.set(("person", who, "target", same[0], "target_min"), minutes)
    else:
        draft.add(("person", who, "target"), {"from": since, "target_min": minutes})
    talk.changes.append(
        _("{name}: {minutes} minutes a week from {day} on.").format(
            name=name, minutes=minutes, day=date_text(since, PLAIN_DAY)
        )
    )


def keep_past_steps(draft: SettingsText, who: int, since: date) -> None:
    """End a plan on a day: its steps until then become targets of their own, so that weeks past keep theirs."""
    plan = draft.values["person"][who].get("plan")
    if plan is None:
        return
    draft.remove(("person", who, "plan"))
    taken = {e["from"] for e in draft.values["person"][who].get("target", [])}
    for i, minutes in enumerate(plan["targets_min"]):
        begins = plan["from"] + timedelta(weeks=plan.get("weeks", WEEKS) * i)
        if begins < since and begins not in taken:
            draft.add(("person", who, "target"), {"from": begins, "target_min": minutes})


def correct_target(draft: SettingsText, who: int, this_week: date, minutes: int) -> None:
    """Another number in place of the one that was wrong, where that stands."""
    person = draft.values["person"][who]
    plan = person.get("plan")
    past = [(e["from"], i) for i, e in enumerate(person.get("target", [])) if e["from"] <= this_week]
    if plan and plan["from"] <= this_week and plan["from"] >= max(past, default=(date.min, 0))[0]:
        draft.remove(("person", who, "plan"))
        draft.add(("person", who, "target"), {"from": plan["from"], "target_min": minutes})
    elif past:
        draft.set(("person", who, "target", max(past)[1], "target_min"), minutes)
    else:
        draft.set(("person", who, "target_min"), minutes)
