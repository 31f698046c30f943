"""Google's own adb, as the package adbutils brings it: the client that everything emulated is measured by.

    with AdbProgram(tmp_path) as adb:
        adb.connect(phone); adb.run("-s", serial, "shell", "id")

Its server listens at a port of its own, keeps its key in `folder`, looks for no emulators and no mDNS, and is ended
with its process.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from tests.devices.processes import end, start
from tests.devices.sshd import free_port, wait_for_port
from tests.needs import require_path

__all__ = ["AdbProgram"]

_TIMEOUT_S = 60.0
_WITHOUT_SERVER = ("keygen", "pubkey")


class AdbProgram:
    """The server as a process, and commands to it."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        import adbutils

        binary = Path(adbutils.__file__).parent / "binaries/adb"
        self._binary = require_path(binary, "pip install --force-reinstall adbutils")
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def android_directory(self) -> Path:
        """Where its key is."""
        return self.folder / ".android"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any adb use this server and its key."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "ANDROID_ADB_SERVER_PORT": str(self.port),
            "ADB_LOCAL_TRANSPORT_MAX_PORT": "0",  # no emulators of Android Studio
            "ADB_MDNS": "0",
            "ADB_USB": "0",  # whatever is plugged in here stays out of it
        }

    def start(self) -> None:
        """Start the server; TimeoutError where it does not listen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = start(["env", "-i", *settings, str(self._binary), "server", "nodaemon"], log)
        wait_for_port(self.host, self.port, self._process)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run an adb command to its end; one that needs a server would start another, which nobody would end."""
        assert arguments[0] in _WITHOUT_SERVER or (self._process is not None and self._process.poll() is None)
        command = [str(self._binary), *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, env=self.environment, timeout=_TIMEOUT_S, check=False
        )

    def connect(self, host: str, port: int) -> str:
        """Make the server know a phone in the network; its serial."""
        self.run("connect", f"{host}:{port}")
        return f"{host}:{port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
