"""A server looked at for `check`: one aspect after the other, as far as one depends on the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.client import BodyTooLarge, Refused, ServerClient, with_its_words
from ingest.stores.influx.detection import detect_server
from ingest.stores.influx.marker import canary_line
from ingest.stores.influx.ownership import Ownership
from ingest.stores.influx.server import DEDUPLICATION, DELETION, RETENTION, Server, Unfit

REACHED, ACCESS, OWNER, ROWS = "reached", "access", "owner", "rows"
ASPECTS = (REACHED, ACCESS, OWNER, RETENTION, DEDUPLICATION, DELETION, ROWS)
"""In the order in which they are looked at."""


@dataclass(frozen=True, slots=True)
class SeenAspect:
    """How one aspect of a server is; without trouble it is well."""

    aspect: str
    title: str = ""
    """What the server is called."""
    trouble: str = ""
    harmless: bool = False
    """Whether it works all the same."""


def inspect_server(
    client: ServerClient, influx: InfluxSettings, ownership: Ownership, journal: str
) -> Iterator[SeenAspect]:
    """What is seen of a server, up to the first thing without which the rest cannot be seen; it writes marker and canary."""
    title, at = "", REACHED
    try:
        server = detect_server(client, influx)
        title = server.title
        yield SeenAspect(REACHED, title)
        at = ACCESS
        owners, unfit = _read_and_write(client, server)
        yield SeenAspect(ACCESS, title)
        at = OWNER
        if ownership.is_foreign(owners, journal):
            yield SeenAspect(OWNER, title, ownership.explain_foreign(server))
            return
        if unfit is not None:
            raise unfit
        if journal not in owners:
            trouble = Text(
                N_("{title} is not filled from this journal yet; the daemon does that"), title=title
            )
            yield SeenAspect(OWNER, title, trouble, harmless=True)
            at = RETENTION
            server.try_out()
            yield from _kept(server)
            return
        yield SeenAspect(OWNER, title)
        at = RETENTION
        server.claim_ownership(journal)
        yield from _kept(server)
        at = ROWS
        none = Text(N_("{title} holds no row of this Pi"), title=title)
        yield SeenAspect(ROWS, title, none if server.is_empty() else "", harmless=True)
    except TryLater as e:
        aspect = e.aspect if isinstance(e, Unfit) else at
        yield from (SeenAspect(a, title) for a in _between(at, aspect))
        yield SeenAspect(aspect, title, e.text)


def _read_and_write(client: ServerClient, server: Server) -> tuple[set[str], Unfit | None]:
    """Whose rows it holds, once it was read and written to, and whether it will not have old ones."""
    server.sync_visibility()
    owners = server.owners()
    try:
        client.write_lines(canary_line(server.site), "s")
    except (Refused, BodyTooLarge) as e:
        old = Text(N_("{title} at {url} does not take a row of 1990."), title=server.title, url=client.url)
        unfit = Unfit(RETENTION, with_its_words(old, str(e)))
        why = server.explain_refusal(str(e), unfit)
        if not isinstance(why, Unfit):
            raise why from e
        return owners, why
    return owners, None


def _kept(server: Server) -> Iterator[SeenAspect]:
    """How it keeps rows, once it was tried out."""
    yield SeenAspect(RETENTION, server.title)
    yield SeenAspect(DEDUPLICATION, server.title)
    if server.deletes:
        yield SeenAspect(DELETION, server.title)
        return
    template = N_(
        "{title} cannot delete single rows, so those that are no longer true stay, and `status` lists them"
    )
    yield SeenAspect(DELETION, server.title, Text(template, title=server.title), harmless=True)


def _between(before: str, aspect: str) -> tuple[str, ...]:
    """The aspects that are well where one behind them is not."""
    return ASPECTS[ASPECTS.index(before) : ASPECTS.index(aspect)]
