"""Where the built runner is: in the wheel, or built on demand in a source checkout."""

from __future__ import annotations

from pathlib import Path

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.runner.build import PLATFORMS, PROGRAM, BuildError, build, is_current

__all__ = ["runner_binary"]

_HERE = Path(__file__).parent


def runner_binary(platform: str) -> Path:
    """The runner for a platform of build.PLATFORMS; InputError where it is not there and cannot be built."""
    if platform not in PLATFORMS:
        raise InputError(
            f"expected a platform that the runner is built for, got {platform!r}; {nearest(platform, PLATFORMS)}."
        )
    binary = _HERE / "bin" / platform / PROGRAM
    if not is_current(_HERE / "src", binary):
        try:
            build(platform, _HERE / "src", binary)
        except (BuildError, OSError) as error:
            raise InputError(f"expected the runner at {binary}, got none, and building it failed: {error}.") from error
    return binary
