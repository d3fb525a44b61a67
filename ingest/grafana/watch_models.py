"""What people call makers and models of watches.

Files name a Garmin by a number or by a word of the FIT profile as fitparse 1.2 knows it, which was released in 2020.
Source: FIT SDK, profile types `manufacturer` and `garmin_product`.
"""

import re

MAKERS = {
    "coros": "COROS", "manufacturer_294": "COROS", "igpsport": "iGPSPORT", "polar_electro": "Polar",
    "bryton_sensors": "Bryton", "sigmasport": "Sigma", "tomtom": "TomTom", "mio_magellan": "Mio",
    "wahoo_fitness": "Wahoo", "decathlon": "Decathlon", "manufacturer_310": "Decathlon",
    "manufacturer_305": "WHOOP", "manufacturer_309": "FORM",
}  # fmt: skip
"""Those that are not the word with a capital, by their names in sources."""

GARMIN = {
    "Approach S12": (3823, 3986), "Approach S40": (3314,), "Approach S42": (3934, 4002), "Approach S44": (4647,),
    "Approach S50": (4656,), "Approach S60": (2656,), "Approach S70": (4233,),
    "D2 Air": (2187,), "D2 Air X10": (4125,), "D2 Charlie": (2819,), "D2 Mach 1 Pro": (4556,),
    "Descent G1": (4005, 4132), "Descent G2": (4588,), "Descent Mk1": (2859,), "Descent Mk2": (3258, 3702),
    "Descent Mk2S": (3542, 3930), "Descent Mk3": (4222,), "Descent Mk3i": (4223,),
    "Edge 20": (2290,), "Edge 25": (2288, 2289), "Edge 130": (2909, 3092), "Edge 130 Plus": (3558, 3813),
    "Edge 520": (2260, 2261), "Edge 520 Plus": (3112, 3142), "Edge 530": (3121, 3349), "Edge 540": (4061,),
    "Edge 820": (2599, 2600, 2628, 2629, 2630), "Edge 830": (3122, 3350), "Edge 840": (4062,),
    "Edge 1000": (2274,), "Edge 1030": (2713, 2924, 3095), "Edge 1030 Plus": (3570, 3812),
    "Edge 1040": (3843, 4305), "Edge 1050": (4440,), "Edge Explore": (3011,), "Edge Explore 2": (4169,),
    "Enduro": (3638, 3872), "Enduro 2": (4341,), "Enduro 3": (4575,),
    "epix": (2332, 2457), "epix Gen 2": (3943, 3944), "epix Pro": (4312, 4313, 4314),
    "fenix 3": (2293, 2407, 2408), "fenix 3 HR": (2473, 2474, 2475, 2476, 2477), "fenix Chronos": (2675,),
    "fenix 5": (2796,), "fenix 5S": (2797,), "fenix 5X": (2798,), "fenix 5 Plus": (3110,),
    "fenix 5S Plus": (2900, 3134), "fenix 5X Plus": (3111, 3135),
    "fenix 6": (3289, 3290, 3514, 3515), "fenix 6S": (3287, 3288, 3512, 3513), "fenix 6X": (3291, 3516),
    "fenix 7": (3906, 3909), "fenix 7S": (3905, 3908), "fenix 7X": (3907, 3910), "fenix 7 Pro": (4375,),
    "fenix 7S Pro": (4374,), "fenix 7X Pro": (4376,), "fenix 8": (4532, 4533, 4534, 4536), "fenix E": (4666,),
    "Forerunner 30": (2891, 2977), "Forerunner 35": (2503, 2650, 2667, 2668, 2727, 2814),
    "Forerunner 45": (3282, 3469), "Forerunner 55": (3869, 4033), "Forerunner 165": (4432,),
    "Forerunner 165 Music": (4433,), "Forerunner 230": (2313,), "Forerunner 235": (2396, 2397, 2733, 3144),
    "Forerunner 245": (3076, 3145), "Forerunner 245 Music": (3077, 3321), "Forerunner 255": (3992,),
    "Forerunner 255 Music": (3990,), "Forerunner 255S": (3993,), "Forerunner 255S Music": (3991,),
    "Forerunner 265": (4257,), "Forerunner 265S": (4258,), "Forerunner 630": (2310, 2311),
    "Forerunner 645": (2886, 3003), "Forerunner 645 Music": (2888, 3004), "Forerunner 735XT": (2158, 2533, 2534),
    "Forerunner 745": (3589, 3794), "Forerunner 935": (2833,), "Forerunner 945": (3113, 3441),
    "Forerunner 945 LTE": (3652, 3978), "Forerunner 955": (4024,), "Forerunner 965": (4315,),
    "Instinct": (3126,), "Instinct Solar": (3466,), "Instinct 2": (3888, 4071), "Instinct 2S": (3889,),
    "Instinct 2X": (4394,), "Instinct 3": (4585, 4586, 4587, 4759), "Instinct Crossover": (4155,),
    "Instinct E": (4583, 4584), "Lily": (3615, 3809), "Lily 2": (4380,),
    "MARQ": (3246, 3247, 3248, 3249, 3250, 3251, 3420, 3421, 3448, 3449, 3450, 3451, 3624, 3648, 3739, 3850),
    "MARQ Gen 2": (4105, 4124, 4472), "Swim 2": (3405, 3639), "tactix 7": (4135,), "tactix 8": (4775, 4776),
    "Venu": (3226, 3737, 3740), "Venu 2": (3703, 3950), "Venu 2S": (3704, 3949), "Venu 2 Plus": (3851, 4017),
    "Venu 3": (4260,), "Venu 3S": (4261,), "Venu Sq": (3596, 3599, 3600, 3837), "Venu Sq 2": (4115, 4116),
    "vivoactive HR": (2497,), "vivoactive 3": (2700, 3473), "vivoactive 3 Music": (2988, 3066, 3163, 3446),
    "vivoactive 4": (3225, 3388, 3389), "vivoactive 4S": (3224, 3387), "vivoactive 5": (4426,),
    "vivoactive 6": (4625,), "vivofit 4": (2878,), "vivomove 3": (3308, 3378, 3422), "vivomove HR": (2772, 2945),
    "vivomove Sport": (3982,), "vivomove Trend": (3983,), "vivosmart": (2294,), "vivosmart 2": (2271,),
    "vivosmart 3": (2622, 2831), "vivosmart 4": (2927, 3218), "vivosmart 5": (4063,), "vivosmart HR": (2361, 2362),
    "vivosport": (2623, 2832),
}  # fmt: skip
"""Those that came after fitparse's profile, with the numbers of all the regions they are sold in."""

_GARMIN_BY_NUMBER = {str(number): name for name, numbers in GARMIN.items() for number in numbers}

_FAMILIES = (
    (r"fr(?=\d)", "Forerunner"), (r"vivo_?(active|fit|move|smart|sport|ki)", r"vivo\1"), ("(fenix|epix)", r"\1"),
    ("edge", "Edge"), ("approach", "Approach"), ("d2", "D2"), ("virb", "VIRB"), ("swim", "Swim"),
)  # fmt: skip
"""Words of the profile begin with these, and people write them so."""

_REGIONS = r"_(apac|asia|china|japan|korea|russia|taiwan|twn|single_byte_product_id)$"


def maker_name(maker: str) -> str | None:
    """What people call a maker, by its name in sources; None for a mere number."""
    if maker in MAKERS:
        return MAKERS[maker]
    known = maker and maker != "watch" and not re.fullmatch(r"manufacturer_\d+|development", maker)
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
        return _GARMIN_BY_NUMBER.get(number[1]) if maker == "garmin" else None
    if maker != "garmin" or not re.fullmatch(r"[a-z0-9_]+", product):
        return product.replace("_", " ").title() if product.islower() else product
    word = re.sub(_REGIONS, "", product)
    for pattern, family in _FAMILIES:
        if found := re.match(pattern, word):
            return " ".join([found.expand(family), *_cased(word[found.end() :])])
    return " ".join(_cased(word))


def _cased(words: str) -> list[str]:
    """920XT and HR, but Plus."""
    found = filter(None, words.split("_"))
    return [w.upper() if re.search(r"\d", w) or w in {"hr", "gps"} else w.title() for w in found]
