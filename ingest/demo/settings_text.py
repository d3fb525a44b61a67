"""The settings file of the made-up household: short, with a word about each line, and a good example."""

from ingest.demo.story import (
    ROBINS_BORN,
    ROBINS_MAXIMUM_BPM,
    SAMS_MODERATE_BPM,
    SAMS_TARGET_MIN,
    SAMS_VIGOROUS_BPM,
    STEP_WEEKS,
    STEPS_MIN,
    Story,
)
from ingest.demo.straps import ROBINS_ADDRESS, SAMS_ADDRESS
from ingest.demo.watch import SERIAL
from ingest.language import gettext as _


def names() -> tuple[str, str]:
    """What the two are called: names that nobody takes for those of real people."""
    return _("Robin Example"), _("Sam Example")


def settings_text(story: Story, language: str | None) -> str:
    """The whole file; with a language only if one was asked for."""
    robin, sam = names()
    said = {
        "robin": robin,
        "sam": sam,
        "zone": story.zone,
        "far": story.far_zone,
        "born": ROBINS_BORN,
        "plan_from": story.plan_from,
        "targets": ", ".join(map(str, STEPS_MIN)),
        "step_weeks": STEP_WEEKS,
        "tested": story.tested,
        "maximum": ROBINS_MAXIMUM_BPM,
        "pause_from": story.pause[0],
        "pause_to": story.pause[1],
        "why": _("relapse"),
        "away_from": story.journey[0],
        "away_to": story.journey[1],
        "moderate": SAMS_MODERATE_BPM,
        "vigorous": SAMS_VIGOROUS_BPM,
        "sams_target": SAMS_TARGET_MIN,
        "medicine_from": story.first,
        "robins_strap": ROBINS_ADDRESS,
        "sams_strap": SAMS_ADDRESS,
        "serial": SERIAL,
        "watch_name": _("Robin's watch"),
        "robins_strap_name": _("Robin's strap"),
        "sams_strap_name": _("Sam's strap"),
    }
    lines = [*_head(language), *_robin(), *_sam(), *_sensors()]
    return "\n".join(line.format_map(said) if "{" in line else line for line in lines) + "\n"


def _note(text: str) -> str:
    return f"## {text}"


def _head(language: str | None) -> list[str]:
    return [
        _note(
            _(
                "A household that does not exist, made up by `hartslag demo`. Your own settings can look like this."
            )
        ),
        "",
        *([f'language = "{language}"', ""] if language else []),
    ]


def _robin() -> list[str]:
    return [
        "[[person]]",
        'name = "{robin}"',
        _note(_("The year of birth alone gives a first guess of where moderate and vigorous begin.")),
        "born = {born}",
        'zone = "{zone}"',
        "",
        _note(
            _(
                "From the day of an exercise test on, the highest heart rate measured in it counts instead of a guess."
            )
        ),
        "[[person.profile]]",
        "from = {tested}",
        'method = "max"',
        "maximum_bpm = {maximum}",
        "",
        _note(_("The arms do the work: the heart beats slower for the same effort.")),
        "[[person.sport]]",
        'name = "rowing"',
        "offset_bpm = -5",
        "",
        _note(_("A target that rises step by step, in minutes a week.")),
        "[person.plan]",
        "from = {plan_from}",
        "targets_min = [{targets}]",
        "weeks = {step_weeks}",
        "",
        _note(_("A week that is counted and not judged.")),
        "[[person.pause]]",
        "from = {pause_from}",
        "to = {pause_to}",
        'why = "{why}"',
        "",
        _note(_("Days in another time zone.")),
        "[[person.travel]]",
        "from = {away_from}",
        "to = {away_to}",
        'zone = "{far}"',
        "",
    ]


def _sam() -> list[str]:
    return [
        "[[person]]",
        'name = "{sam}"',
        'zone = "{zone}"',
        "target_min = {sams_target}",
        _note(_("Limits from a physiotherapist; they are believed before everything else.")),
        "moderate_bpm = {moderate}",
        "vigorous_bpm = {vigorous}",
        "",
        _note(
            _(
                "A medicine that slows the heart: no formula by age is used, and limits come from a test with the medicine."
            )
        ),
        "[[person.profile]]",
        "from = {medicine_from}",
        "limiting_medicine = true",
        "moderate_bpm = {moderate}",
        "vigorous_bpm = {vigorous}",
        "",
    ]


def _sensors() -> list[str]:
    return [
        _note(_("Straps that no radio ever hears: these addresses are kept free for examples.")),
        "[[strap]]",
        'address = "{robins_strap}"',
        'name = "{robins_strap_name}"',
        'person = "{robin}"',
        "",
        "[[strap]]",
        'address = "{sams_strap}"',
        'name = "{sams_strap_name}"',
        'person = "{sam}"',
        "",
        _note(_("What Grafana calls the watch.")),
        "[[watch]]",
        'serial = "{serial}"',
        'name = "{watch_name}"',
    ]
