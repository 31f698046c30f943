"""`python user_namespace.py COMMAND...`: become COMMAND in its own user namespace, in which all users are the same.

What is root outside is root inside, and may there have a binfmt_misc of its own (Linux 6.7), which programs outside
never see. unshare(1) alone maps one user only, or needs newuidmap(1) and its tables. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

__all__: list[str] = []

_CLONE_NEWUSER = 0x10000000
# All that files of a computer are likely to be owned by; 65534 is nobody.
_SAME = "0 0 65536\n"


def main(command: Sequence[str]) -> None:
    """Who may write the map has to be outside: a child does it that was left there (user_namespaces(7))."""
    here = os.getpid()
    ready, entered = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(entered)
        os.read(ready, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{here}/{name}").write_text(_SAME)
        os._exit(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    os.close(entered)
    _, status = os.waitpid(helper, 0)
    if status != 0:
        raise OSError(f"no map of users for the namespace: status {status}")
    os.execvp(command[0], list(command))


if __name__ == "__main__":
    main(sys.argv[1:])
