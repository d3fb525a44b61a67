"""What is asked of the SQLite store in every state a household can be in, by the rules of the plugin that asks it."""

import math
from collections import Counter
from itertools import product

import pytest

from ingest.language import languages
from tests.support.drawing import STATES, VIEWPORTS, covering_looks
from tests.support.grafana_homes import SITE, STORES, Homes, drawable
from tests.support.grafana_queries import Looking, answers, drawn
from tests.support.grafana_server import asked
from tests.support.grafana_words import texts
from tests.support.households import at


@pytest.mark.parametrize("state", ["watch only", "first day"])
def test_no_panel_has_an_error(state: str, homes: Homes) -> None:
    """Protects an owner with a watch and no strap from red badges: the plugin refuses a time series without rows."""
    store = homes.store(STATES[state], "sqlite")
    now = STATES[state].now_ms
    wrong = {}
    for one in drawable("sqlite"):
        for panel in homes.dashboard(STATES[state], "sqlite", one.name)["panels"]:
            targets = [_filled(t, STATES[state].picked) for t in panel.get("targets", [])]
            question = {"targets": targets, "from_ms": now - 3_600_000, "to_ms": now}
            if errors := asked(store, question)["errors"]:
                wrong[one.name, panel["title"]] = errors
    assert not wrong


@pytest.mark.parametrize("store", STORES)
def test_a_store_has_one_position(store: str, homes: Homes) -> None:
    """Protects a household with several straps from as many positions: each has a newest one, the store's is the last."""
    state = STATES["a usual week"]
    board = homes.dashboard(state, store, "collectors")
    (panel,) = [p for p in board["panels"] if p["title"] == "Position in the journal"]
    looking = Looking(state.now_ms - 7 * 86_400_000, state.now_ms, {"person": state.picked, "site": SITE})
    found = [answers(homes.store(state, store), target, looking) for target in panel["targets"]]
    assert [len(frames) for frames in found] == [1]


@pytest.mark.parametrize("board", ["week", "now", "workout"])
@pytest.mark.parametrize("store", STORES[1:])
def test_servers_say_what_the_file_says(store: str, board: str, homes: Homes) -> None:
    """Protects a workout of a strap, which tells no sport, from that of another one: every store has the same words."""
    state = STATES["a usual week"]
    looking = Looking(state.now_ms - 86_400_000, state.now_ms, {"person": state.picked, "site": SITE})

    def words(name: str) -> dict[str, list[str]]:
        panels = homes.dashboard(state, name, board)["panels"]
        return {
            p["title"]: texts(p, drawn(homes.store(state, name), p, looking))
            for p in panels
            if p["type"] == "stat"
        }

    assert words(store) == words("sqlite")


@pytest.mark.parametrize("store", STORES)
def test_a_week_that_a_watch_left_open_is_drawn_as_that(store: str, homes: Homes) -> None:
    """Protects a week within its spread from looking missed or met: it says from what to what, as `week --json` does."""
    state = STATES["about enough"]
    said = homes.said(state, state.picked)
    assert said is not None
    least, most = math.floor(said["dose_least_min"]), math.ceil(said["dose_most_min"])
    assert least < said["dose_min"] < said["target_min"] == 84 < most
    week = Looking(at("2026-11-16T00:00+01:00"), state.now_ms, {"person": state.picked, "site": SITE})
    panels = {p["title"]: p for p in homes.dashboard(state, store, "week")["panels"]}

    def read(title: str) -> list[str]:
        return texts(panels[title], drawn(homes.store(state, store), panels[title], week))

    assert read("Enough?") == ["About enough"]
    assert read("In numbers") == [
        f"between {least}",
        f"and {most}",
        "of 84",
        f"{said['not_measured_h']:.0f} h not measured",
    ]


def _filled(target: dict[str, str], person: str) -> dict[str, str]:
    quoted = "'" + person.replace("'", "''") + "'"
    return {
        k: v.replace("${person:sqlstring}", quoted) if isinstance(v, str) else v for k, v in target.items()
    }


def test_the_selection_has_every_pair() -> None:
    """Protects the few pictures that stand for all: any two of state, dashboard, store, window, theme and language meet in one."""
    looks = covering_looks()
    boards = {d.name for store in STORES for d in drawable(store)}
    seen = Counter((look.state, look.dashboard) for look in looks)
    assert seen.keys() == {(state, board) for state in STATES for board in boards}
    assert {(look.dashboard, look.store) for look in looks if look.store == "sqlite"} == {
        (d.name, "sqlite") for d in drawable("sqlite")
    }
    assert {(look.viewport, look.theme) for look in looks} == {
        (v, t) for v in ("desktop", "phone", "television") for t in ("dark", "light")
    }
    assert {(look.dashboard, look.viewport, look.language) for look in looks} == set(
        product(boards, VIEWPORTS, languages())
    )
    assert {(look.state, look.language) for look in looks if look.dashboard == "week"} == set(
        product(STATES, languages())
    )
    assert len(looks) < 80
