"""A phone to try pocketbench with: an emulated adbd around this computer's own programs, in namespaces.

    with Phone(tmp_path) as phone:
        phone.host, phone.port

It runs this computer's programs at full speed, in a file system that has /data/local/tmp, /sdcard (where nothing may
be executed), and a small disk at /mnt, and answers getprop, dumpsys and cmd from texts. What is emulated is ADB and the
way in which a phone tells its state, not Android: no bionic, no SELinux. Needs root, and is gone with the process that
made it.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.devices.adbd import OLD_FEATURES, Adbd
from tests.devices.phone_answers import ANSWERS, PROGRAM
from tests.devices.processes import children, end, start
from tests.needs import require_program, require_root

__all__ = ["Phone", "main", "old_android"]

# What adb shell has (AOSP system/core, rootdir/init.environ.rc.in); this computer's programs come last.
_ENVIRONMENT = (
    "PATH=/system/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "ANDROID_DATA=/data",
    "ANDROID_ROOT=/system",
    "HOME=/",
    "TMPDIR=/data/local/tmp",
)


def old_android() -> dict[str, Any]:
    """Arguments of a Phone with Android 5 or 6: no shell protocol v2, messages of 4 KiB with checksums."""
    return {"features": OLD_FEATURES, "version": 0x01000000, "payload_bytes": 4096}


class Phone(Adbd):
    """Switched on by `with`, with the arguments of Adbd; its files lie in `folder`.

    `data` is its /data/local/tmp. While it runs, `answer` changes what it says, and files of `system` may be added.
    """

    def __init__(self, folder: Path, *, small_disk_bytes: int = 1 << 20, **arguments: Any) -> None:
        require_root("to make the namespaces of an emulated phone")
        for name in ("unshare", "nsenter", "setpriv", "setsid"):
            require_program(name, "apt-get install util-linux")
        super().__init__(self, **arguments)
        self.folder = folder.resolve()
        self.data = self.folder / "data/local/tmp"
        self.system = self.folder / "system"
        self._small_disk_bytes = small_disk_bytes
        self._computer: subprocess.Popen[bytes] | None = None
        self._init = 0
        self._write_files()

    def answer(self, command: str, text: str) -> None:
        """From now on `command`, like "dumpsys battery", prints `text`."""
        (self.system / "answers" / command.replace(" ", "_")).write_text(text)

    def command(self, text: str) -> Sequence[str]:
        """See Machine."""
        inside = ("nsenter", "--target", str(self._init), "--mount", "--pid", "--root", "--wd")
        return (*inside, "env", "-i", *_ENVIRONMENT, "setsid", "/system/bin/sh", "-c", text)

    def path(self, name: str) -> Path:
        """See Machine."""
        return Path(f"/proc/{self._init}/root/{name.lstrip('/')}")

    def switch_on(self) -> None:
        """Boot, and listen; RuntimeError where that fails."""
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        init = [sys.executable, str(Path(__file__).with_name("phone_init.py"))]
        with (self.folder / "console").open("ab") as console:
            arguments = [str(self.folder), str(self._small_disk_bytes)]
            self._computer = start(["unshare", *namespaces, *init, *arguments], console, talk=True)
        assert self._computer.stdout is not None
        if self._computer.stdout.readline() != b"furnished\n":
            self.switch_off()
            raise RuntimeError(f"the phone did not start:\n{(self.folder / 'console').read_text(errors='replace')}")
        (self._init,) = children(self._computer.pid)
        self.plug()

    def switch_off(self) -> None:
        """Cut the power: everything there ends at once. What it wrote stays."""
        if self._computer is not None:
            end(self._computer)
            self._computer = None
        self.unplug()

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.switch_off()
        super().__exit__(*exc_info)

    def _write_files(self) -> None:
        for name in ("root", "layers", "data/local/tmp", "system/bin", "system/answers"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o771)
        (self.system / "bin/sh").symlink_to("/bin/sh")
        for name in ("getprop", "dumpsys", "cmd"):
            program = self.system / "bin" / name
            program.write_text(PROGRAM)
            program.chmod(0o755)
        for command, text in ANSWERS.items():
            self.answer(command, text)


def main(arguments: Sequence[str]) -> None:
    """`python -m tests.devices phone`: run one until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices phone", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", action="store_true", help="Android 6: no shell protocol v2")
    parser.add_argument("--ask", action="store_true", help="trust no computer until Enter is pressed, which is the tap")
    chosen = parser.parse_args(arguments)
    folder = tempfile.mkdtemp(prefix="phone-")
    try:
        options = old_android() if chosen.old else {}
        with Phone(Path(folder), trusts_all=not chosen.ask, **options) as phone:
            print(_GREETING.format(phone=phone), flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                _wait(phone if chosen.ask else None)
    finally:
        shutil.rmtree(folder)


def _wait(asking: Phone | None) -> None:
    while asking is not None and sys.stdin.readline():
        asking.accept()
        print("Accepted.", flush=True)
    signal.pause()


_GREETING = """\
A phone, emulated, at adb+tcp://{phone.host}:{phone.port}
  register it:   pocketbench device add adb+tcp://{phone.host}:{phone.port} --name emulated-phone
  by adb:        adb connect {phone.host}:{phone.port}
  its files:     {phone.data} is its /data/local/tmp
  drain it:      sed -i 's/level: .*/level: 7/' {phone.system}/answers/dumpsys_battery
Ctrl-C switches it off."""
