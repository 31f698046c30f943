"""The emulated arm64 boards: that they are arm64, of the age they claim, cut off as said, and gone without a trace."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.arm64_board import Arm64Board
from tests.devices.arm64_rootfs import BOOKWORM, BULLSEYE, make_arm64_root
from tests.transports.ssh_client import Client, block, client_in

TIMEOUT_S = 60.0
# LiteRT's library wants GLIBC_2.34 and GLIBCXX_3.4.30.
C_LIBRARIES = {BOOKWORM: ("glibc 2.36", "GLIBCXX_3.4.30"), BULLSEYE: ("glibc 2.31", "GLIBCXX_3.4.28")}
ATOMICS = 1 << 8  # of AT_HWCAP (Linux, arch/arm64/include/uapi/asm/hwcap.h), from Armv8.1 on


@pytest.fixture(scope="module")
def root(device_cache) -> Path:
    return make_arm64_root(device_cache)


@pytest.fixture(scope="module")
def board(root, tmp_path_factory) -> Iterator[Arm64Board]:
    with Arm64Board(root, tmp_path_factory.mktemp("arm64") / "board") as board:
        yield board


@pytest.fixture
def client(tmp_path, monkeypatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def transport(client, board) -> Iterator[SshTransport]:
    with client.reach(board) as transport:
        yield transport


def said(transport: SshTransport, *argv: str) -> str:
    completed = transport.run(argv, timeout_s=TIMEOUT_S)
    assert (completed.exit_code, completed.stderr) == (0, b"")
    return completed.stdout.decode().strip()


def test_it_is_arm64_and_a_raspberry_pi(transport):
    assert said(transport, "uname", "-nm") == "raspberrypi aarch64"
    assert said(transport, "id", "-un") == "root"
    assert said(transport, "cat", "/sys/firmware/devicetree/base/model") == "Raspberry Pi 4 Model B Rev 1.4\0"
    assert said(transport, "grep", "-c", "CPU part.*0xd08", "/proc/cpuinfo") == "4"


@pytest.mark.skipif(platform.machine() == "aarch64", reason="the processor is this computer's own")
def test_its_processor_can_what_a_raspberry_pi_can(transport):
    auxiliary = said(transport, "env", "LD_SHOW_AUXV=1", "true")

    capabilities = re.search(r"AT_HWCAP: +([0-9a-f]+)", auxiliary)
    assert capabilities is not None
    assert int(capabilities[1], 16) & ATOMICS == 0


@pytest.mark.parametrize("release", [BOOKWORM, BULLSEYE])
def test_its_c_libraries_are_those_of_its_release(release, device_cache, client, tmp_path):
    with (
        Arm64Board(make_arm64_root(device_cache, release), tmp_path / "board") as board,
        client.reach(board) as transport,
    ):
        c_library = said(transport, "getconf", "GNU_LIBC_VERSION")
        versions = said(transport, "grep", "-aoE", r"GLIBCXX_3\.4\.[0-9]+", "/usr/lib/aarch64-linux-gnu/libstdc++.so.6")

    newest = max(versions.split(), key=lambda version: int(version.rsplit(".", 1)[1]))
    assert (c_library, newest) == C_LIBRARIES[release]


def test_files_go_there_and_back(transport, tmp_path):
    data = os.urandom(3_000_001)
    (tmp_path / "sent").write_bytes(data)
    target = PurePosixPath("/root/it's a file")

    transport.push(tmp_path / "sent", target, mode=0o755)
    transport.pull(target, tmp_path / "back")

    assert said(transport, "sha256sum", "-b", str(target)).split()[0] == hashlib.sha256(data).hexdigest()
    assert said(transport, "stat", "-c", "%a", str(target)) == "755"
    assert (tmp_path / "back").read_bytes() == data


def test_its_temperature_and_throttling_are_what_a_test_says(board, transport):
    (board.sys / "class/thermal/thermal_zone0/temp").write_text("81500\n")
    board.answer("get_throttled", "throttled=0xe0008\n")

    assert said(transport, "cat", "/sys/class/thermal/thermal_zone0/temp") == "81500"
    assert said(transport, "vcgencmd", "get_throttled") == "throttled=0xe0008"


@pytest.mark.slow
def test_a_cut_link_and_a_cut_power_are_noticed_and_the_board_is_taken_up_again(root, client, tmp_path):
    """Both at once: it is silence that is noticed, which takes its time."""
    with Arm64Board(root, tmp_path / "unplugged") as unplugged, Arm64Board(root, tmp_path / "off") as off:
        client.trust(unplugged, off)
        client.configure(block("unplugged", unplugged) + block("off", off))
        with client.transport("unplugged") as to_unplugged, client.transport("off") as to_off:
            for transport in (to_unplugged, to_off):
                said(transport, "touch", "/root/written")
            with ThreadPoolExecutor() as pool:
                waiting = [pool.submit(said, transport, "sleep", "1000") for transport in (to_unplugged, to_off)]
                wait_for_word(unplugged, off)
                unplugged.cut_link()
                off.kill()
                errors = [future.exception(timeout=TIMEOUT_S) for future in waiting]
            unplugged.restore_link()
            off.start()

            assert [type(error) for error in errors] == [TransportError, TransportError]
            assert said_once_back(to_unplugged, "ls", "/root") == "written"
            assert said_once_back(to_off, "ls", "/root") == ""


def said_once_back(transport: SshTransport, *argv: str) -> str:
    """The kernel remembers for a moment that there was no way to an address."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return said(transport, *argv)
        except TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def wait_for_word(*boards: Arm64Board) -> None:
    """Until each has started the second command."""
    deadline = time.monotonic() + TIMEOUT_S
    while not all(board.log().count("Starting session") == 2 for board in boards):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_of_it_is_left_and_this_computer_never_learns_to_run_arm64(root, client, tmp_path):
    binfmt_misc = Path("/proc/sys/fs/binfmt_misc")
    before = sorted(binfmt_misc.iterdir())

    with Arm64Board(root, tmp_path / "board") as board, client.reach(board) as transport:
        said(transport, "true")
        cable = Path("/sys/class/net", board.cable)
        assert cable.exists()
        assert mentions(tmp_path / "board")
        assert sorted(binfmt_misc.iterdir()) == before

    assert not cable.exists()
    assert not mentions(tmp_path / "board")
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    assert not (root / "root/.ssh").exists()


def mentions(folder: Path) -> list[int]:
    """Processes of this computer that were told of `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if bytes(folder) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found
