"""The made-up household: it is read whole by the real code, tells its story, and touches nothing that is not its own."""

from pathlib import Path

import pytest

from ingest.demo.folder import MARK, DemoFolder
from ingest.errors import Stop


def test_a_folder_of_somebody_is_never_touched(tmp_path: Path) -> None:
    """Protects whoever names the wrong folder: what is no demo stays as it is."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal.db").write_text("years of somebody")
    with pytest.raises(Stop, match="is not a demo"):
        DemoFolder(tmp_path).require_ours()
    assert not (tmp_path / MARK).exists()
