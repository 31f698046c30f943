"""Where pocketbench keeps its state on this computer.

pocketbench.db   the store          samples/   raw samples by hash
devices.yaml     registered devices device/    the directory of the device `local`
cache/           built variants     variants/  variants of campaigns
locks/           who works on what
"""

from __future__ import annotations

import os
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["home_directory"]


def home_directory() -> Path:
    """Return the home folder, made where it is missing: $POCKETBENCH_HOME, else the user's data folder."""
    chosen = os.environ.get("POCKETBENCH_HOME")
    home = Path(chosen).absolute() if chosen else _default_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"expected a folder that can be written for pocketbench's state, got {home}: {error.strerror}; "
            "set POCKETBENCH_HOME to another one."
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise InputError(
            f"expected a folder that can be written for pocketbench's state, got {home}, which is read-only; "
            "set POCKETBENCH_HOME to another one."
        )
    return home


def _default_home() -> Path:
    import platformdirs

    return platformdirs.user_data_path("pocketbench")
