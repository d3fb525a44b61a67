"""Pages as they are seen: in Chromium, in each state a household can be in, on a phone and on paper, light and dark."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.grafana.sensor_names import sensor_names
from ingest.language import speak
from ingest.report.page import page_html
from ingest.settings.model import Settings
from ingest.verbs.report_answer import report_facts
from tests.support.drawing import PICTURES, STATES
from tests.support.grafana_homes import Homes
from tests.support.needs import program, skip_without

pytestmark = [pytest.mark.browser]

VIEWER = Path(__file__).parent / "browser"
INSTALLS = ".ci/browser installs it"

LOOKS: dict[str, dict[str, Any]] = {
    "phone.light": {"width": 360, "height": 780, "theme": "light", "print": False, "axe": True},
    "phone.dark": {"width": 360, "height": 780, "theme": "dark", "print": False, "axe": True},
    "desk.dark": {"width": 1000, "height": 900, "theme": "dark", "print": False, "axe": False},
    # A sheet of A4 less its margins. Who has a dark screen prints on white paper all the same.
    "paper": {"width": 680, "height": 1039, "theme": "dark", "print": True, "axe": True},
}

Look = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def look() -> Iterator[Look]:
    """What looks at pages, a process for all of them."""
    node = program("node", INSTALLS)
    if os.environ.get("CHROMIUM") is None:
        program("chromium", INSTALLS)
    if not (VIEWER / "node_modules").exists():
        skip_without("what looks at pages (npm)", INSTALLS)
    environ = {**os.environ, "CHROMIUM": os.environ.get("CHROMIUM") or shutil.which("chromium") or ""}
    command = [node, str(VIEWER / "look.mjs")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=VIEWER, env=environ
    ) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None
        assert answered is not None

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            asked.write(json.dumps(request) + "\n")
            asked.flush()
            line = answered.readline()
            assert line, "what looks at pages has ended"
            answer: dict[str, Any] = json.loads(line)
            assert answer["id"] == request["id"]
            return answer

        yield ask
        asked.close()


@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("name", STATES)
def test_nothing_is_wrong_with_a_page(
    name: str, language: str, look: Look, homes: Homes, tmp_path: Path
) -> None:
    """Protects whoever reads it: no error or request, nothing wider than a phone, cut, small, or torn by a sheet's end, two sheets at most, and nothing that axe finds serious."""
    state = STATES[name]
    journal = homes.journal(state)
    (person,) = [p for p in journal.persons() if p.name == state.picked]
    names = sensor_names(Settings(tmp_path, straps=state.straps), journal)
    speak(language)
    file = tmp_path / "page.html"
    file.write_text(page_html(report_facts(journal, person, 12, state.now_ms, names)), "utf-8")
    found = []
    (PICTURES / "report").mkdir(parents=True, exist_ok=True)
    for view, how in LOOKS.items():
        picture = PICTURES / "report" / f"{name.replace(' ', '-')}.{language}.{view}"
        answer = look({"id": view, "file": str(file), "picture": str(picture), **how})
        found += [f"{view}: {fault}" for fault in answer["faults"]]
        if how["print"] and not 1 <= answer["sheets"] <= 2:
            found.append(f"{view}: {answer['sheets']} sheets")
    assert not found, "\n  ".join(["", *found])


NAMES = {
    "long": "W" * 200,
    "html": "<b onclick=alert(1)>\"'&amp;</b><script>document.title = 'x'</script>",
    "right to left": "\u202e\u05d0\u05e0\u05d4 (\u05d0) 2",
}


@pytest.mark.parametrize("kind", NAMES)
def test_no_name_breaks_a_page(kind: str, look: Look, homes: Homes, tmp_path: Path) -> None:
    """Protects a page of somebody whose name, sensor or reason is long, strange, or meant to do harm."""
    state, name = STATES["week not judged"], NAMES[kind]
    journal = homes.journal(state)
    (person,) = [p for p in journal.persons() if p.name == state.picked]
    names = dict.fromkeys((source.name for source in journal.sources(person.id)), name)
    facts = report_facts(journal, person, 12, state.now_ms, names)
    weeks = [replace(week, not_judged=week.not_judged and name) for week in facts.weeks]
    file = tmp_path / "page.html"
    file.write_text(page_html(replace(facts, person=name, weeks=weeks)), "utf-8")
    answer = look({"id": kind, "file": str(file), "picture": None, **LOOKS["phone.light"]})
    assert answer["faults"] == []


@pytest.mark.parametrize("weeks", [26, 53])
def test_many_weeks_have_room(weeks: int, look: Look, homes: Homes, tmp_path: Path) -> None:
    """Protects who asks for half a year or a whole one: drawings stay legible on a phone, and the page small."""
    state = STATES["twelve years"]
    journal = homes.journal(state)
    (person,) = [p for p in journal.persons() if p.name == state.picked]
    file = tmp_path / "page.html"
    file.write_text(page_html(report_facts(journal, person, weeks, state.now_ms, {})), "utf-8")
    assert file.stat().st_size < 300_000
    answer = look({"id": "many", "file": str(file), "picture": None, **LOOKS["phone.light"]})
    assert answer["faults"] == []
