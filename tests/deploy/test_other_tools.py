"""The whole way with the shells and commands that boards and phones have."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import time
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy import compression
from pocketbench.harness.deploy.deployment import deploy, remove, rollback, status
from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.errors import DeploymentError, TransportError
from tests.deploy.conftest import contents, objects
from tests.deploy.cutting import Cut

FIRST = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"one", "empty": b""}
SECOND = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"two", "twin": b"two"}
LARGE = random.Random(2).randbytes(2_000_000)

DEVICES = {
    "coreutils-dash": {"shell": ("dash",)},
    "coreutils-bash": {"shell": ("bash", "--posix")},
    "busybox": {"box": "busybox", "shell": ("busybox", "ash"), "without": ("b2sum",)},
    "toybox-mksh": {"box": "toybox", "shell": ("mksh",), "without": ("b2sum",)},
    # AOSP shell_and_utilities/README.md: gzip and sha256sum came with Android 8
    "android-7": {"box": "toybox", "shell": ("mksh",), "without": ("b2sum", "gzip", "sha256sum")},
}


@pytest.fixture(params=list(DEVICES.values()), ids=list(DEVICES))
def device(request, tools_in):
    return tools_in(**request.param)


def accept(deployment):
    """A check that finds nothing wrong."""


def collect_all(device, directory):
    collect_garbage(device, Layout(directory), abandoned_after=timedelta(0), partial_kept=timedelta(0))


def test_the_whole_way(device, directory, make_plan, caplog):
    caplog.set_level(logging.WARNING)
    deploy(device, directory, make_plan(FIRST), check=accept)
    deploy(device, directory, make_plan(SECOND), check=accept)
    assert contents(directory) == SECOND
    again = deploy(device, directory, make_plan(SECOND), check=accept)
    assert device.run([str(again.files["run.sh"])], timeout_s=5).stdout == b"1\n"
    assert [row.problem for row in status(device, directory, verify=True)] == [None]
    rollback(device, directory, "digits")
    assert contents(directory) == FIRST
    collect_all(device, directory)
    assert len(objects(directory)) == 3
    deploy(device, directory, make_plan({"m": b"other"}, "other"), check=accept)
    remove(device, directory, "digits")
    collect_all(device, directory)
    assert objects(directory) == {hashlib.sha256(b"other").hexdigest()}
    with pytest.raises(InputError, match="got 'digits'; Known: other"):
        remove(device, directory, "digits")
    assert caplog.text == ""


def test_a_strange_directory(device, tmp_path, make_plan):
    directory = PurePosixPath(tmp_path / "a 'b' \"c\" $(touch hacked)")
    deploy(device, directory, make_plan(FIRST), check=accept)
    assert contents(directory) == FIRST
    assert not Path("hacked").exists()


def test_a_cut_is_gone_on_with(device, directory, make_plan):
    plan = make_plan({"model": LARGE, "small": b"small"})

    with pytest.raises(TransportError):
        deploy(Cut(device, directory, 1_500_000, kills=False), directory, plan, check=accept)
    told: list[Progress] = []
    deploy(device, directory, plan, check=accept, progress=told.append)
    assert contents(directory) == {"model": LARGE, "small": b"small"}
    assert told[-1].resumed_bytes > 1_000_000


def test_damage_is_found(device, directory, make_plan):
    deployed = deploy(device, directory, make_plan(FIRST), check=accept)
    deploy(device, directory, make_plan(SECOND), check=accept)
    damaged = Path(deployed.files["model.tflite"]).resolve()
    damaged.chmod(0o644)
    damaged.write_bytes(b"eno")
    with pytest.raises(DeploymentError, match="damaged or missing"):
        rollback(device, directory, "digits")
    deploy(device, directory, make_plan(FIRST), check=accept)
    assert contents(directory) == FIRST


def test_files_that_a_cut_launch_or_copy_left_are_collected_after_a_day(device, directory, make_plan):
    deploy(device, directory, make_plan(FIRST), check=accept)
    token, left, kept = "0123456789abcdef", [], []
    for folder in (Path(directory), Path(directory) / "work/digits"):
        for name in (f".pocketbench-{token}", f".{token}.input", f".{token}.samples", f"..{token}.input.k2_x9q1z"):
            left.append(aged(folder / name, days=1.01))
            kept.append(aged(folder / name.replace("0", "9"), days=0.99))
        for name in (f".pocketbench-{token[:15]}g", f".pocketbench-{token}0", f".{token[:15]}.input", f".{token}", "x"):
            kept.append(aged(folder / name, days=9))
        (folder / f".pocketbench-{token[::-1]}").symlink_to(kept[-1])
        (folder / f".{token[::-1]}.folder").mkdir()
        kept += [folder / f".pocketbench-{token[::-1]}", folder / f".{token[::-1]}.folder"]
    elsewhere = Path(f"{directory}-elsewhere")
    elsewhere.mkdir()
    kept.append(aged(elsewhere / f".{token}.input", days=9))
    (Path(directory) / "work/link").symlink_to(elsewhere)
    left.append(aged(Path(directory) / "work/a 'b'\n$(c)" / f".{token}.input", days=9))
    collect_garbage(device, Layout(directory))
    assert [path for path in left if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert contents(directory) == FIRST


def aged(path, *, days):
    path.parent.mkdir(exist_ok=True)
    path.write_text("left")
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


def test_compressed(device, directory, make_plan, monkeypatch):
    """Where the device can unpack; else the same files travel as they are."""
    monkeypatch.setattr(compression.Sample, "pays", lambda self, rate: self.compressible)
    text = b"".join(b"%d %d\n" % (n, n * n) for n in range(700_000))
    assert len(text) > 9_000_000
    told: list[Progress] = []
    wanted = {"model": text, "other": text[:1_000_000], "small": b"small"}
    deploy(device, directory, make_plan(wanted), check=accept, progress=told.append)
    assert contents(directory) == wanted
    assert told[-1].file_bytes == sum(map(len, wanted.values()))
    if (device._folder / "gzip").exists():
        assert told[-1].wire_bytes < 0.7 * told[-1].file_bytes
    else:
        assert told[-1].wire_bytes > told[-1].file_bytes
