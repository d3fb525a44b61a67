"""Every dashboard in every state, of every store, in every window and theme, as pictures to be looked at: `make pictures`.

python -m tests.support.pictures [FOLDER] [--only WORD ...] [--language nl]

FOLDER/index.html shows all of them small, with what was found wrong with each; `--only week phone` draws those of both words.
"""

import argparse
import html
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from ingest.language import ENGLISH, languages
from tests.support.drawing import PICTURES, STATES, Look, all_looks, drawing_host
from tests.support.drawing_faults import faults
from tests.support.grafana_homes import Homes

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dashboards of hartslag</title><style>
body { font: 15px sans-serif; background: #777; color: #fff; margin: 1em; }
div { display: flex; flex-wrap: wrap; gap: 1em; align-items: flex-start; }
figure { margin: 0; width: 20em; } img { width: 100%; max-height: 30em; object-fit: cover; object-position: top; }
figcaption { font-size: 12px; overflow-wrap: anywhere; } li { color: #fdd; }
</style></head><body>
"""


def index(found: dict[Look, list[str]]) -> str:
    """A page of all of them, a section for each state and dashboard."""
    parts = [_HEAD]
    for (state, board), looks in groupby(found, key=lambda look: (look.state, look.dashboard)):
        parts.append(f"<h2>{html.escape(f'{board}: {state}')}</h2><div>")
        for look in looks:
            wrong = "".join(f"<li>{html.escape(one)}</li>" for one in found[look])
            caption = f"{look.store}, {look.viewport}, {look.theme}<ul>{wrong}</ul>"
            image = f'<a href="{look.name}.png"><img loading="lazy" src="{look.name}.png" alt=""></a>'
            parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
        parts.append("</div>")
    return "\n".join([*parts, "</body></html>", ""])


def main() -> None:
    """Draw them, state by state."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("folder", type=Path, nargs="?", default=PICTURES)
    given.add_argument("--only", nargs="+", default=[])
    given.add_argument("--language", choices=languages(), default=ENGLISH)
    asked = given.parse_args()
    looks = [look for look in all_looks() if {*asked.only, asked.language} <= set(look)]
    found: dict[Look, list[str]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Homes(Path(folder)) as homes,
        drawing_host(homes) as drawer,
    ):
        for i, look in enumerate(looks, 1):
            said = homes.said(STATES[look.state], STATES[look.state].picked)
            found[look] = faults(look, drawer.draw(look, asked.folder / f"{look.name}.png"), said)
            line = f"{i}/{len(looks)}  {look.name}  {len(found[look]) or 'no'} faults"
            if sys.stdout.isatty():
                print(f"\r\x1b[K{line}", end="", flush=True)
            elif found[look]:
                print(line, flush=True)
            (asked.folder / "index.html").write_text(index(found))
    print(
        f"\n{len(looks)} pictures, {sum(map(bool, found.values()))} of them with faults: {asked.folder / 'index.html'}"
    )


if __name__ == "__main__":
    main()
