"""Room and mount options, from what df and the kernel print."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.devices.storage import allows_programs, mount_of, parse_free_bytes

MOUNTS = """\
/dev/root / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw,nosuid,noexec 0 0
/dev/sda1 /media/usb\\040stick vfat rw,noexec 0 0
/dev/sdb1 /data ext4 rw,noexec 0 0
/dev/sdb1 /data ext4 rw 0 0
/dev/sdc1 /database ext4 rw,noexec 0 0
garbage
"""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/home/pi", True),
        ("/tmp", False),
        ("/tmp/pocketbench", False),
        ("/tmpfs", True),
        ("/media/usb stick/x", False),
        ("/data/x", True),
        ("/database", False),
        ("relative", None),
        ("", None),
    ],
)
def test_a_noexec_mount_runs_no_programs(place, expected):
    assert allows_programs(MOUNTS, place) is expected


def test_no_mounts_say_nothing():
    assert allows_programs("", "/home") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
            "/dev/vda         264212084 26335920  80054992      25% /\n",
            80054992 * 1024,
        ),
        (
            "Filesystem      1K-blocks     Used Available Use% Mounted on\n"
            "/dev/block/dm 5 118552576 61234176  55318400  53% /data\n",
            55318400 * 1024,
        ),
        ("Filesystem 1024-blocks Used Available Capacity Mounted on\nnone 0 0 0 - /proc\n", 0),
        ("df: /x: No such file or directory\n", None),
        ("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1 2 -3 4% /\n", None),
        ("", None),
    ],
)
def test_df(text, expected):
    assert parse_free_bytes(text) == expected


@given(st.text(max_size=200), st.text(max_size=30))
def test_nothing_raises(text, place):
    assert allows_programs(text, f"/{place}") in (True, False, None)
    assert parse_free_bytes(text) is None or text.startswith("Filesystem")
    parse_free_bytes(f"Filesystem\n{text}")
    allows_programs(f"a /{text} c d 0 0\n{text}", place)


def test_mount_of_a_directory():
    mounts = (
        "/dev/root / ext4 rw 0 0\n"
        "/dev/fuse /storage/emulated fuse rw,nosuid,nodev,noexec,noatime 0 0\n"
        "none /mnt/with\\040space tmpfs rw,noexec 0 0\n"
        "none /home tmpfs rw,noexec 0 0\n"
        "/dev/sdb /home ext4 rw 0 0\n"
        "garbage\n"
    )

    assert mount_of(mounts, PurePosixPath("/storage/emulated/0/x")) == (
        "/storage/emulated",
        frozenset({"rw", "nosuid", "nodev", "noexec", "noatime"}),
    )
    assert mount_of(mounts, PurePosixPath("/storage/emulated0")) == ("/", frozenset({"rw"}))
    assert mount_of(mounts, PurePosixPath("/mnt/with space/x")) == ("/mnt/with space", frozenset({"rw", "noexec"}))
    assert mount_of(mounts, PurePosixPath("/home/pi")) == ("/home", frozenset({"rw"}))  # the later one covers the other
    assert mount_of("", PurePosixPath("/home/pi")) is None


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
    assert parse_free_bytes(text) == kibibytes * 1024


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
    assert parse_free_bytes(text) is None
