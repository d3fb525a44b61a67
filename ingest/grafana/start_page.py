"""*This week* as the first page of Grafana, and on a screen of its own: files to be copied, and the lines that do it.

A drop-in of systemd sets what grafana.ini would: it survives updates of Grafana, and to take it away is to undo it.
Source: Grafana, "Configure Grafana", `default_home_dashboard_path`, `default_language` and `date_formats`, and "Configure anonymous access".
"""

from collections.abc import Iterator
from typing import NamedTuple

from ingest.grafana.provisioning import FOLDER, GRAFANA, DataSource
from ingest.language import gettext as _
from ingest.language import spoken_language

DROP_IN = f"{FOLDER}/start-page.conf"
KIOSK = f"{FOLDER}/kiosk.desktop"

ADDRESS = "http://localhost:3000"


class _Locale(NamedTuple):
    """What Grafana calls a language, and how a day is written below its charts."""

    tag: str
    day: str


_LOCALES = {"nl": _Locale("nl-NL", "DD-MM")}
"""A language that Grafana does not know (Dutch came with 12.0) it passes over, and speaks English."""


def start_page_files(source: DataSource, *, without_login: bool) -> dict[str, str]:
    """Path below Grafana's own folder -> content."""
    locale = _LOCALES.get(spoken_language())
    environment = {"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(source.folder / "week.json")}
    if without_login:
        environment |= {"GF_AUTH_ANONYMOUS_ENABLED": "true", "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer"}
    if locale:
        environment |= {"GF_USERS_DEFAULT_LANGUAGE": locale.tag, "GF_DATE_FORMATS_INTERVAL_DAY": locale.day}
    drop_in = "[Service]\n" + "".join(f"Environment={name}={value}\n" for name, value in environment.items())
    # The whole address: where Grafana forwards to its first page, it forgets ?kiosk.
    page = f"{ADDRESS}/d/{source.uid}-week?kiosk"
    wait = f"until curl -sf {ADDRESS}/api/health >/dev/null; do sleep 2; done"
    options = "--kiosk --noerrdialogs" + (f" --accept-lang={locale.tag}" if locale else "")
    # Older images of Raspberry Pi OS have it under its longer name only.
    show = " || ".join(f"{name} {options} '{page}'" for name in ("chromium", "chromium-browser"))
    kiosk = f'[Desktop Entry]\nType=Application\nName=hartslag\nExec=sh -c "{wait}; {show}"\n'
    return {DROP_IN: drop_in, KIOSK: kiosk}


def install_lines() -> Iterator[str]:
    """What puts the drop-in into its place, before Grafana is started again."""
    place = "/etc/systemd/system/grafana-server.service.d/hartslag.conf"
    yield f"  sudo install -D -m 644 {GRAFANA}/{DROP_IN} {place}"
    yield "  sudo systemctl daemon-reload"


def screen_lines(*, without_login: bool) -> Iterator[str]:
    """What a screen at the Pi needs, and what the owner must know."""
    yield _("If the Pi has a screen and a desktop, this opens the page there whenever somebody is logged in:")
    yield ""
    yield f"  sudo install -D -m 644 {GRAFANA}/{KIOSK} /etc/xdg/autostart/hartslag.desktop"
    yield ""
    if without_login:
        yield _(
            "Everybody in your network now sees all dashboards of this Grafana, of all persons, without a password."
        )
    else:
        yield _(
            "Grafana asks for the password there once a month; with --without-login it never asks, and asks nobody else in"
            " your network either."
        )
