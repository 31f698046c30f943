"""Whatever is between this computer and the device, input and samples of a launch arrive byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.runner.one_command import OneCommand
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.ssh_output import KeptOutput
from tests.devices.phone import Phone, old_android
from tests.devices.sshd import Sshd, free_port
from tests.transports.ssh_client import client_in

TIMEOUT_S = 60.0
SAMPLE_LIMIT = 1 << 22  # of src/bench.c
EVENTS_BYTES = 100_000
# Every two bytes in a row: ends of lines, zeros, what a terminal would change, what is no UTF-8.
CONTENT = b"".join(bytes((first, second)) for first in range(256) for second in range(256))
# Takes the input for the samples, as the runner would write them.
COPY = 'cat "$0" > "$1"; echo said; echo warned >&2'


@pytest.fixture
def board(tmp_path, monkeypatch) -> Iterator[Transport]:
    with Sshd(tmp_path / "sshd") as server, client_in(tmp_path / "user", monkeypatch).reach(server) as transport:
        yield transport


PHONES = {
    "phone": {},
    "old phone": old_android(),
    "old phone with a terminal in between": {"terminal_in_between": True, **old_android()},
}


@pytest.fixture(params=list(PHONES))
def phone(request, tmp_path, monkeypatch) -> Iterator[Transport]:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))  # no server: directly
    with (
        Phone(tmp_path / "phone", **PHONES[request.param]) as phone,
        phone_by_network("pixel", phone.host, phone.port, say=print, android_directory=tmp_path / "keys") as transport,
    ):
        yield transport


def check(transport: Transport, folder: PurePosixPath, tmp_path: Path) -> None:
    assert transport.run(["mkdir", str(folder)], timeout_s=TIMEOUT_S).exit_code == 0
    (tmp_path / "content").write_bytes(CONTENT)
    command = OneCommand(folder)
    argv = ("sh", "-c", COPY, str(command.file("input")), str(command.file("samples")))

    completed, files = command.run(
        transport, argv, input_file=tmp_path / "content", timeout_s=TIMEOUT_S, results=("samples",)
    )

    assert (completed.exit_code, completed.stdout, completed.stderr) == (0, b"said\n", b"warned\n")
    assert files == {"samples": CONTENT}
    assert transport.run(["ls", "-A", str(folder)], timeout_s=TIMEOUT_S).stdout == b""


def test_as_many_samples_as_a_launch_can_have_are_kept():
    output = KeptOutput("standard output")

    output.add(bytes(SAMPLE_LIMIT * 16))
    output.add(bytes(EVENTS_BYTES))

    assert len(output.data) == SAMPLE_LIMIT * 16 + EVENTS_BYTES


def test_a_board_over_ssh(board, tmp_path):
    check(board, PurePosixPath(tmp_path / "work"), tmp_path)


def test_a_phone_over_adb(phone, tmp_path):
    check(phone, PurePosixPath("/data/local/tmp/work"), tmp_path)
