"""Google's own adbd, as Debian 13 packages it, in an AndroidDevice: the device side of ADB that we did not write.

    with AndroidDevice(root, tmp_path) as device, RealAdbd(device, cache) as adbd:
        adbd.host, adbd.port

It asks for no key ("authentication not required"), knows shell protocol v2 and both versions of the file service, and
starts commands by the device's own shell. Its program and libraries are this computer's, started by their own loader,
and stand where a phone has those of adbd; it listens inside the device's network, and relay.py carries connections to
loopback.
"""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.devices.android_device import AndroidDevice
from tests.devices.cache import made_once
from tests.devices.debian import unpack_packages
from tests.devices.processes import end, start

__all__ = ["RealAdbd", "fetch_adbd"]

_DEBIAN = "trixie"  # the first that has adbd
_ARCHITECTURES = {"aarch64": ("arm64", "ld-linux-aarch64.so.1"), "x86_64": ("amd64", "ld-linux-x86-64.so.2")}
_PLACE = "/apex/com.android.adbd"
_PORT = 5555
_START_S = 20.0


def fetch_adbd(folder: Path) -> Path:
    """adbd and its libraries, fetched where they are not below `folder` yet; skips where Debian's mirror has none."""
    return made_once(folder / f"adbd-{_DEBIAN}-{platform.machine()}", _fill)


def _fill(target: Path) -> None:
    architecture, _ = _ARCHITECTURES[platform.machine()]
    with tempfile.TemporaryDirectory(dir=target) as scrap:
        unpacked = Path(scrap) / "packages"
        unpack_packages(("adbd",), architecture, unpacked, Path(scrap), release=_DEBIAN, needed=True)
        for file in unpacked.rglob("*"):
            if file.is_file() and (file.name == "adbd" or ".so" in file.name) and "share" not in file.parts:
                shutil.copy(file, target / file.name)


class RealAdbd:
    """adbd at `host`:`port`. `unplug` breaks every connection, `plug` accepts new ones."""

    host = "127.0.0.1"

    def __init__(self, device: AndroidDevice, cache: Path) -> None:
        self._device = device
        self._files = fetch_adbd(cache).resolve()
        self._listener = socket.socket()
        self._listener.bind((self.host, 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._adbd: subprocess.Popen[bytes] | None = None
        self._relay: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.unplug()
        if self._adbd is not None:
            end(self._adbd)
        self._listener.close()

    def unplug(self) -> None:
        """Cut every connection; a new one waits, unanswered."""
        if self._relay is not None:
            end(self._relay)
            self._relay = None

    def plug(self) -> None:
        """Answer again."""
        relay = [sys.executable, str(Path(__file__).with_name("relay.py")), str(_PORT)]
        argv = ["setpriv", "--pdeathsig", "KILL", *self._device.inside("--net"), *relay]
        self._relay = subprocess.Popen(argv, stdin=self._listener.fileno(), start_new_session=True)

    def _start(self) -> None:
        place = self._device.root / _PLACE.strip("/")
        mount = ("mount", "--bind", str(self._files), str(place))
        subprocess.run([*self._device.inside("--mount"), *mount], check=True)
        _, loader = _ARCHITECTURES[platform.machine()]
        adbd = (f"{_PLACE}/{loader}", "--library-path", _PLACE, f"{_PLACE}/adbd")
        log = self._device.data.parent / f"{self._device.data.name}.adbd.log"
        with log.open("wb") as stream:
            self._adbd = start(self._device.command(["env", f"ADBD_PORT={_PORT}", *adbd]), stream)
        self._wait(log)
        self.plug()

    def _wait(self, log: Path) -> None:
        """Until something listens at the port, which the device's own /proc/net tells."""
        deadline = time.monotonic() + _START_S
        listening = f":{_PORT:04X} "
        while True:
            tables = [*self._device.inside("--net", "--mount", "--pid"), "cat", "/proc/net/tcp", "/proc/net/tcp6"]
            said = subprocess.run(tables, capture_output=True, text=True, check=False).stdout
            if any(listening in line and " 0A " in line for line in said.splitlines()):
                return
            assert self._adbd is not None
            if self._adbd.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"expected adbd to listen, got:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
