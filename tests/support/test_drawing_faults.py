"""What is found wrong with a drawing, each by a drawing with that one thing in it."""

from typing import Any

import pytest

from tests.support.drawing import Look
from tests.support.drawing_faults import faults
from tests.support.grafana_frames import Json

DESK = Look("a usual week", "history", "sqlite", "desktop", "dark")
PHONE = DESK._replace(dashboard="week", viewport="phone")

SAID = {
    "dose_min": 108.6,
    "dose_least_min": 108.6,
    "dose_most_min": 108.6,
    "target_min": 150.0,
    "to_go_min": 42,
    "days_left": 4,
    "not_measured_h": 3.4,
    "judged": True,
    "edges": [{}],
}

OPEN = {"dose_least_min": 105.7, "dose_most_min": 150.3}
"""The watch left open what decides."""


def text(words: str, y: float = 100.0, **also: Any) -> Json:
    usual = {
        "x": 10.0,
        "y": y,
        "width": 200.0,
        "height": 20.0,
        "font_px": 16.0,
        "color": "#ccccdc",
        "background": "#181b1f",
    }
    return {
        "text": words,
        **usual,
        "contrast": 10.9,
        "cut": False,
        "panel": 1,
        "canvas": False,
        "axis": False,
        **also,
    }


def drawing(*texts: Json, **also: Any) -> Json:
    titles = {1: "Enough?", 2: "In numbers"}
    panels = [
        {"id": n, "title": title, "type": "stat", "state": "drawn", "x": 0, "y": 90 * n}
        for n, title in titles.items()
    ]
    return {"console": [], "panels": panels, "texts": list(texts), "shapes": [], **also}


BAR = {
    "panel": 1,
    "kind": "bar",
    "x": 0,
    "y": 0,
    "width": 9,
    "height": 9,
    "color": "#103952",
    "background": "#181b1f",
}


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (drawing(text("At least", cut=True)), "is cut"),
        (drawing(text("small", font_px=11.5)), "11.5 px"),
        (drawing(text("faint", contrast=4.4)), "4.4 : 1"),
        (drawing(text("${__field.labels.source}")), "not resolved"),
        (drawing(text("NaN min")), "not resolved"),
        (drawing(text("0 min"), text("16 min", y=110.0)), "over each other"),
        (drawing(text("fine"), console=["error: TypeError"]), "console: error: TypeError"),
        (drawing(text("fine"), shapes=[{**BAR, "contrast": 1.26}]), "1.26 : 1"),
        (drawing(text("fine"), shapes=[{**BAR, "kind": "line", "contrast": 1.96}]), "1.96 : 1"),
        ({"failed": "it hung", "console": []}, "not drawn: it hung"),
    ],
)
def test_a_fault_is_found(shown: Json, words: str) -> None:
    """Protects the tests of drawings from seeing nothing: each sort of fault is told in words."""
    (found,) = faults(DESK, shown, None)
    assert words in found


def test_an_error_of_a_panel_is_found() -> None:
    """Protects from the red badge: it is in no text of the page."""
    shown = drawing(text("fine"))
    shown["panels"][0] |= {"state": "error", "error": "no rows"}
    assert faults(DESK, shown, None) == ["Enough?: error: no rows"]


def test_what_is_fine_is_no_fault() -> None:
    """Protects from false alarms: neighbours that touch, a warning, a mark in a legend, a pale band, a bar that stands out."""
    shown = drawing(
        text("one"),
        text("another", y=119.0),
        console=["warning: deprecated"],
        shapes=[
            {**BAR, "contrast": 3.3},
            {**BAR, "kind": "mark", "contrast": 1.1},
            {**BAR, "kind": "band", "contrast": 1.3},
        ],
    )
    assert faults(DESK, shown, None) == []


def answer(words: str, details: str, size: float = 44.0, y: float = 120.0) -> Json:
    return drawing(text(words, y=y, font_px=size), text(details, y=y + 100, panel=2))


@pytest.mark.parametrize(
    ("shown", "said", "words"),
    [
        (answer("42 min to go", "108 min so far of 150 4 days left 3 h not measured"), SAID, ""),
        (answer("42 min to go", "108 min so far of 150", size=30.0), SAID, "30 px"),
        (answer("42 min to go", "108 min so far of 150", y=800.0), SAID, "below the first screen"),
        (answer("41 min to go", "108 min so far of 150"), SAID, "[41]"),
        (answer("42 min to go", "109 min so far of 150"), SAID, "[109]"),
        (answer("42 min to go", "of 150"), SAID, "does not say [108]"),
        (answer("✓ Enough", "108 min of 150"), SAID, "42 minutes to go"),
        (answer("✓ Enough", "179 min of 150"), {**SAID, "dose_min": 179.6, "to_go_min": 0}, ""),
        (answer("About enough", "from 105 to 151 of 150"), {**SAID, **OPEN}, ""),
        (answer("✓ Enough", "from 105 to 151 of 150"), {**SAID, **OPEN}, "42 minutes to go"),
        (answer("42 min to go", "108 min so far of 150"), {**SAID, **OPEN}, "does not say [105, 151]"),
        (answer("Nothing yet", ""), None, ""),
        (answer("0 of 150", ""), None, "looks like a judgement"),
        (answer("Not judged", "at least 108"), {**SAID, "judged": False, "to_go_min": None}, ""),
        (answer("42 min to go", ""), {**SAID, "judged": False, "to_go_min": None}, "looks like a judgement"),
        (answer("Not counted", "born = 1970"), {**SAID, "edges": [], "to_go_min": None}, ""),
    ],
)
def test_the_answer_is_what_hartslag_says(shown: Json, said: Json | None, words: str) -> None:
    """Protects the one sentence that is read: large, at the top, and with the numbers of `week --json`."""
    found = faults(PHONE, shown, said)
    assert any(words in one for one in found) if words else found == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [("Nog 42", ""), ("Nog 41", "[41]"), ("✓ Genoeg", "42 minutes to go")],
)
def test_an_answer_in_dutch_is_judged_as_well(words: str, fault: str) -> None:
    """Protects a page in another language: its answer is found by its own title, and enough by its own word."""
    shown = answer(words, "108 min tot nu toe, van 150")
    for panel, title in zip(shown["panels"], ("Genoeg?", "In cijfers"), strict=True):
        panel["title"] = title
    found = faults(PHONE._replace(language="nl"), shown, SAID)
    assert bool(found) == bool(fault)
    assert fault in " ".join(found)
