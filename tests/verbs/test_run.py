"""The daemon as somebody sees it who started it on a terminal."""

from pathlib import Path

import pytest

from tests.support.terminals import on_terminal


@pytest.mark.parametrize(
    ("language", "runs", "stopped"),
    [
        ("en", "hartslag runs;", "Stopped. Nothing is lost"),
        ("nl", "hartslag draait;", "Gestopt. Er is niets verloren"),
    ],
)
def test_ctrl_c_on_a_terminal_is_answered(tmp_path: Path, language: str, runs: str, stopped: str) -> None:
    """Protects who pressed Ctrl-C from not knowing whether it was heard: it is said that it stops, and that it has."""
    (tmp_path / "hartslag.toml").write_text(f'language = "{language}"\n')
    seen = on_terminal(
        "--data", tmp_path, "run", columns=60, until=lambda sent: runs in sent and "Grafana" in sent
    )
    assert seen.code == 0
    assert stopped in seen.text
    assert "Ctrl-C" in seen.text
