"""A board to try pocketbench with: a Raspberry Pi 4 as seen over SSH, in namespaces of this computer.

    with Board(tmp_path) as board:
        board.host, board.port, board.user, board.key_file, board.known_hosts_line()

It runs this computer's own programs at full speed: what is emulated is another machine that can be unplugged and
switched off, and the files by which a Pi tells its state. Its wires (a network namespace with one end of a cable) stay
when its power is cut, so that nothing meant for it goes astray. Needs root, and is gone with the process that made it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from tests.devices.processes import end, module, start
from tests.devices.raspberry_pi import CPUINFO, VCGENCMD, VCGENCMD_ANSWERS, write_sys
from tests.devices.sshd import INSTALL_SSHD, make_key, wait_for_port
from tests.needs import require_path, require_program, require_root

__all__ = ["NAMESPACES", "PASSWORD", "Board", "main", "serve"]

# 198.18.0.0/15 is for benchmarks of networks and never routed (RFC 2544): a board has 4 addresses of it.
_NETWORKS = 1 << 15
_START_S = 30.0
_ATTEMPTS = 20

# Options of unshare(1).
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private")

PASSWORD = "correct horse"
# openssl passwd -6 -salt pocketbench 'correct horse'
_PASSWORD_HASH = "$6$pocketbench$BD6qNvdJUV7oYjGdSB9.oysZfYa1DrSwBiRDbnjujwqsH1t82fERzgAtx.Nij.xF3pGARpzoH731cs0Bq6Baz0"


class Board:
    """A board that is switched on and off as often as wanted; its files lie in `folder`.

    `options` are lines of sshd_config(5) that come before ours, and so win. While it runs, files of `sys` may be
    changed and `answer` says what vcgencmd prints; without `has_firmware` there is no vcgencmd. /mnt is a disk of
    `small_disk_bytes`, and /run/world the folder `world` (thermal_world.py).
    """

    port = 22
    user = "root"

    def __init__(
        self,
        folder: Path,
        *,
        options: Sequence[str] = (),
        login_shell: str = "/bin/bash",
        small_disk_bytes: int = 1 << 20,
        has_firmware: bool = True,
    ) -> None:
        require_root("to make the namespaces of an emulated board")
        require_path(Path("/usr/sbin/sshd"), INSTALL_SSHD)
        require_program("ip", "apt-get install iproute2")
        for name in ("unshare", "nsenter", "setpriv"):
            require_program(name, "apt-get install util-linux")
        self.folder = folder
        self.sys = folder / "sys"
        self.has_firmware = has_firmware
        self.key_file = folder / "client_key"
        self.authorized_keys = folder / "authorized_keys"
        self._wire: subprocess.Popen[bytes] | None = None
        self._computer: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._options = list(options)
        self._write_files(login_shell, small_disk_bytes)

    @property
    def host(self) -> str:
        """Its IP address."""
        return _address(self._number, 2)

    @property
    def cable(self) -> str:
        """The network interface of this computer at the other end of its cable."""
        return f"pb{self._number}"

    def known_hosts_line(self) -> str:
        """What a known_hosts file says of it."""
        key_type, blob = (self.folder / "host_key.pub").read_text().split()[:2]
        return f"{self.host} {key_type} {blob}\n"

    def log(self) -> str:
        """What its server said so far."""
        return (self.folder / "console").read_text(errors="replace")

    def answer(self, command: str, text: str) -> None:
        """From now on `vcgencmd COMMAND` prints `text`."""
        (self.folder / "vcgencmd" / command.replace(" ", "_")).write_text(text)

    def start(self) -> None:
        """Switch it on; RuntimeError with its console where it does not come up."""
        if self._wire is None:
            self._lay_wire()
        with (self.folder / "console").open("ab") as console:
            self._computer = start([*self._inside(), *self._first_process()], console, talk=True)
        assert self._computer.stdin is not None
        assert self._computer.stdout is not None
        furnished = self._computer.stdout.readline() == b"furnished\n"
        if furnished:
            self.restore_link()
            self._computer.stdin.write(b"go\n")
            self._computer.stdin.flush()
        try:
            if not furnished:
                raise TimeoutError
            wait_for_port(self.host, self.port, self._computer)
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"the board did not start:\n{self.log()}") from None

    def cut_link(self) -> None:
        """Pull the cable: neither end is told."""
        self._ip("link", "set", "eth0", "down", inside=True)

    def restore_link(self) -> None:
        """Plug the cable in again."""
        self._ip("link", "set", "eth0", "up", inside=True)

    def kill(self) -> None:
        """Cut the power: everything there ends at once and nothing of it reaches this end, not even a FIN."""
        self.cut_link()
        if self._computer is not None:
            end(self._computer)
            self._computer = None

    def stop(self) -> None:
        """Switch it off and take its wires away."""
        for process in (self._computer, self._wire):
            if process is not None:
                end(process)
        self._computer = self._wire = None
        _wait_until_gone(self.cable)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _first_process(self) -> list[str]:
        """What starts it, within its wires."""
        init = module("tests.devices.board_init", str(self.folder / "settings.json"))
        return ["nice", "-n", "-10", "unshare", *NAMESPACES, *init]  # another computer does not wait for this one

    def _write_files(self, login_shell: str, small_disk_bytes: int) -> None:
        folder = self.folder
        for name in ("root", "layers", "vcgencmd", "world"):
            (folder / name).mkdir(parents=True)
        write_sys(self.sys)
        (folder / "cpuinfo").write_text(CPUINFO)
        (folder / "vcgencmd_program").write_text(VCGENCMD)
        for command, text in VCGENCMD_ANSWERS.items():
            self.answer(command, text)
        make_key(self.key_file)
        make_key(folder / "host_key")
        self.authorized_keys.write_bytes(self.key_file.with_suffix(".pub").read_bytes())
        settings = {
            "folder": str(folder),
            "layers": str(folder / "layers"),
            "login_shell": login_shell,
            "password_hash": _PASSWORD_HASH,
            "root": str(folder / "root"),
            "small_disk_bytes": str(small_disk_bytes),
            "vcgencmd": str(folder / "vcgencmd_program") if self.has_firmware else "",
        }
        (folder / "settings.json").write_text(json.dumps(settings))

    def _lay_wire(self) -> None:
        """A network namespace that lives as long as a process that waits for us to go, and a cable into it."""
        self._wire = start(["unshare", "--net", "sh", "-c", "echo ready; exec cat"], talk=True)
        assert self._wire.stdout is not None
        if self._wire.stdout.readline() != b"ready\n":
            raise RuntimeError("the kernel gave no network namespace")
        for _ in range(_ATTEMPTS):
            self._number = random.randrange(_NETWORKS)
            plug = ["link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", str(self._wire.pid)]
            if subprocess.run(["ip", *plug], capture_output=True, check=False).returncode == 0:
                break
        else:
            raise RuntimeError("no cable could be laid: is the kernel's veth there?")
        self._ip("address", "add", f"{_address(self._number, 1)}/30", "dev", self.cable)
        self._ip("link", "set", self.cable, "up")
        self._ip("link", "set", "lo", "up", inside=True)
        self._ip("address", "add", f"{self.host}/30", "dev", "eth0", inside=True)
        (self.folder / "sshd_config").write_text(
            "".join(f"{line}\n" for line in (*self._options, *_SSHD_OPTIONS, f"ListenAddress {self.host}"))
        )

    def _inside(self) -> list[str]:
        assert self._wire is not None
        return ["nsenter", f"--net=/proc/{self._wire.pid}/ns/net"]

    def _ip(self, *arguments: str, inside: bool = False) -> None:
        prefix = self._inside() if inside else []
        subprocess.run([*prefix, "ip", *arguments], check=True, stdin=subprocess.DEVNULL)


_SSHD_OPTIONS = (
    "Port 22",
    "HostKey /run/board/host_key",
    "AuthorizedKeysFile /run/board/authorized_keys",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "UsePAM no",
    "StrictModes no",
    "UseDNS no",
    "PrintMotd no",
    "PidFile none",
    "LogLevel VERBOSE",
)


def _address(number: int, host: int) -> str:
    return str(IPv4Address("198.18.0.0") + 4 * number + host)


def _wait_until_gone(interface: str) -> None:
    """The kernel takes a namespace apart after its last process has ended, a moment later."""
    deadline = time.monotonic() + _START_S
    while Path(f"/sys/class/net/{interface}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


def main(arguments: Sequence[str]) -> None:
    """`python -m tests.devices board`: run one until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices board", description=__doc__.splitlines()[0])
    parser.add_argument("--login-shell", default="/bin/bash", help="the shell of its user root")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        serve(
            Board(Path(folder, "board"), options=["PasswordAuthentication yes"], login_shell=chosen.login_shell),
            "A Raspberry Pi 4, emulated",
        )


def serve(board: Board, what: str) -> None:
    """Run `board` until Ctrl-C, for the user's own keys and a password; say how to use it."""
    with board.authorized_keys.open("ab") as keys:
        for path in sorted(Path("~/.ssh").expanduser().glob("id_*.pub")):
            keys.write(path.read_bytes())
    with board:
        listed = ["ssh-keygen", "-lf", str(board.folder / "host_key.pub")]
        fingerprint = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()[1]
        print(_GREETING.format(what=what, board=board, password=PASSWORD, fingerprint=fingerprint), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


_GREETING = """\
{what}, at ssh://{board.user}@{board.host}
  its host key:  {fingerprint}
  log in with:   your own key from ~/.ssh, or the password `{password}`
  register it:   pocketbench device add ssh://{board.user}@{board.host} --name emulated-pi --directory /root/pocketbench
  heat it up:    echo 81500 > {board.sys}/class/thermal/thermal_zone0/temp
  throttle it:   echo throttled=0xe0008 > {board.folder}/vcgencmd/get_throttled
Ctrl-C switches it off."""
