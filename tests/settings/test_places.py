"""Where settings are looked for."""

from pathlib import Path

import pytest

from ingest.settings.file import load, places
from ingest.settings.installed import FILE_NAME, Installed, find_installed

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


def test_an_installed_program_knows_its_places_from_any_folder(tmp_path: Path) -> None:
    """Protects who types `hartslag week` on a Pi where it is a service: `data/` of the folder they are in is nothing to it."""
    program, here = tmp_path / "program", tmp_path / "here"
    service = Installed(tmp_path / "etc" / "hartslag.toml", tmp_path / "var", "hartslag")
    for folder in (program, service.settings.parent, here / "data"):
        folder.mkdir(parents=True)
    (here / "data" / "hartslag.toml").write_text('[[person]]\nname = "Somebody else"\n')
    service.settings.write_text('[[person]]\nname = "Anna"\n')
    (program / FILE_NAME).write_text(service.text())
    assert find_installed(program) == service
    assert find_installed(here) is None
    found = load(None, None, {}, here, installed=find_installed(program))
    assert (found.data, found.file, found.default_person) == (service.data, service.settings, "Anna")
    named = load(None, Path("data"), {}, here, installed=service)
    assert (named.data, named.default_person) == (here / "data", "Somebody else")
    assert load(None, service.data, {}, here, installed=service).file == service.settings
