"""Asking the journal: what every sort of question has in common."""

from abc import ABC, abstractmethod
from typing import Any


class RowReader(ABC):
    """Something that can be asked in SQL, and says in words what is wrong when it cannot answer."""

    @abstractmethod
    def _rows(self, sql: str, *values: Any) -> list[Any]:
        """All rows of an answer. Raises TryLater or Stop."""
