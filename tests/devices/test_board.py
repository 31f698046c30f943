"""The emulated board is what it says: a Pi to look at, another machine to switch off, and gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.devices.facts import read_facts
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.board import PASSWORD, Board
from tests.transports.ssh_client import Answers, Client, client_in

TIMEOUT_S = 60.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Board(tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def transport(client: Client, board: Board) -> Iterator[SshTransport]:
    with client.reach(board) as transport:
        yield transport


def text(transport: SshTransport, *argv: str) -> str:
    return transport.run(argv, timeout_s=TIMEOUT_S).stdout.decode().strip()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_says_that_it_is_a_raspberry_pi(transport):
    facts = read_facts(transport)

    assert facts.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert facts.cpu == "4 x Cortex-A72"
    assert (facts.cores, facts.governor) == (4, "ondemand")
    assert text(transport, "hostname") == "raspberrypi"


def test_what_it_says_changes_while_it_runs(transport, board):
    temperature = "/sys/class/thermal/thermal_zone0/temp"
    assert (text(transport, "cat", temperature), text(transport, "vcgencmd", "get_throttled")) == (
        "48199",
        "throttled=0x0",
    )

    (board.sys / "class/thermal/thermal_zone0/temp").write_text("81500\n")
    board.answer("get_throttled", "throttled=0xe0008\n")

    assert text(transport, "cat", temperature) == "81500"
    assert text(transport, "vcgencmd", "get_throttled") == "throttled=0xe0008"
    assert text(transport, "vcgencmd", "measure_temp") == "temp=48.2'C"
    assert transport.run(["vcgencmd", "no", "such"], timeout_s=TIMEOUT_S).exit_code == 255


def test_what_is_written_there_is_not_written_here(transport):
    name = f"pocketbench-{os.getpid()}"

    text(transport, "sh", "-c", f"echo there > /root/{name}; echo there > /usr/{name}")

    assert text(transport, "cat", f"/usr/{name}") == "there"
    assert not Path("/root", name).exists()
    assert not Path("/usr", name).exists()


def test_its_processes_are_its_own(transport):
    assert text(transport, "cat", "/proc/1/comm") == "sshd"
    assert text(transport, "sh", "-c", f"ls -d /proc/{os.getpid()} 2>&1").startswith("ls:") or os.getpid() < 100


def test_a_full_disk_is_told_and_leaves_nothing(transport, tmp_path):
    (tmp_path / "big").write_bytes(os.urandom(2 << 20))

    with pytest.raises(
        TransportError, match=r"kitchen-pi: expected to copy .* No space left on device\. Make room there"
    ):
        transport.push(tmp_path / "big", PurePosixPath("/mnt/target"))

    assert text(transport, "ls", "-A", "/mnt") == ""


def test_it_takes_a_password_where_it_is_told_to(client, tmp_path):
    with Board(tmp_path / "board", options=["PasswordAuthentication yes"]) as board:
        client.trust(board)
        client.configure(f"Host board\n HostName {board.host}\n User root\n")
        ask = Answers("wrong", PASSWORD)
        with client.transport(ask=ask) as transport:
            assert text(transport, "echo", "on") == "on"

        assert len(ask.asked) == 2


def test_several_run_at_once(client, transport, board, tmp_path):
    text(transport, "true")  # connected before the configuration speaks of the second one
    with Board(tmp_path / "second") as second:
        assert second.host != board.host
        (second.sys / "class/thermal/thermal_zone0/temp").write_text("1\n")
        client.trust(second)
        client.configure(f"Host second\n HostName {second.host}\n User root\n IdentityFile {second.key_file}\n")
        with client.transport("second") as other:
            assert text(other, "cat", "/sys/class/thermal/thermal_zone0/temp") == "1"
        assert text(transport, "cat", "/sys/class/thermal/thermal_zone0/temp") != "1"


def test_nothing_is_left_of_it(tmp_path):
    with Board(tmp_path / "board") as board:
        cable = Path("/sys/class/net", board.cable)
        assert cable.exists()
        board.kill()
        board.start()
        processes = own_processes(tmp_path)
        assert processes

    assert own_processes(tmp_path) == []
    assert not cable.exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()


def own_processes(folder: Path) -> list[str]:
    """The processes, other than this one, that see a file system which was made in `folder`."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                mounts = (process / "mountinfo").read_text()
            except OSError:
                continue
            if str(folder) in mounts:
                found.append(process.name)
    return found


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_command_starts_one_and_cleans_up_however_it_ends(board, tmp_path, ending):
    """`board` is only here so that the needs are checked."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TMPDIR": str(tmp_path),
    }
    argv = [sys.executable, "-m", "tests.devices", "board"]
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = address_in(process.stdout)
            assert address.startswith("ssh://root@198.1")
            assert own_processes(tmp_path)

            process.send_signal(ending)
            process.wait(timeout=TIMEOUT_S)
        finally:
            process.kill()

    wait_for(lambda: own_processes(tmp_path) == [])
    if ending != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


def address_in(greeting: Iterable[str] | None) -> str:
    """The address that it says, once it has said how to end it; each line comes when it is written."""
    assert greeting is not None
    said: list[str] = []
    for line in greeting:
        said.append(line)
        if line.startswith("Ctrl-C"):
            break
    address = said[0].split()[-1]
    assert any(f"pocketbench device add {address}" in line for line in said)
    return address


def test_an_unknown_device_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "tests.devices", "toaster"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "expected one of board, phone" in done.stderr
