"""Dashboards drawn in a browser: which of all the ways to look at them, by the drawing host, and where the pictures lie."""

import fcntl
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple

from ingest.language import ENGLISH
from tests.support.grafana_frames import Json
from tests.support.grafana_homes import STATES, STORES, Homes, drawable
from tests.support.grafana_queries import Store
from tests.support.grafana_server import ask_address, asking_server
from tests.support.languages import said
from tests.support.needs import program, skip_without
from zones.dose import full_minutes

ROOT = Path(__file__).parents[2]
HOST = ROOT / "tests" / "grafana" / "browser"

PICTURES = Path(os.environ.get("HARTSLAG_PICTURES") or ROOT / "build" / "pictures")
"""Where pictures are kept."""

INSTALLS = ".ci/browser installs it"


class Viewport(NamedTuple):
    """A window, in pixels."""

    width: int
    height: int
    kiosk: bool = False


VIEWPORTS = {
    "desktop": Viewport(1600, 1200),
    "phone": Viewport(390, 844),
    "television": Viewport(1920, 1080, kiosk=True),
}
THEMES = ("dark", "light")
LOCALES = {"en": "en-US", "nl": "nl-NL"}
"""Languages, and what a browser asks for them by."""


class Look(NamedTuple):
    """One way to look at one dashboard; in this order they are drawn, so that what one state needs is made once."""

    state: str
    dashboard: str
    store: str
    viewport: str
    theme: str
    language: str = ENGLISH

    @property
    def name(self) -> str:
        """That of its picture."""
        return ".".join(self).replace(" ", "-")


def all_looks() -> list[Look]:
    """Every one there is; a file is the store of one Pi and has no fleet."""
    boards = {store: [d.name for d in drawable(store)] for store in STORES}
    names = max(boards.values(), key=len)
    looks = (Look(*each) for each in product(STATES, names, STORES, VIEWPORTS, THEMES, LOCALES))
    return [look for look in looks if look.dashboard in boards[look.store]]


def covering_looks() -> list[Look]:
    """A selection in which each pair of values of any two of the six occurs, wherever it can.

    Beside these each dashboard in each window, and This week in each state, in every language: words differ in their length.
    """

    def met(look: Look) -> set[tuple[tuple[int, str], ...]]:
        values = list(enumerate(look))
        state, board, _, viewport, _, language = values
        words = {(board, viewport, language)} | (
            {(state, board, language)} if look.dashboard == "week" else set()
        )
        return {*combinations(values, 2), *words}

    candidates = {look: met(look) for look in all_looks()}
    wanted = set().union(*candidates.values())
    chosen = []
    while wanted:
        best = max(candidates, key=lambda look: len(candidates[look] & wanted))
        chosen.append(best)
        wanted -= candidates[best]
    return sorted(chosen, key=lambda look: (list(STATES).index(look.state), look))


@dataclass
class Drawer:
    """The drawing host, a process for all drawings."""

    homes: Homes
    server: str
    ask: Callable[[Json], Json]

    def draw(self, look: Look, picture: Path) -> Json:
        """What stands on the page, as the host says it; the picture is of the whole page."""
        state = STATES[look.state]
        self.homes.store(state, look.store)
        width, height, kiosk = VIEWPORTS[look.viewport]
        # In the state of two, whoever has the odd name is looked at, as if picked above the dashboard.
        picked = {} if state.picked == state.persons[0] else {"variables": {"person": state.picked}}
        picture.parent.mkdir(parents=True, exist_ok=True)
        request: Json = {
            "id": look.name,
            "dashboard": self.homes.dashboard(state, look.store, look.dashboard, look.language),
            "ask": ask_address(self.server, look.state, look.store),
            "width": width,
            "height": height,
            "theme": look.theme,
            "locale": LOCALES[look.language],
            "kiosk": kiosk,
            "now_ms": state.now_ms,
            "time": None,
            "others": [said(d.title, look.language) for d in drawable(look.store)],
            "picture": str(picture),
            "full_page": True,
            **picked,
        }
        return self.ask(request)


@contextmanager
def drawing_host(homes: Homes) -> Iterator[Drawer]:
    """The host, started, and the server that it asks; skips the test where what it needs is not installed."""
    stores, now_ms = (lambda s, n: homes.store(STATES[s], n)), (lambda s: STATES[s].now_ms)
    with drawing_process(stores, now_ms) as (server, draw):
        yield Drawer(homes, server, draw)


@contextmanager
def drawing_process(
    stores: Callable[[str, str], Store], now_ms: Callable[[str], int]
) -> Iterator[tuple[str, Callable[[Json], Json]]]:
    """The address of a server that asks `stores(state, name)`, and what hands a request to the host and gives its answer."""
    node = program("node", INSTALLS)
    if os.environ.get("CHROMIUM") is None:
        program("chromium", INSTALLS)
    if not (HOST / "node_modules").exists():
        skip_without("what the drawing host is made of (npm)", INSTALLS)
    _bundle(node)
    environ = {**os.environ, "CHROMIUM": os.environ.get("CHROMIUM") or shutil.which("chromium") or ""}
    with (
        asking_server(stores, now_ms) as server,
        subprocess.Popen(
            [node, str(HOST / "draw.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HOST,
            env=environ,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def draw(request: Json) -> Json:
            asked.write(json.dumps(request) + "\n")
            asked.flush()
            line = answered.readline()
            assert line, "the drawing host has ended"
            answer: Json = json.loads(line)
            assert answer["id"] == request["id"]
            return answer

        try:
            yield server, draw
        finally:
            asked.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _bundle(node: str) -> None:
    """Make the page one file, if nobody has; of several workers the first does it, and the others wait."""
    (HOST / "build").mkdir(exist_ok=True)
    with (HOST / "build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([node, "build.mjs"], cwd=HOST, check=True)


def panel_titles(drawing: Json) -> dict[Any, str]:
    """Titles by the numbers of panels."""
    return {p["id"]: p["title"] or p["type"] for p in drawing["panels"]}


def numbers_of_week(week: Json) -> set[int]:
    """The numbers that a sentence about a week may have in it, rounded as people read them.

    Its minutes are full ones: they never look like enough.
    """
    found = [week[name] for name in ("target_min", "to_go_min", "days_left", "not_measured_h")]
    if is_open(week):
        found += [math.floor(week["dose_least_min"]), math.ceil(week["dose_most_min"])]
    return {round_half_up(n) for n in found if n is not None} | {full_minutes(week["dose_min"])}


def is_open(week: Json) -> bool:
    """Whether just what a watch did not write decides a week."""
    return bool(
        week["judged"]
        and week["edges"]
        and week["dose_least_min"] < week["target_min"] <= week["dose_most_min"]
    )


def round_half_up(number: float) -> int:
    """As Grafana rounds."""
    return int(number + 0.5)


__all__: Sequence[str] = [
    "PICTURES",
    "STATES",
    "VIEWPORTS",
    "Drawer",
    "Look",
    "all_looks",
    "covering_looks",
    "drawing_host",
    "drawing_process",
    "is_open",
    "numbers_of_week",
    "panel_titles",
]
