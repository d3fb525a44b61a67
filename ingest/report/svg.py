"""A drawing of matplotlib as a piece of a page: colours that follow its theme, text that stays text, nothing beside."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    "ink": "#1c1c1c",
    "soft": "#5a5a5a",
    "grid": "#d9d9d9",
    "moderate": "#0072b2",
    "vigorous": "#d55e00",
    "measured": "#7a7a7a",
    "paper": "#ffffff",
}
"""What things are drawn in on white, by name. The page has the names for classes, and other colours for a dark screen."""

_NAMES = {colour: name for name, colour in COLOURS.items()}

_KEPT = {"stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "opacity", "font-size", "font-weight", "text-anchor"}  # fmt: skip
"""What is said of a shape besides its colours; typefaces are the page's."""

_REFERENCE = re.compile(r"url\(#([^)]*)\)")


def svg_of(figure: "Figure", name: str, title: str, description: str, classes: str) -> str:
    """The drawing as an element of a page; `name` begins the ids in it, and stands in no other drawing."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    written = BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(written, metadata=nothing)  # type: ignore[no-untyped-call]  # it has no types
    root = ET.fromstring(written.getvalue())  # noqa: S314 - written by ourselves a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}style", "}metadata")):
                parent.remove(child)
    used = set(re.findall(r'#([^")]*)[")]', ET.tostring(root, "unicode")))
    for element in root.iter():
        _tidy(element, name, used)
    _, _, width, height = root.attrib["viewBox"].split()
    for extent in ("width", "height", "version"):
        root.attrib.pop(extent, None)
    root.attrib |= {
        "class": f"chart {classes}",
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-text",
        "width": width,
        "height": height,
    }
    for at, (tag, words) in enumerate((("title", title), ("desc", description))):
        told = ET.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'text'}"})
        told.text = words
        root.insert(at, told)
    return re.sub(r">\s+<", "><", ET.tostring(root, "unicode"))


def _tidy(element: ET.Element, name: str, used: set[str]) -> None:
    """Styles become attributes and classes: a strict page allows no other; ids that nobody uses go, others are made its own."""
    element.tag = element.tag.rpartition("}")[2]
    given = dict(element.attrib)
    element.attrib.clear()
    for called, value in given.items():
        key = called.rpartition("}")[2]
        if key == "id":
            if value in used:
                element.set("id", f"{name}-{value}")
        elif key == "style":
            _restyle(element, _styles(value), name)
        elif key == "d":
            element.set("d", _short_path(value))
        elif key == "transform" and value.startswith("rotate(-0 "):
            continue
        else:
            element.set(key, _own(value, name))


def _restyle(element: ET.Element, styles: Mapping[str, str], name: str) -> None:
    classes = []
    for key, value in styles.items():
        if key in {"fill", "stroke"}:
            element.set(key, _own(value, name))
            if value in _NAMES:
                classes.append(f"{key}-{_NAMES[value]}")
        elif key in _KEPT:
            element.set(key, value.removesuffix("px"))
    if classes:
        element.set("class", " ".join(classes))


def _styles(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def _own(value: str, name: str) -> str:
    """A reference within the drawing, to the id as it is called now."""
    value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
    return f"#{name}-{value[1:]}" if value.startswith("#") and value not in _NAMES else value


def _short_path(path: str) -> str:
    """A hundredth of a pixel is nothing."""
    return re.sub(
        r"-?\d+\.\d+", lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), " ".join(path.split())
    )
