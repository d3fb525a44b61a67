"""Why there is no new copy: what `status` says of it, and whether a person must do something."""

from ingest.errors import TryLater
from ingest.language import Text

AWAY = "away"
"""The stick or the share is not there; it is waited for."""

FULL = "full"
FAILED = "failed"


class NoCopy(TryLater):
    """No copy was made; `kind` is one of the words above. Those from before stay."""

    def __init__(self, kind: str, text: Text) -> None:
        super().__init__(text)
        self.kind = kind
