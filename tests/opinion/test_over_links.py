"""The same over SSH and ADB: a program of tens of MB goes once, its output and its rows come back byte by byte."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from pocketbench.harness.opinion.opinion import Asked, OpinionError
from pocketbench.harness.opinion.take import Program, placed, take_opinion
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from tests.devices.phone import Phone, old_android
from tests.devices.sshd import Sshd, free_port
from tests.opinion.captures import PERF_TEST_2025
from tests.opinion.conftest import WriteProgram
from tests.opinion.test_perf_test import SAMPLES_S, rows
from tests.opinion.test_take import RESULT
from tests.transports.ssh_client import client_in

ASKED = Asked(PurePosixPath("/d/model.onnx"), threads=1, iterations=5, cores=(0,))


@pytest.fixture(params=["ssh", "adb", "adb of an old phone"])
def device(request, tmp_path, monkeypatch) -> Iterator[Transport]:
    if request.param == "ssh":
        with Sshd(tmp_path / "sshd") as server, client_in(tmp_path / "user", monkeypatch).reach(server) as board:
            yield board
        return
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))  # no server: directly
    options = old_android() if "old" in request.param else {}
    with (
        Phone(tmp_path / "phone", **options) as phone,
        phone_by_network("pixel", phone.host, phone.port, say=print, android_directory=tmp_path / "keys") as transport,
    ):
        yield transport


def test_an_opinion_is_the_same_over_every_link(device, work, program: WriteProgram):
    script = RESULT.format(shlex.quote(rows().decode()))
    source = program("onnxruntime_perf_test", stdout=PERF_TEST_2025, stderr="warned\n", script=script)

    with placed(device, Program(source), PurePosixPath(work)) as there:
        opinion = take_opinion(device, there, ASKED)

    assert opinion.samples_ns == tuple(round(float(value) * 1e9) for value in SAMPLES_S)
    assert opinion.threads == 1
    assert list(work.iterdir()) == []


def test_what_it_says_when_it_fails_arrives_too(device, work, program: WriteProgram):
    source = program("onnxruntime_perf_test", stdout="Run failed:no test data\n", code=255)

    with (
        placed(device, Program(source), PurePosixPath(work)) as there,
        pytest.raises(OpinionError, match=r"exit code 255\. .*Run failed:no test data"),
    ):
        take_opinion(device, there, replace(ASKED, cores=None))

    assert list(work.iterdir()) == []
