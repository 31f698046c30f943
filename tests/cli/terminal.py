"""The command line in a real pseudo-terminal: what it prints is waited for, keys are pressed.

with Terminal("device", "scan") as terminal:
    terminal.expect("Register 1, "); terminal.press("y"); terminal.end()
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import Self

__all__ = ["Terminal"]

_WITHIN_S = 60.0
_LINES, _COLUMNS = 40, 200


class Terminal:
    """`pocketbench` with `argv`, in this process's environment, after the Python code `prepare`."""

    def __init__(self, *argv: str, prepare: str = "") -> None:
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        self.printed = ""
        self._read_to = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{prepare}\nfrom pocketbench.harness.cli.main import main\nmain()", *argv],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb"},
        )

    def expect(self, text: str) -> None:
        """Wait until `text` is printed, after what was expected before."""
        deadline = time.monotonic() + _WITHIN_S
        while text not in self.printed[self._read_to :]:
            assert time.monotonic() < deadline, f"expected {text!r}, got:\n{self.printed}"
            if select.select([self._master], [], [], 0.1)[0]:
                self.printed += os.read(self._master, 4096).decode().replace("\r\n", "\n")
        self._read_to = self.printed.index(text, self._read_to) + len(text)

    def press(self, key: str) -> None:
        """Press a key when the terminal gives single keys: what is typed earlier is thrown away then."""
        deadline = time.monotonic() + _WITHIN_S
        while termios.tcgetattr(self._slave)[3] & termios.ICANON:
            assert time.monotonic() < deadline, f"expected to be asked for a key, got:\n{self.printed}"
            time.sleep(0.01)
        self.type(key)

    def type(self, text: str) -> None:
        """Type at once, also what is read later."""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """What Ctrl-C does while no key is asked for."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Its exit code."""
        return self._process.wait(timeout=_WITHIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)
        os.close(self._slave)
