"""`df -Pk`: captures of the three that devices have, and what is none of them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pocketbench.harness.deploy.space import available_bytes, parse_df
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Completed

# coreutils 9.1, Debian 12
COREUTILS = """\
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda         264212084 26335920  80054992      25% /
"""
# toybox 0.8.9
TOYBOX = """\
Filesystem           1024-blocks     Used Available Use% Mounted on
/dev/block/dm-50       113139716 98765432  14374284  88% /data/user/0
"""
# busybox 1.35
BUSYBOX = """\
Filesystem           1024-blocks    Used Available Capacity Mounted on
tmpfs                     65536         0     65536   0% /tmp
"""
SPACES = """\
Filesystem     1024-blocks     Used Available Capacity Mounted on
//nas/my share   100 50 50 50% /mnt/my share
"""


@pytest.mark.parametrize(
    ("text", "kibibytes"),
    [(COREUTILS, 80054992), (TOYBOX, 14374284), (BUSYBOX, 65536), (SPACES, 50)],
    ids=["coreutils", "toybox", "busybox", "spaces"],
)
def test_a_capture_is_read(text, kibibytes):
    assert parse_df(text) == kibibytes * 1024


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Filesystem\n",
        COREUTILS.splitlines()[1],
        COREUTILS + COREUTILS.splitlines()[1],
        COREUTILS.replace("80054992", "-80054992"),
        COREUTILS.replace("80054992", "8e10"),
        COREUTILS.replace("80054992", "٣"),
        "Filesystem\n$(reboot) 1 2 3",
    ],
)
def test_anything_else_is_not(text):
    assert parse_df(text) is None


def test_the_nearest_parent_that_is_there_is_asked(transport, tmp_path):
    assert available_bytes(transport, PurePosixPath(tmp_path / "a/b/c")) > 0
    assert [call[3] for call in transport.calls] == [str(tmp_path / part) for part in ("a/b/c", "a/b", "a", "")]


def test_nonsense_is_told(transport):
    transport.answer = lambda argv: Completed(tuple(argv), 0, b"<html>", b"", 0.0)
    with pytest.raises(DeploymentError, match=r"expected the free space .* got b'<html>'"):
        available_bytes(transport, PurePosixPath("/x"))
    transport.answer = lambda argv: Completed(tuple(argv), 1, b"", b"no", 0.0)
    with pytest.raises(DeploymentError, match="an error for every path"):
        available_bytes(transport, PurePosixPath("/x"))
