"""What is wrong with a drawing, in words: all that is asked of every one of them, whatever it shows."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from tests.support.drawing import VIEWPORTS, Look, is_open, numbers_of_week, panel_titles
from tests.support.grafana_frames import Json
from tests.support.languages import said as in_language
from zones.dose import full_minutes

LEAST_PX, LEAST_ANSWER_PX = 12, 40
TEXT_CONTRAST, SHAPE_CONTRAST = 4.5, 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11. A band is pale: what tells where it ends is the line along its edge."""

OVERLAP_PX = 2.0
"""By how much the boxes of two texts may overlap: they are a little larger than what is seen."""

ROW_PX = 40
"""A row of a table."""

UNRESOLVED = re.compile(r"\$\{|\$__|\bundefined\b|\bNaN\b|\bInvalid\b|\bnull\b|\[object")


def faults(look: Look, drawing: Json, said: Json | None) -> list[str]:
    """Everything that is wrong; `said` is what `hartslag week --json` says of the person's week, None if nothing."""
    if "failed" in drawing:
        return [f"not drawn: {drawing['failed']}"]
    found = [f"console: {line}" for line in drawing["console"] if line.startswith("error")]
    found += [
        f"{panel['title']}: error: {panel['error']}"
        for panel in drawing["panels"]
        if panel["state"] == "error"
    ]
    titles = panel_titles(drawing)
    texts = [{**t, "cut": t["cut"] and not _is_scrolled(t, drawing)} for t in drawing["texts"]]
    found += [f"{titles.get(t['panel'], 'page')}: {why}" for t in texts for why in _text_faults(t)]
    found += [
        f"{titles.get(one['panel'], 'page')}: {one['text']!r} and {other['text']!r} lie over each other"
        for one, other in overlapping(drawing["texts"])
    ]
    faint = {
        (s["panel"], s["kind"], s["color"], s["background"], s["contrast"])
        for s in drawing["shapes"]
        if s["kind"] in {"bar", "line", "points"} and s["contrast"] < SHAPE_CONTRAST
    }
    for number, kind, color, background, contrast in sorted(faint, key=str):
        found.append(
            f"{titles.get(number, 'page')}: a {kind} of {color} on {background} has a contrast of {contrast} : 1"
        )
    if look.dashboard == "week":
        found += answer_faults(look, drawing, said)
    return list(dict.fromkeys(found))


def _text_faults(text: Json) -> Iterator[str]:
    shown = repr(text["text"][:80])
    # Half of the last time below a chart is Grafana's own doing, whatever is drawn.
    if text["cut"] and not text["axis"]:
        yield f"{shown} is cut"
    if text["font_px"] < LEAST_PX - 1e-6:
        yield f"{shown} has {text['font_px']:g} px"
    # What stands around the panels is Grafana's own, colours and all.
    if text["panel"] is not None and text["contrast"] < TEXT_CONTRAST:
        yield f"{shown}, {text['color']} on {text['background']}, has a contrast of {text['contrast']} : 1"
    if UNRESOLVED.search(text["text"]):
        yield f"{shown} is not resolved"


def _is_scrolled(text: Json, drawing: Json) -> bool:
    """Whether it stands in the last row of a table that goes on below: half a row tells that there is more."""
    bottom = text["y"] + text["height"]
    return any(
        p["id"] == text["panel"] and p["type"] == "table" and bottom > p["y"] + p["height"] - ROW_PX
        for p in drawing["panels"]
    )


def overlapping(texts: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Pairs of texts whose boxes overlap."""
    ordered = sorted((t for t in texts if t["text"].strip()), key=lambda t: t["y"])
    for i, one in enumerate(ordered):
        bottom, right = one["y"] + one["height"], one["x"] + one["width"]
        for other in islice(ordered, i + 1, None):
            if other["y"] >= bottom - OVERLAP_PX:
                break
            across = min(right, other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(bottom, other["y"] + other["height"]) - other["y"]
            if across > OVERLAP_PX and down > OVERLAP_PX:
                yield one, other


ANSWER, DETAILS = "Enough?", "In numbers"
"""The panel of the answer on *This week*, and the one beside it."""

ENOUGH = "✓ Enough"

BORN = {1970}
"""Stands in the line that is missing in the settings, where limits are not known."""


def answer_faults(look: Look, drawing: Json, said: Json | None) -> Iterator[str]:
    """What is wrong with the sentence across the top of *This week*."""
    answer, details = (_written(drawing, in_language(title, look.language)) for title in (ANSWER, DETAILS))
    sentence = " ".join(t["text"] for t in answer)
    if not answer:
        yield "there is no answer"
        return
    if look.viewport == "phone":
        size = min(t["font_px"] for t in answer)
        if size < LEAST_ANSWER_PX:
            yield f"the answer {sentence!r} has {size:g} px"
        bottom = max(t["y"] + t["height"] for t in [*answer, *details])
        if bottom > VIEWPORTS["phone"].height:
            yield f"the answer {sentence!r} and what belongs to it end at {bottom:g} px, below the first screen"
    alone = _numbers(sentence)
    numbers = alone | _numbers(" ".join(t["text"] for t in details))
    judged = said is not None and said["judged"] and said["edges"]
    if alone and not judged:
        yield f"{sentence!r} looks like a judgement"
    right = numbers_of_week(said) if said else set()
    if wrong := numbers - right - (BORN if said and not said["edges"] else set()):
        yield f"{sentence!r}: {sorted(wrong)} is not what `week --json` says: {sorted(right)}"
    if said and judged:
        doses = {full_minutes(said["dose_min"])}
        if is_open(said):
            doses = {math.floor(said["dose_least_min"]), math.ceil(said["dose_most_min"])}
        wanted = {*doses, int(said["target_min"])}
        if missing := wanted - numbers:
            yield f"{sentence!r} does not say {sorted(missing)}"
        if (in_language(ENOUGH, look.language) in sentence) != (said["to_go_min"] == 0 and not is_open(said)):
            yield f"{sentence!r}, but there are {said['to_go_min']} minutes to go"


def _written(drawing: Json, title: str) -> list[Json]:
    """The texts in a panel but its title, from the top down."""
    panels = {p["id"] for p in drawing["panels"] if p["title"] == title}
    texts = [t for t in drawing["texts"] if t["panel"] in panels and t["text"] != title]
    return sorted(texts, key=lambda t: (t["y"], t["x"]))


def _numbers(text: str) -> set[int]:
    return {int(n) for n in re.findall(r"\d+", text)}
