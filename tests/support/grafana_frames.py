"""Frames: what a data source answers a panel with, columns of one length."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Column:
    """A field of a frame: times in ms, numbers or texts."""

    name: str
    values: list[Any]
    labels: dict[str, str] = field(default_factory=dict)
    type: str = ""
    """"time", "number" or "string" where the data source says so even of a column without values."""


@dataclass
class Frame:
    """Columns of one length, of the query under one reference."""

    ref: str
    columns: list[Column]

    def __getitem__(self, name: str) -> list[Any]:
        (found,) = [c for c in self.columns if c.name == name]
        return found.values

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(*(c.values for c in self.columns), strict=True))
