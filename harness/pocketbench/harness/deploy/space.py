"""Is there room? Asked before the first byte is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pocketbench.harness.errors import DeploymentError

__all__ = ["QUOTA_BYTES", "check_quota", "check_space", "megabytes"]

# A phone's user data holds 64 GB and more, a board's card 16: enough for a hundred models, too little to fill either.
QUOTA_BYTES = 4_000_000_000
_SHOWN = 5
# Directories, links, records and the runner's results.
_RESERVE_BYTES = 4 * 1024 * 1024


def check_space(available_bytes: int, needed_bytes: int, where: str) -> None:
    """Raise DeploymentError unless `needed_bytes` and a small reserve fit into `available_bytes`."""
    needed = needed_bytes + _RESERVE_BYTES
    if available_bytes < needed:
        raise DeploymentError(
            f"{where}: expected {megabytes(needed)} free, got {megabytes(available_bytes)}: "
            "nothing was written. Remove what is no longer needed there (`pocketbench deploy status`, then "
            "`pocketbench deploy remove NAME`), or register the device with a directory that has more room."
        )


def check_quota(
    used_bytes: int, needed_bytes: int, quota_bytes: int, sizes_bytes: Callable[[], Mapping[str, int]], where: str
) -> None:
    """Raise DeploymentError naming the largest deployments unless `needed_bytes` more stay within `quota_bytes`."""
    if used_bytes + needed_bytes <= quota_bytes:
        return
    largest = sorted(sizes_bytes().items(), key=lambda item: -item[1])[:_SHOWN]
    shown = ", ".join(f"{name} {megabytes(size)}" for name, size in largest) or "no deployment in use"
    raise DeploymentError(
        f"{where}: expected at most {megabytes(quota_bytes)} in our directory, got {megabytes(used_bytes)} there and "
        f"{megabytes(needed_bytes)} to come: nothing was written. Remove what is no longer needed "
        f"(`pocketbench deploy remove NAME`; largest: {shown}), or allow more (`pocketbench deploy push VARIANT "
        "--quota-mb N`)."
    )


def megabytes(count: int) -> str:
    """`count` bytes for people."""
    return f"{count / 1e6:.1f} MB"
