"""`python -m tests.devices board` (or `arm64-board`, `phone`, `vm`): an emulated device to try pocketbench with.

It runs until Ctrl-C, and prints its address and how to register it. `--help` after the name tells its options.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Sequence

import pytest

# The module that starts each, imported only when it is asked for.
_DEVICES = {
    "board": "tests.devices.board",
    "phone": "tests.devices.phone",
    "arm64-board": "tests.devices.arm64_board",
    "vm": "tests.devices.arm64_vm",
}


def main(arguments: Sequence[str]) -> int:
    """Start the device that the first argument names; 2 where it cannot be."""
    name = arguments[0] if arguments else ""
    if name not in _DEVICES:
        sys.stderr.write(f"expected one of {', '.join(_DEVICES)}, got {name!r}: python -m tests.devices board\n")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as tidily as Ctrl-C
    try:
        importlib.import_module(_DEVICES[name]).main(arguments[1:])
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:  # of tests/needs.py
        sys.stderr.write(f"{missing}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
