"""Is there room? What is needed and free, the quota, and a disk that fills up."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.deployment import deploy, remove, status
from pocketbench.harness.deploy.space import check_space
from pocketbench.harness.errors import DeploymentError
from tests.deploy.conftest import contents
from tests.needs import require_root


def accept(deployment):
    """A check that finds nothing wrong."""


def test_what_is_there_and_free_is_compared_with_what_is_needed():
    check_space(5_000_000, 800_000, "pi")
    with pytest.raises(DeploymentError, match=r"pi: expected 5\.2 MB free, got 5\.0 MB: nothing was written"):
        check_space(5_000_000, 1_000_000, "pi")


def test_no_room_is_said_before_anything_is_written(tools_in, directory, make_plan):
    full = "echo Filesystem 1024-blocks Used Available Capacity Mounted on; echo /dev/block/dm-5 100 99 1 99% /data"
    with pytest.raises(DeploymentError, match=r"our device: expected 4\.2 MB free, got 0\.0 MB: nothing was written"):
        deploy(tools_in(scripts={"df": full}), directory, make_plan({"m": b"one"}), check=accept)
    assert not Path(directory).exists()


def test_nonsense_is_told(tools_in, directory, make_plan):
    with pytest.raises(DeploymentError, match=r"expected the free space .* got '<html>'"):
        deploy(tools_in(scripts={"df": "echo '<html>'"}), directory, make_plan({"m": b"one"}), check=accept)


def test_the_quota_is_held_and_the_error_says_what_takes_the_space(transport, directory, make_plan):
    deploy(transport, directory, make_plan({"m": b"1" * 600_000}, "large"), check=accept)
    deploy(transport, directory, make_plan({"m": b"2" * 200_000}, "small"), check=accept)
    transport.streams.clear()
    with pytest.raises(
        DeploymentError,
        match=r"at most 1\.0 MB .* got 0\.8 MB there and 0\.3 MB to come: nothing was"
        r".*deploy remove NAME.*largest: large 0\.6 MB, small 0\.2 MB",
    ):
        deploy(transport, directory, make_plan({"m": b"3" * 300_000}), check=accept, quota_bytes=1_000_000)
    assert transport.streams == []
    remove(transport, directory, "small")
    deploy(transport, directory, make_plan({"m": b"3" * 300_000}), check=accept, quota_bytes=1_000_000)


def test_room_is_made_by_collecting_before_it_is_said_that_there_is_none(transport, directory, make_plan):
    old = deploy(transport, directory, make_plan({"m": b"0" * 500_000}), check=accept)
    for content in (b"1", b"2"):
        deploy(transport, directory, make_plan({"m": content}), check=accept)
    record = Path(old.root) / "deployment.json"
    os.utime(record, (0, 0))
    deploy(transport, directory, make_plan({"m": b"3" * 300_000}), check=accept, quota_bytes=600_000)
    assert not record.exists()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB; the test's own."""
    require_root("to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_in_the_middle(small_disk, tools_in, make_plan):
    """Somebody else writes: df had promised more. What arrived is taken away again."""
    directory = PurePosixPath(small_disk / "ours")
    flag, df, tar = small_disk.parent / "unpacked", shutil.which("df"), shutil.which("tar")
    promise = "echo Filesystem 1024-blocks Used Available Capacity Mounted on; echo x 9999999 1 9999998 1% /"
    scripts = {
        "df": f'if [ -e {flag} ]; then exec {df} "$@"; fi; {promise}',
        "tar": f'echo >{flag}; exec {tar} "$@"',
    }
    device = tools_in(scripts=scripts)
    rng = random.Random(3)
    deploy(device, directory, make_plan({"m": b"one"}), check=accept)
    flag.unlink()
    large = make_plan({"m": rng.randbytes(6_000_000)})
    with pytest.raises(DeploymentError, match=r"got a full storage \(0\.\d MB left\) .* The deployment in use stays"):
        deploy(device, directory, large, check=accept)
    flag.unlink()
    assert contents(directory) == {"m": b"one"}
    assert [row.problem for row in status(device, directory, verify=True)] == [None]
    assert list(Path(directory).glob("incoming/*")) == []
    fits = {"m": rng.randbytes(3_000_000)}
    deploy(device, directory, make_plan(fits), check=accept)
    assert contents(directory) == fits
