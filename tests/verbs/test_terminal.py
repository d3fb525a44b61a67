"""What verbs share on a terminal: width, bars, and what is shown where it cannot show everything."""

import pytest

from ingest.verbs.terminal import MODERATE, Terminal, cells, cut, padded


@pytest.mark.parametrize(
    "text",
    [
        "Nothing is measured yet. Drop FIT files into the inbox.",
        "/a/very/long/path/that/no/terminal/of/twenty/columns/can/hold/in/one/line hartslag.toml",
        "瀬戸内の人 日本語日本語日本語日本語日本語日本語日本語 ok",
        "👩🏽‍🦽 Zoë 🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴🚴",
        "x",
        "",
    ],
)
@pytest.mark.parametrize("width", [20, 33, 80])
def test_no_line_is_wider_than_the_terminal_and_none_loses_a_letter(text: str, width: int) -> None:
    """Protects whoever reads on a phone over ssh: names of any script, paths and sentences are wrapped by their columns."""
    lines = list(Terminal(width).wrap(text, 2, 4))
    assert max(map(cells, lines)) <= width
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_columns_of_letters() -> None:
    """Protects tables whose names are in wide letters: these take two columns, accents none of their own."""
    assert [cells(text) for text in ("Anna", "Zoë", "日本", "▒█·", "🚴", "e\u0301")] == [4, 3, 4, 3, 2, 1]
    assert padded("日本", 6) + "|" == "日本  |"
    assert padded("日本", 6, right=True) == "  日本"
    assert cut("日本語", 5) == "日本"


def test_a_bar_tells_its_halves_apart_without_colour() -> None:
    """Protects who sees no colour, or has none: moderate and vigorous are other characters, in ASCII too."""
    assert Terminal(80).bar(30, 30, 120, 12, rest=True) == "▒▒▒███······"
    assert Terminal(80, unicode=False).bar(30, 30, 120, 12, rest=True) == "===###......"


def test_a_bar_shows_the_least_there_is_and_never_more_than_all() -> None:
    """Protects a single minute from looking like none, and a good week from leaving the screen."""
    t = Terminal(80, unicode=False)
    assert t.bar(0.2, 0, 150, 10) == "="
    assert t.bar(0.2, 0.4, 150, 10) == "#"
    assert t.bar(100, 2, 150, 10) == "======#"
    assert t.bar(300, 100, 150, 10) == "========##"
    assert t.bar(0, 0, 150, 10) == ""
    assert t.bar(10, 0, 0, 10) == ""


def test_colour_says_once_more_what_letters_say() -> None:
    """Protects NO_COLOR: without colours the very same characters stand there."""
    coloured = Terminal(80, colours=256, styles=True).bar(30, 30, 120, 12)
    assert coloured == "\x1b[38;5;33m▒▒▒\x1b[0m\x1b[38;5;202m███\x1b[0m"
    assert Terminal(80, colours=8).coloured(MODERATE, "a") == "\x1b[36ma\x1b[0m"
    assert Terminal(80).bold("a") == "a"
