"""With whose rights files of the kernel are written: the user's own, or root's where the user is given them unasked."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pocketbench.harness.errors import DeviceTimeoutError
from pocketbench.harness.transports.base import Transport

__all__ = ["ROOT", "USER", "Platform", "Rights", "find_rights", "remedy"]

Platform = Literal["linux", "android"]

# Magisk asks on the phone's screen the first time, and gives up after some seconds.
_ASK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Rights:
    """`prefix` is what a command is given to; with `joined` as one text for a shell, else as it is."""

    kind: Literal["user", "root", "sudo", "su"]
    prefix: tuple[str, ...] = ()
    joined: bool = False

    def command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """`argv`, run with these rights."""
        return (*self.prefix, shlex.join(argv)) if self.joined else (*self.prefix, *argv)


USER = Rights("user")
ROOT = Rights("root")
# -n: never ask for a password. Of `su`, Magisk and others take `-c TEXT`; that of AOSP's userdebug builds takes a user
# and a command (system/extras/su/su.cpp).
_CANDIDATES: dict[Platform, tuple[Rights, ...]] = {
    "linux": (Rights("sudo", ("sudo", "-n", "--")),),
    "android": (Rights("su", ("su", "-c"), joined=True), Rights("su", ("su", "0"))),
}


def find_rights(transport: Transport, platform: Platform) -> Rights | None:
    """How this user, who is not root, runs something as root; None where that is not given without being asked."""
    for rights in _CANDIDATES[platform]:
        try:
            completed = transport.run(rights.command(("id", "-u")), timeout_s=_ASK_TIMEOUT_S)
        except DeviceTimeoutError:
            continue
        if completed.exit_code == 0 and completed.stdout.strip() == b"0":
            return rights
    return None


def remedy(platform: Platform) -> str:
    """What a user can do whom the device does not let set something."""
    if platform == "android":
        return "only a rooted phone can change it: leave it as it is, every result carries it"
    return (
        "register the device with the user root, or let sudo ask this one for no password (NOPASSWD in sudoers(5)), "
        "or leave it as it is: every result carries it"
    )
