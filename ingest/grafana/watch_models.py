"""What people call makers and models of watches.

Files name a maker and a Garmin by numbers; in sources and in the journal stands the word that fitparse 1.2 has for one, which
was released in 2020, or the number. Both become names here, where they are shown: identity stays as it is, and a newer table
names what was recorded before, too. Source: FIT SDK, profile types `manufacturer` and `garmin_product`, by way of
`ingest/grafana/profile_names.py`, which is loaded once a number has to be named.
"""

import re

MAKERS = {
    "coros": "COROS", "igpsport": "iGPSPORT", "polar_electro": "Polar", "bryton_sensors": "Bryton", "sigmasport": "Sigma",
    "tomtom": "TomTom", "mio_magellan": "Mio", "wahoo_fitness": "Wahoo", "whoop": "WHOOP", "form": "FORM", "mywhoosh": "MyWhoosh",
    "tag_heuer": "TAG Heuer", "ifit_com": "iFIT", "una_watch": "UNA",
}  # fmt: skip
"""Those that are not the word with a capital."""

_SPELLED = {
    "d2airvenu": "d2_air", "descent": "descent_mk1", "venusq2music": "venusq2_music", "fr245m": "fr245_music",
    "fr645m": "fr645_music", "vivoactive3m_w": "vivoactive3_music", "vivoactive3m_l": "vivoactive3_music",
    "vivo_active3m": "vivoactive3_music", "fenix6_s": "fenix6s", "fenix6_s_sport": "fenix6s_sport", "edge_explore2": "edge_explore_2",
    "fr255_small": "fr255s", "fr255_small_music": "fr255s_music", "fr265_small": "fr265s", "fr265_large": "fr265",
    "vivoactive4_small": "vivoactive4s", "vivoactive4_large": "vivoactive4", "instinctcrossover": "instinct_crossover",
}  # fmt: skip
"""Words of the profile that are not written as others of their family are."""

_FAMILIES = (
    (r"fr(?=\d)", "Forerunner"), (r"vivo_?(active|fit|move|smart|sport|ki)", r"vivo\1"), ("(fenix|epix|tactix)", r"\1"),
    ("venu_?sq", "Venu Sq"), ("(venu|instinct|enduro|descent|lily|bounce)", None), ("marq", "MARQ"),
    ("edge", "Edge"), ("approach", "Approach"), ("d2", "D2"), ("virb", "VIRB"), ("swim", "Swim"),
)  # fmt: skip
"""Words of the profile begin with these, and people write them so."""

_REGIONS = r"_(apac|asia|china|japan|jpn|korea|kor|russia|taiwan|twn|chn|thai|sea|emea|hebrew|ww|nfc|single_byte_product_id)$"


def maker_name(maker: str) -> str | None:
    """What people call a maker, by its name in sources; None for a mere number."""
    if maker in MAKERS:
        return MAKERS[maker]
    if number := re.fullmatch(r"manufacturer_(\d+)", maker):
        from ingest.grafana import profile_names

        word = profile_names.MAKERS.get(int(number[1]))
        return maker_name(word) if word else None
    known = maker and maker not in {"watch", "development"}
    return maker.replace("_", " ").title() if known else None


def model_name(maker: str, product: str | None) -> str | None:
    """Make and model, by the maker's name in sources and what files call the product; None where neither is known."""
    make = maker_name(maker)
    model = _product_name(maker, product) if product else None
    if model is None or make is None:
        return model or make
    if model.casefold().startswith(make.casefold()):
        model = model[len(make) :].strip()
    return f"{make} {model}".strip()


def _product_name(maker: str, product: str) -> str | None:
    if number := re.fullmatch(r"product[ _](\d+)", product):
        from ingest.grafana import profile_names

        word = profile_names.GARMIN.get(int(number[1])) if maker == "garmin" else None
        return _garmin_name(word) if word else None
    if maker != "garmin" or not re.fullmatch(r"[a-z0-9_]+", product):
        return product.replace("_", " ").title() if product.islower() else product
    return _garmin_name(product)


def _garmin_name(word: str) -> str:
    """What people call a Garmin, by its word in the profile: `fr920xt_taiwan` is a Forerunner 920XT."""
    while (shorter := re.sub(_REGIONS, "", word)) != word:
        word = shorter
    word = _SPELLED.get(word, word)
    for pattern, family in _FAMILIES:
        if found := re.match(pattern, word):
            name = found.expand(family) if family else found[0].title()
            return " ".join([name, *_cased(word[found.end() :])])
    return " ".join(_cased(word))


def _cased(words: str) -> list[str]:
    """920XT and HR, but Plus, Mk2, Gen 2 and 45 mm."""
    return [_one_cased(word) for word in words.split("_") if word]


def _one_cased(word: str) -> str:
    if found := re.fullmatch(r"mk(\d)(s|i|)", word):
        return f"Mk{found[1]}{found[2].replace('s', 'S')}"
    if counted := re.fullmatch(r"(gen|mach)(\d)|(\d+)(mm)", word):
        first, number, size, unit = counted.groups()
        return f"{first.title()} {number}" if first else f"{size} {unit}"
    return (
        word.upper() if re.search(r"\d", word) or word in {"hr", "gps", "lte", "hrm", "e"} else word.title()
    )
