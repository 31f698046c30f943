"""The files of a Debian for arm64 as a board has them, only unpacked: no program of it runs meanwhile.

Maintainer scripts would need emulation and minutes; what a board needs of their work is done here. There is no Python
in it and no systemd.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.devices.cache import made_once
from tests.devices.debian import unpack_packages

__all__ = ["BOOKWORM", "BULLSEYE", "make_arm64_root"]

# Raspberry Pi OS follows Debian. Bullseye has glibc 2.31 and GLIBCXX_3.4.28, too old for LiteRT's library.
BOOKWORM, BULLSEYE = "bookworm", "bullseye"

_PACKAGES = """
base-files base-passwd bash busybox-static coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin
libstdc++6 login mawk mount openssh-server passwd procps sed tar util-linux zstd
"""
# Of the two ways to have a merged /usr the one without Perl.
_MORE_PACKAGES = {BOOKWORM: ("usr-is-merged",), BULLSEYE: ()}
_MERGED = ("bin", "lib", "sbin")
_NOT_NEEDED = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/lib/dpkg/info")
# Debian's alternatives, which maintainer scripts choose among.
_ALTERNATIVES = {"usr/bin/awk": "mawk", "usr/bin/which": "which.debianutils"}


def make_arm64_root(cache: Path, release: str = BOOKWORM) -> Path:
    """The tree of `release`, found in the folder `cache` or made there: 90 MB, 6 s. Nobody may write to it."""
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return made_once(cache / f"arm64-{release}-{key}", lambda folder: _fill(folder, release)).resolve()


def _fill(root: Path, release: str) -> None:
    work = root.with_name(f"{root.name}-work")
    try:
        packages = (*_PACKAGES.split(), *_MORE_PACKAGES[release])
        unpack_packages(packages, "arm64", root, work, release=release, needed=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for name in _NOT_NEEDED:
        shutil.rmtree(root / name, ignore_errors=True)
    for name in _MERGED:
        _merge(root / name, root / "usr" / name)
        (root / name).symlink_to(f"usr/{name}")
    for name, target in _ALTERNATIVES.items():
        if not (root / name).exists():
            (root / name).symlink_to(target)
    _write_users(root)
    for name in ("home/pi", "media", "mnt", "opt", "srv", "usr/local/bin"):
        (root / name).mkdir(parents=True)
    shutil.chown(root / "home/pi", 1000, 1000)
    (root / "etc/hostname").write_text("raspberrypi\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 raspberrypi\n")


def _merge(source: Path, target: Path) -> None:
    """Move all of `source` into `target`, which may have folders of the same names."""
    target.mkdir(exist_ok=True)
    for entry in sorted(source.iterdir()):
        there = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and there.is_dir():
            _merge(entry, there)
        else:
            entry.rename(there)
    source.rmdir()


def _write_users(root: Path) -> None:
    """Debian's own users and groups, with sshd's and the one that every Raspberry Pi used to have."""
    masters = root / "usr/share/base-passwd"
    users = (masters / "passwd.master").read_text().replace(":*:", ":x:")
    users += "sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\npi:x:1000:1000::/home/pi:/bin/bash\n"
    (root / "etc/passwd").write_text(users)
    (root / "etc/group").write_text((masters / "group.master").read_text() + "pi:x:1000:\n")
    names = [line.split(":")[0] for line in users.splitlines()]
    (root / "etc/shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in names))
    (root / "etc/shadow").chmod(0o600)
