"""`hartslag check`: what it says of things that are in order, and yet not as their owner may think."""

from pathlib import Path

from tests.support.households import hartslag, household


def test_a_watch_that_never_came_in_is_named(tmp_path: Path) -> None:
    """Protects who mistypes a serial number: its name would never appear, and nothing else would say why."""
    (tmp_path / "hartslag.toml").write_text(
        '[[watch]]\nserial = 77\nname = "Anna\'s watch"\n[[watch]]\nserial = 78\nname = "The new one"\n'
    )
    with household(tmp_path) as journal, journal.write() as w:
        w.source(w.person("Anna"), "garmin-77-monitoring", "monitoring", 1)
    answer = hartslag("--data", tmp_path, "check")
    told = [line for line in answer.lines if line.startswith("Watch ")]
    assert told == [
        "Watch The new one: no file of serial number 78 has come in; `hartslag status` names those that have"
    ]
    assert answer.code == 0
