"""The training load of a session, by two measures that ask for different knowledge of a heart."""

import numpy as np
from numpy.typing import NDArray

from ingest.rows.profile import Profile
from zones.edges import LEAST_RESERVE
from zones.load import banister, edwards


def load_fields(bpm_ms: NDArray[np.int64], profile: Profile, at_ms: int) -> dict[str, float | None]:
    """The fields `trimp` and `edwards`, from how long (ms, 256 rows) each heart rate held in a session from `at_ms` on.

    Banister's asks for resting and maximum heart rate and sex, Edwards' for a maximum alone; None where one is not
    known, for none of them is guessed here, and where nothing was measured.
    """
    resting, maximum, sex = profile.heart_at(at_ms)
    if maximum is None or not bpm_ms.any():
        return {"trimp": None, "edwards": None}
    trimp = None
    if resting is not None and sex is not None and maximum - resting >= LEAST_RESERVE:
        trimp = banister(bpm_ms, resting, maximum, sex)
    return {"trimp": trimp, "edwards": edwards(bpm_ms, maximum)}
