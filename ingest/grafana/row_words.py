"""English words that stand in rows of stores, which are the same in every language, and are said in another when they are shown."""

from collections.abc import Mapping

from ingest.language import N_, gettext
from ingest.sports import SPORTS, sport_text

OUTCOMES = (N_("stored"), N_("duplicate"), N_("partial"), N_("rejected"))
"""What became of a file."""

STRAP_STATES = (
    N_("stopped"),
    N_("searching"),
    N_("connecting"),
    N_("connected"),
    N_("silent"),
    N_("in use elsewhere?"),
    N_("adapter off"),
    N_("adapter blocked"),
    N_("adapter missing"),
    N_("no Bluetooth service"),
    N_("no permission"),
    N_("wedged"),
    N_("unsupported"),
    N_("not a heart-rate sensor"),
    N_("another serial number"),
    N_("must be paired"),
)
"""How a strap can be: rows hold its number, and dashboards its word."""

ROW_WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("collector", "state"): OUTCOMES,
    ("session", "sport"): SPORTS,
    ("week", "not_judged"): (N_("no reason given"),),
}
"""Table and field -> what is said of it; of a week that is not judged most reasons are the owner's own words."""


def row_text(place: tuple[str, str], word: str) -> str:
    """What is shown in the place of a word that stands in rows; the names of sports have no word for people in them."""
    return sport_text(word) if place == ("session", "sport") else gettext(word)
