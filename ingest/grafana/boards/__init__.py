"""The dashboards, one file each: which panels there are, in which order, in which words."""

from ingest.grafana.boards.collectors import COLLECTORS
from ingest.grafana.boards.fleet import FLEET
from ingest.grafana.boards.history import HISTORY
from ingest.grafana.boards.now import NOW
from ingest.grafana.boards.week import WEEK
from ingest.grafana.boards.workout import WORKOUT
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.query import Language

__all__ = ["dashboards"]


def dashboards(language: Language) -> list[Dashboard]:
    """All there are for a store; one of a single Pi has no fleet."""
    return [WEEK, NOW, HISTORY, WORKOUT, COLLECTORS, *([FLEET] if language.has_sites else [])]
