"""Where settings are looked for."""

from pathlib import Path

import pytest

from ingest.settings.file import places

SYSTEM = Path("/etc/hartslag/hartslag.toml")


@pytest.mark.parametrize(
    ("config", "data", "environ", "named", "expected"),
    [
        (None, None, {}, False, ["/here/data/hartslag.toml", str(SYSTEM)]),
        (None, Path("/x"), {}, False, ["/x/hartslag.toml"]),
        (Path("a.toml"), Path("/x"), {}, True, ["/here/a.toml"]),
        (None, None, {"HARTSLAG_CONFIG": "/b.toml"}, True, ["/b.toml"]),
    ],
)
def test_the_first_place_is_where_a_new_file_belongs(
    config: Path | None, data: Path | None, environ: dict[str, str], *, named: bool, expected: list[str]
) -> None:
    """Protects who is asked for settings from having them written where no other verb looks."""
    found = places(config, data, environ, Path("/here"), SYSTEM)
    assert found == (named, [Path(p) for p in expected])
