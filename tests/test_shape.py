"""What a stranger may count on in any file of the program: one name for one class, and nothing too long to be read at once."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(p for package in ("ingest", "zones") for p in (ROOT / package).rglob("*.py"))

LONGEST_FILE, LONGEST_FUNCTION = 450, 50
TABLES = {"ingest/grafana/dashboard.py"}
"""Long, and read a line at a time."""


def place(source: Path) -> str:
    return str(source.relative_to(ROOT))


def test_no_class_name_is_given_twice() -> None:
    """Protects who reads a name and must know what it is without looking where it comes from."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(place(source))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


@pytest.mark.parametrize("source", SOURCES, ids=place)
def test_nothing_is_too_long_to_be_read_at_once(source: Path) -> None:
    """Protects who has to change a file: it is one thing, and each function in it fits on a screen."""
    text = source.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE or place(source) in TABLES
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno is not None}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}
