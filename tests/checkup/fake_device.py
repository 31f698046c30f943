"""A device that answers the check-up from texts: files by path, commands by their words, scripts by a part of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.checkup.device import check_device
from pocketbench.harness.checkup.sensors import READ_COMMAND, READ_SENSOR
from pocketbench.harness.checkup.visit import READ_FILES
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.errors import TransportError
from pocketbench.harness.preparation.holder import Holder
from pocketbench.harness.transports.base import Completed

__all__ = ["DENIED", "HOLDER", "FakeDevice", "Lost", "rows_of"]

HOLDER = Holder("0123456789abcdef", 4711, 123456, "alice@laptop")

DENIED = None
"""The text of a file that may not be read."""


class Lost:
    """The answer of a device that is gone."""


class FakeDevice:
    """`commands` give text, (exit code, text, errors), or Lost; a script is found by a part of its text.

    `rate` is what the loop of a sensor counts: reads, changes and hundredths of a second.
    """

    def __init__(
        self,
        files: Mapping[str, str | None] | None = None,
        commands: Mapping[str, object] | None = None,
        scripts: Mapping[str, object] | None = None,
        *,
        address: str = "ssh://pi@board",
        rate: str = "500 10 100",
    ) -> None:
        self.address = address
        self.files = dict(files or {})
        self.commands = {"true": "", **(commands or {})}
        self.scripts = dict(scripts or {})
        self.rate = rate
        self.calls: list[tuple[str, ...]] = []

    def run(self, argv, *, timeout_s, stdin=b""):
        self.calls.append(tuple(argv))
        if argv[:2] != ("sh", "-c"):
            return self._completed(argv, self.commands.get(" ".join(argv), (127, "", f"{argv[0]}: not found")))
        script, mark = argv[2], argv[4] if len(argv) > 4 else ""
        if script == READ_FILES:
            return self._completed(argv, self._files(mark, argv[5:]))
        if script == READ_SENSOR:
            found = self._files(mark, argv[5:])
            return self._completed(argv, f"{found}\n{mark} rate {self.rate}\n" if "file" in found else found)
        if script == READ_COMMAND:
            code, output, errors = self._answer(self.commands.get(" ".join(argv[5:]), (127, "", "not found")))
            rate = f"{mark} rate {self.rate}\n" if code == 0 else ""
            return self._completed(argv, f"{output}{errors}\n{mark} code {code}\n{rate}")
        for part, answer in self.scripts.items():
            if part in script:
                return self._completed(argv, answer)
        if argv[-1] == "left":  # what an earlier preparation left: nothing
            mark = argv[-2]
            return self._completed(argv, f"{mark} uptime 1000\n{mark} boot b\n{mark} user 1000\n{mark} end\n")
        return self._completed(argv, (127, "", "sh: not found"))

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass

    def push(self, source, target, *, mode=0o644):
        raise TransportError("expected no file")

    def pull(self, source, target):
        raise TransportError("expected no file")

    def _files(self, mark, patterns):
        parts = []
        for pattern in patterns:
            for path, text in self.files.items():
                # A star stands for a part of one component, as in a shell.
                if path.count("/") == pattern.count("/") and fnmatch(path, pattern):
                    denied = f"\n{mark} problem\ncat: {path}: Permission denied\n"
                    parts.append(f"{mark} file {path}\n{denied if text is DENIED else text}")
        return "".join(parts)

    def _answer(self, answer):
        if answer is Lost:
            raise TransportError(f"{self.address} expected an answer, got none")
        return (0, answer, "") if isinstance(answer, str) else answer

    def _completed(self, argv, answer):
        code, output, errors = self._answer(answer)
        signal = code - 128 if code > 128 else None
        return Completed(tuple(argv), code, _bytes(output), _bytes(errors), 0.0, signal)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def _none(name):
    raise InputError(f"expected a build of {name}, got none.")


def rows_of(device, profile, directory="/home/pi/pocketbench"):
    """Rows by question; the runner and the engines, which a text cannot start, are left out."""
    registered = Device("kitchen", device.address, profile, PurePosixPath(directory))
    rows = check_device(registered, device, load_profile(profile), engines=_none, holder=HOLDER)
    return {row.question: row for row in rows if not re.match("runner|LiteRT|ONNX", row.question)}
