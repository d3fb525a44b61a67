"""Where a copy is put together that is to take the place of the data, and whether that was decided."""

import os
from pathlib import Path


def staging_folder(data: Path) -> Path:
    """Where a copy is put together: on the disk of the data, so that it only has to be renamed."""
    return data / "restore" / "copy"


def plan_file(data: Path) -> Path:
    """What says that the copy counts from here on."""
    return data / "restore" / "plan.json"


def is_planned(data: Path) -> bool:
    """Whether a copy is to take the place of the data, and was broken off there."""
    return os.path.exists(plan_file(data))  # noqa: PTH110 - raises nothing where one may not look
