"""The first process of an emulated board: puts its file system together inside namespaces made for it, then is sshd.

Started by board.py as `python -m tests.devices.board_init SETTINGS.json` with a pipe on standard input and output;
nothing here runs outside those namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.devices.namespaces import mount

__all__ = ["become_sshd", "furnish"]


def _overlay(root: Path, layers: Path) -> None:
    """The host's own files below, everything that the board writes in memory above."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(layers))
    (layers / "upper").mkdir()
    (layers / "work").mkdir()
    options = f"lowerdir=/,upperdir={layers}/upper,workdir={layers}/work"
    mount("-t", "overlay", "-o", options, "overlay", str(root))


def furnish(root: Path, settings: dict[str, str]) -> None:
    """Put what makes it a board into the files below `root`."""
    folder = Path(settings["folder"])
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("--rbind", "/dev", str(root / "dev"))
    mount("--bind", str(folder / "sys"), str(root / "sys"))
    mount("--bind", str(folder / "cpuinfo"), str(root / "proc/cpuinfo"))
    for path in ("root/.ssh", "run/sshd", "run/board", "run/fake_vc", "run/world"):
        (root / path).mkdir(parents=True, exist_ok=True)
        (root / path).chmod(0o700 if path == "root/.ssh" else 0o755)
    mount("--bind", str(folder / "vcgencmd"), str(root / "run/fake_vc"))
    mount("--bind", str(folder / "world"), str(root / "run/world"))
    mount("-t", "tmpfs", "-o", f"size={settings['small_disk_bytes']},mode=1777", "tmpfs", str(root / "mnt"))
    for name in ("authorized_keys", "host_key", "sshd_config"):
        shutil.copy(folder / name, root / "run/board" / name)
    (root / "run/board/host_key").chmod(0o600)
    # Which of the host's own set-up would reach in: a login that prints or is slow.
    for name in (".bashrc", ".profile", ".bash_profile"):
        (root / "root" / name).write_text("")
    if settings["vcgencmd"]:
        target = root / "usr/local/bin/vcgencmd"
        shutil.copy(settings["vcgencmd"], target)
        target.chmod(0o755)
    _set_field(root / "etc/passwd", 6, settings["login_shell"])
    _set_field(root / "etc/shadow", 1, settings["password_hash"])


def _set_field(path: Path, index: int, value: str) -> None:
    """Change what passwd(5) or shadow(5) says of root."""
    lines = [line.split(":") for line in path.read_text().splitlines()]
    for fields in lines:
        if fields[0] == "root":
            fields[index] = value
    path.write_text("".join(f"{':'.join(fields)}\n" for fields in lines))


def become_sshd(root: Path) -> None:
    """Say "furnished", wait for a line, and be the SSH server below `root`."""
    subprocess.run(["hostname", "raspberrypi"], check=True)
    print("furnished", flush=True)
    sys.stdin.readline()  # the cable is plugged in meanwhile
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.chroot(root)
    os.chdir("/")
    os.execv("/usr/sbin/sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", "/run/board/sshd_config"])


def main() -> None:
    """Be the board."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    root = Path(settings["root"])
    _overlay(root, Path(settings["layers"]))
    furnish(root, settings)
    become_sshd(root)


if __name__ == "__main__":
    main()
