"""Sports in words that people read: files name them as the FIT profile does, and stores hold those names."""

from ingest.language import N_, gettext

SPORTS = (
    N_("alpine_skiing"), N_("american_football"), N_("baseball"), N_("basketball"), N_("boating"), N_("boxing"),
    N_("canoeing"), N_("cricket"), N_("cross_country_skiing"), N_("cycling"), N_("dance"), N_("disc_golf"),
    N_("diving"), N_("driving"), N_("e_biking"), N_("fishing"), N_("fitness_equipment"), N_("floor_climbing"),
    N_("generic"), N_("golf"), N_("hand_cycling"), N_("hiit"), N_("hiking"), N_("hockey"), N_("horseback_riding"),
    N_("ice_skating"), N_("inline_skating"), N_("jump_rope"), N_("kayaking"), N_("kitesurfing"),
    N_("meditation"), N_("mobility"), N_("motorcycling"), N_("mountaineering"), N_("multisport"), N_("paddling"),
    N_("para_sport"), N_("racket"), N_("rock_climbing"), N_("rowing"), N_("rugby"), N_("running"), N_("sailing"),
    N_("snowboarding"), N_("snowshoeing"), N_("soccer"), N_("stand_up_paddleboarding"), N_("surfing"),
    N_("swimming"), N_("team_sport"), N_("tennis"), N_("training"), N_("transition"), N_("volleyball"),
    N_("walking"), N_("water_sport"), N_("wheelchair_push_run"), N_("wheelchair_push_walk"), N_("windsurfing"),
    N_("winter_sport"), N_("yoga"),
)  # fmt: skip
"""Those that have a word of their own in other languages; a sport that is not among them keeps its name."""


UNTOLD = frozenset({None, "", "generic", "all"})
"""What files say where nobody told the sport; `all` is a word for goals."""


def sport_text(sport: str) -> str:
    """What people call a sport: `cross country skiing`; one that nobody told is a workout."""
    return gettext("workout") if sport in UNTOLD else gettext(sport).replace("_", " ")
