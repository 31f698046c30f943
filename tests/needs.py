"""What a test needs beyond Python packages: where it is missing, the test skips and says what to install.

In CI (`CI=true`) it fails instead: there everything is supposed to be there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["require_path", "require_program", "require_root", "require_that"]


def require_program(name: str, install: str) -> Path:
    """Where the program `name` is; else skip with the command line `install`."""
    found = shutil.which(name)
    if found is None:
        _miss(f"expected the program {name} on the PATH, got none: run `{install}`")
    return Path(found)


def require_path(path: Path, install: str) -> Path:
    """`path` where it exists; else skip with the command line `install`."""
    if not path.exists():
        _miss(f"expected {path}, got none: run `{install}`")
    return path


def require_root(purpose: str) -> None:
    """Skip unless the tests run as root, which they need `purpose`: "to make namespaces"."""
    if os.geteuid() != 0:
        _miss(f"expected root {purpose}, got user {os.geteuid()}: run the tests as root")


def require_that(holds: bool, reason: str) -> None:
    """Skip with `reason` ("expected …, got …: do …") unless what a test needs is so."""
    if not holds:
        _miss(reason)


def _miss(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
