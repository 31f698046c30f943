"""The whole way over SSH and over ADB: the scripts travel as texts, the files as standard input."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.deployment import deploy, rollback, status
from pocketbench.harness.deploy.progress import Progress
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.adb import phone_by_network
from tests.deploy.conftest import contents
from tests.deploy.cutting import Cut
from tests.devices.adbd import Adbd
from tests.devices.sshd import Sshd
from tests.transports.ssh_client import client_in

FIRST = {"run.sh": b"#!/bin/sh\necho 1\n", "model.tflite": b"one"}
LARGE = random.Random(4).randbytes(5_000_000)
SECOND = {"run.sh": b"#!/bin/sh\necho 2\n", "model.tflite": LARGE}


class Here:
    """This computer as what adbd runs on."""

    def command(self, text):
        return ("sh", "-c", text)

    def path(self, name):
        return Path(name)


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    with Sshd(tmp_path / "sshd") as server, client_in(tmp_path / "user", monkeypatch).reach(server) as transport:
        yield transport, server.stop_sessions


@pytest.fixture
def adb(tmp_path, monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # no adb server
    with (
        Adbd(Here()) as adbd,
        phone_by_network("phone", adbd.host, adbd.port, say=print, android_directory=tmp_path / "android") as transport,
    ):
        yield transport, adbd.drop


@pytest.fixture(params=["ssh", "adb"])
def link(request):
    return request.getfixturevalue(request.param)


def accept(deployment):
    """A check that finds nothing wrong."""


class CutLink(Cut):
    """The connection ends, and whoever runs the commands notices."""

    def __init__(self, inner, directory, left, cut):
        super().__init__(inner, directory, left, kills=True)
        self._kill = cut  # type: ignore[method-assign]


def test_the_whole_way(link, tmp_path, make_plan):
    transport, _ = link
    directory = PurePosixPath(tmp_path / "the 'device' $(touch hacked)")
    first = deploy(transport, directory, make_plan(FIRST), check=accept)
    assert transport.run([str(first.files["run.sh"])], timeout_s=30).stdout == b"1\n"
    deploy(transport, directory, make_plan(SECOND), check=accept)
    deploy(transport, directory, make_plan(SECOND), check=accept)
    assert contents(directory) == SECOND
    assert [row.problem for row in status(transport, directory, verify=True)] == [None]
    rollback(transport, directory, "digits")
    assert contents(directory) == FIRST
    assert not Path("hacked").exists()


def test_a_cut_in_the_middle(link, directory, make_plan):
    """The same transport connects again and goes on with what has arrived."""
    transport, cut = link
    deploy(transport, directory, make_plan(FIRST), check=accept)
    with pytest.raises(TransportError):
        deploy(CutLink(transport, directory, 4_000_000, cut), directory, make_plan(SECOND), check=accept)
    assert contents(directory) == FIRST
    told: list[Progress] = []
    deploy(transport, directory, make_plan(SECOND), check=accept, progress=told.append)
    assert contents(directory) == SECOND
    assert told[-1].resumed_bytes > 0
