"""OpenSSH's server on loopback, run as whoever runs the tests, with keys of its own and nothing of this computer's.

with Sshd(tmp_path) as server:
    server.port, server.user, server.key_file, server.known_hosts_line()
"""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.devices.processes import children, end, start
from tests.needs import require_path, require_program

__all__ = ["INSTALL_SSHD", "Sshd", "free_port", "make_key", "wait_for_port"]

INSTALL_SSHD = "apt-get install --no-install-recommends openssh-server"
_SSHD = Path("/usr/sbin/sshd")
_START_S = 20.0
_HOST = "127.0.0.1"


class Sshd:
    """A server that is started and stopped as often as wanted; its files lie in `folder`.

    `options` are lines of sshd_config(5) that come before ours, and so win. `key_types` are those of its host keys.
    """

    host = _HOST

    def __init__(self, folder: Path, options: Sequence[str] = (), key_types: Sequence[str] = ("ed25519",)) -> None:
        require_path(_SSHD, INSTALL_SSHD)
        require_program("setpriv", "apt-get install util-linux")
        self.folder = folder
        self.port = free_port()
        self.user = self.current_user()
        folder.mkdir(parents=True, exist_ok=True)
        self.key_file = folder / "client_key"
        make_key(self.key_file)
        self.authorized_keys = folder / "authorized_keys"
        self.authorized_keys.write_bytes(self.key_file.with_suffix(".pub").read_bytes())
        self._host_keys = [folder / f"host_{key_type}" for key_type in key_types]
        for key_type, path in zip(key_types, self._host_keys, strict=True):
            make_key(path, key_type)
        self.options = list(options)
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def current_user() -> str:
        """The only user it can serve unless it is run by root."""
        return getpass.getuser()

    def start(self) -> None:
        """Start it; RuntimeError with its log where it does not listen."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation wants it (sshd(8), FILES)
        configuration = self.folder / "sshd_config"
        configuration.write_text("".join(f"{line}\n" for line in (*self.options, *self._own_options())))
        with (self.folder / "log").open("ab") as log:
            self._process = start([str(_SSHD), "-D", "-e", "-f", str(configuration)], log)
        try:
            wait_for_port(_HOST, self.port, self._process)
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"sshd did not start:\n{self.log()}") from None

    def stop(self) -> None:
        """Kill it with all its sessions."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def stop_sessions(self) -> None:
        """Kill what serves the connections, not what runs for them; it goes on listening."""
        for monitor in children(self.pid):
            for pid in (*children(monitor), monitor):
                if Path(f"/proc/{pid}/comm").read_text().startswith("sshd"):
                    os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        """What it said so far."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The process that listens."""
        assert self._process is not None
        return self._process.pid

    def new_host_key(self) -> None:
        """As after setting the board up anew: other keys of the same types. Takes effect with the next start."""
        for path in self._host_keys:
            key_type = path.name.removeprefix("host_")
            path.unlink()
            make_key(path, key_type)

    def known_hosts_line(self, index: int = 0) -> str:
        """What a known_hosts file says of its host key number `index`."""
        key_type, blob = self._host_keys[index].with_suffix(".pub").read_text().split()[:2]
        return f"[{_HOST}]:{self.port} {key_type} {blob}\n"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _own_options(self) -> list[str]:
        return [
            f"ListenAddress {_HOST}:{self.port}",
            *(f"HostKey {path}" for path in self._host_keys),
            f"AuthorizedKeysFile {self.authorized_keys}",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "PrintMotd no",
            "UseDNS no",
            "LogLevel VERBOSE",
        ]


def make_key(path: Path, key_type: str = "ed25519", passphrase: str = "") -> None:
    """A key pair in `path` and `path`.pub."""
    program = require_program("ssh-keygen", "apt-get install openssh-client")
    size = ["-b", "2048"] if key_type == "rsa" else []
    command = [str(program), "-q", "-t", key_type, *size, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(host: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once `process` listens; TimeoutError where it ends or takes too long."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens at {host}:{port}")
