"""The whole way over SSH and over ADB: the scripts travel as texts, the files as standard input."""

from __future__ import annotations

import contextlib
import fcntl
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.deployment import deploy, remove, rollback, status
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from tests.deploy.conftest import contents, objects
from tests.deploy.cutting import Cut
from tests.devices.adbd import Adbd
from tests.devices.android_device import DATA
from tests.devices.real_adbd import RealAdbd
from tests.devices.sshd import Sshd
from tests.transports.ssh_client import client_in

FIRST = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"one"}
LARGE = random.Random(4).randbytes(5_000_000)
SECOND = {"run.sh": b"#!/bin/sh\necho 2\n", "model.tflite": LARGE}
STRANGE = "the 'device' $(touch hacked)"


class Here:
    """This computer as what adbd runs on."""

    def command(self, text):
        return ("sh", "-c", text)

    def path(self, name):
        return Path(name)


@dataclass(frozen=True, slots=True)
class Link:
    """A way to a device that can be cut and mended. Its `directory` is `seen` from here."""

    transport: Transport
    cut: Callable[[], None]
    directory: PurePosixPath
    seen: PurePosixPath
    mend: Callable[[], None] = lambda: None
    has_flock: bool = True


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    with Sshd(tmp_path / "sshd") as server, client_in(tmp_path / "user", monkeypatch).reach(server) as transport:
        place = PurePosixPath(tmp_path / STRANGE)
        yield Link(transport, server.stop_sessions, place, place)


@pytest.fixture
def adb(tmp_path, monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # no adb server
    with Adbd(Here()) as adbd, phone(adbd, tmp_path) as transport:
        place = PurePosixPath(tmp_path / STRANGE)
        yield Link(transport, adbd.drop, place, place)


@pytest.fixture
def android_phone(android, device_cache, tmp_path, monkeypatch):
    """Google's adbd, mksh, and the programs of a phone out of Debian's busybox, which has all of them but flock."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    with RealAdbd(android, device_cache) as adbd, phone(adbd, tmp_path) as transport:
        seen = PurePosixPath(android.data / STRANGE)
        unplugging = threading.Lock()  # the cut is made by the thread that sends: it may be noticed before it is over

        def cut():
            with unplugging:
                adbd.unplug()

        def mend():
            with unplugging:
                adbd.plug()

        yield Link(transport, cut, DATA / STRANGE, seen, mend=mend, has_flock=False)


def phone(adbd, folder):
    return phone_by_network("phone", adbd.host, adbd.port, say=print, android_directory=folder / "android")


@pytest.fixture(params=["ssh", "adb", "android_phone"])
def link(request):
    return request.getfixturevalue(request.param)


def accept(deployment):
    """A check that finds nothing wrong."""


class CutLink(Cut):
    """The connection ends, and whoever runs the commands notices."""

    def __init__(self, link, left):
        super().__init__(link.transport, link.seen, left, kills=True)
        self._link = link

    def _kill(self):
        if self._link.has_flock:
            wait_for_an_arrival(self._link)
        self._link.cut()


def wait_for_an_arrival(link):
    """What was sent may lie in the link's buffers: cut before the device has any of it, there is nothing to resume."""
    deadline = time.monotonic() + 60
    while not any(
        path.is_file() and path.name != "lock" and path.stat().st_size > 1_000_000
        for path in Path(link.seen).glob("incoming/[0-9a-f]*/**/*")
    ):
        assert time.monotonic() < deadline, "something arrives"
        time.sleep(0.01)


def wait_for_the_receiver(link):
    """adbd takes up to 32 MiB before the command there does, and gives it what came before the cut."""
    deadline = time.monotonic() + 60
    while True:
        for path in Path(link.seen).glob("incoming/[0-9a-f]*/lock"):
            with path.open("ab") as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
        assert time.monotonic() < deadline, "the receiver ends"
        time.sleep(0.01)


def test_the_whole_way(link, make_plan):
    transport, directory = link.transport, link.directory
    first = deploy(transport, directory, make_plan(FIRST), check=accept)
    assert transport.run([str(first.files["run.sh"])], timeout_s=60).stdout == b"1\n"
    deploy(transport, directory, make_plan(SECOND), check=accept)
    deploy(transport, directory, make_plan(SECOND), check=accept)
    assert contents(link.seen) == SECOND
    assert [row.problem for row in status(transport, directory, verify=True)] == [None]
    rollback(transport, directory, "digits")
    assert contents(link.seen) == FIRST
    remove(transport, directory, "digits")
    assert contents(link.seen) is None
    assert (objects(link.seen) == set()) is link.has_flock  # nothing is collected without it
    assert not Path("hacked").exists()


def test_a_cut_in_the_middle(link, make_plan):
    """The same transport connects again and goes on with what has arrived."""
    deploy(link.transport, link.directory, make_plan(FIRST), check=accept)
    with pytest.raises(TransportError):
        deploy(CutLink(link, 4_000_000), link.directory, make_plan(SECOND), check=accept)
    assert contents(link.seen) == FIRST
    link.mend()
    if link.has_flock:
        wait_for_the_receiver(link)
    told: list[Progress] = []
    deploy(link.transport, link.directory, make_plan(SECOND), check=accept, progress=told.append)
    assert contents(link.seen) == SECOND
    assert (told[-1].resumed_bytes > 0) is link.has_flock
