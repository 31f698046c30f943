"""An emulated phone for benchmarks/push.py, in a process of its own.

`python -m benchmarks.push_phone` prints its port.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.devices.adbd import Adbd

__all__ = ["main"]


class _ThisComputer:
    """What adbd runs on."""

    def command(self, text: str) -> Sequence[str]:
        return ("sh", "-c", text)

    def path(self, name: str) -> Path:
        return Path(name)


def main() -> None:
    """Serve until standard input ends."""
    with Adbd(_ThisComputer()) as adbd:
        print(adbd.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
