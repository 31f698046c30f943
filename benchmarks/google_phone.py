"""Google's own adbd around this computer's programs, started natively: what a phone answers with, at full speed.

Debian packages it; what it runs are commands of this computer's /bin/sh. It listens on all addresses, so it has a
network of its own, into which tests/devices/relay.py carries connections.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.devices import relay
from tests.devices.processes import end, start
from tests.devices.real_adbd import fetch_adbd
from tests.needs import require_that

__all__ = ["google_phone"]

# Where the tests keep theirs.
_CACHE = Path(__file__).parents[1] / ".pytest_cache/d/devices"
_HOST, _PORT = "127.0.0.1", 5555
_START_S = 10.0
_NAMESPACES = ("--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@contextmanager
def google_phone(folder: Path) -> Iterator[int]:
    """The port of a phone that asks for no key; its log is in `folder`. Skips, as a test does, where it cannot run."""
    adbd = _start_adbd(fetch_adbd(_CACHE).resolve(), folder)
    carrier: subprocess.Popen[bytes] | None = None
    try:
        _wait_until_it_listens(adbd, folder)
        with socket.create_server((_HOST, 0)) as listener:
            inside = ("nsenter", f"--target={adbd.pid}", "--user", "--preserve-credentials", "--net", "--")
            argv = ["setpriv", "--pdeathsig", "KILL", *inside, sys.executable, relay.__file__, str(_PORT)]
            carrier = subprocess.Popen(argv, stdin=listener.fileno(), start_new_session=True)
            yield listener.getsockname()[1]
    finally:
        if carrier is not None:
            end(carrier)
        end(adbd)


def _start_adbd(files: Path, folder: Path) -> subprocess.Popen[bytes]:
    (loader,) = files.glob("ld-linux-*.so.*")
    environment = ("env", "-i", f"PATH={os.environ['PATH']}", f"HOME={folder}", f"ADBD_PORT={_PORT}")
    adbd = (*environment, str(loader), "--library-path", str(files), str(files / "adbd"))
    with (folder / "adbd.log").open("ab") as log:
        return start(["unshare", *_NAMESPACES, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *adbd], log)


def _wait_until_it_listens(adbd: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _START_S
    listening = f":{_PORT:04X} "
    while adbd.poll() is None and time.monotonic() < deadline:
        tables = [Path(f"/proc/{adbd.pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
        if any(listening in line and " 0A " in line for line in "".join(tables).splitlines()):
            return
        time.sleep(0.02)
    said = (folder / "adbd.log").read_text(errors="replace")[-500:]
    require_that(False, f"expected Google's adbd to listen in namespaces of its own, got: {said}")
