"""Every index, count and moment has its width said: what is left to the platform has 32 bits on a Raspberry Pi's older system, and wraps."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(p for room in ("zones", "ingest") for p in (ROOT / room).rglob("*.py"))

DTYPE_AT = {"array": 1, "full": 2, "fromiter": 1, "arange": 3, "indices": 1}
"""Makers of columns that take their width from whole numbers, and at which argument it may stand.

`asarray` keeps that of the column it is given, and is let be."""

PLATFORM = {"int_", "uint", "long", "ulong", "longlong", "ulonglong", "intc", "uintc", "longdouble"}
"""Types of numpy that are not as wide everywhere."""

PRODUCTS = {"dot", "vdot", "inner", "matmul", "einsum", "tensordot", "corrcoef", "cov", "linalg"}
"""What is added up by the library for matrices, in an order of the processor's own: its last digit is another elsewhere."""


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the words of whatever leaves a width, or an order of adding, to the platform."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            yield node.lineno, "@"
        elif isinstance(node, ast.Attribute) and is_numpy(node) and node.attr in PLATFORM | PRODUCTS:
            yield node.lineno, f"np.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from call_faults(node, node.func)


def call_faults(call: ast.Call, called: ast.Attribute) -> Iterator[tuple[int, str]]:
    dtypes = [k.value for k in call.keywords if k.arg == "dtype"]
    if is_numpy(called):
        at = DTYPE_AT.get(called.attr)
        dtypes += call.args[at : at + 1] if at is not None else []
        if called.attr in {"zeros", "ones", "empty"}:
            dtypes += call.args[1:2]
        elif at is not None and not dtypes:
            yield call.lineno, f"np.{called.attr} without a dtype"
    elif called.attr in {"astype", "view"}:
        dtypes += call.args[:1]
    if any(isinstance(d, ast.Name) and d.id == "int" for d in dtypes):
        yield call.lineno, f"{called.attr} to int"
    if any(isinstance(d, ast.Constant) and d.value in {"i", "int", "l", "L", "uint"} for d in dtypes):
        yield call.lineno, f"{called.attr} to a platform's width"


def is_numpy(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "np"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_width_is_left_to_the_platform(path: Path) -> None:
    """Protects counts on 32 bits, where a moment in ms fits into no number of the platform's own width and some wrap silently."""
    assert list(faults(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "source",
    [
        "np.arange(n) * 1000",
        "np.array([start_ms])",
        "np.full(3, 10**12)",
        "ms.astype(int)",
        "np.zeros(3, int)",
        "np.zeros(3, dtype=np.int_)",
        "np.array(x, 'l')",
        "minutes @ weights",
        "np.dot(minutes, weights)",
    ],
)
def test_what_is_left_to_the_platform_is_seen(source: str) -> None:
    """Protects the test above from looking away."""
    assert len(list(faults(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    ["np.arange(n, dtype=np.int64)", "np.full(3, 1, np.intp)", "np.zeros(3)", "np.zeros(3, np.int64)"],
)
def test_what_is_said_is_let_be(source: str) -> None:
    """Protects who says a width from being sent back."""
    assert list(faults(ast.parse(source))) == []
