"""Dashboards as they are seen: drawn by Grafana's libraries in a browser, of real stores, in each state a household can be in."""

import pytest

from tests.support.drawing import PICTURES, STATES, Drawer, Look, covering_looks
from tests.support.drawing_faults import faults
from tests.support.grafana_homes import Homes

pytestmark = [
    pytest.mark.browser,
]


@pytest.mark.parametrize("look", covering_looks(), ids=lambda look: look.name)
def test_nothing_is_wrong_with_what_is_drawn(look: Look, drawer: Drawer, homes: Homes) -> None:
    """Protects whoever looks: no error, nothing cut, faint, small or over another, and the numbers of `week --json`."""
    picture = PICTURES / f"{look.name}.png"
    drawing = drawer.draw(look, picture)
    found = faults(look, drawing, homes.said(STATES[look.state], STATES[look.state].picked))
    assert not found, "\n  ".join([f"{picture}", *found])
