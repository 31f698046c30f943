"""Commands over SSH, against OpenSSH's server on loopback: streams, ends, limits, noise, shells of every kind."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.ssh import SshTransport
from pocketbench.harness.transports.ssh_exchange import for_any_login_shell
from tests.devices.sshd import Sshd
from tests.needs import require_program
from tests.transports.ssh_client import Client, client_in

TIMEOUT_S = 60.0
AWKWARD = [
    "a b",
    "it's",
    '"',
    "$(touch made)",
    "`ls`",
    "new\nline",
    "\\",
    "\\\\'",
    "\\n",
    "!x",
    "*",
    "",
    "-n",
    "~",
    "ü",
    "%s",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def transport(client: Client, server: Sshd) -> Iterator[SshTransport]:
    with client.reach(server) as transport:
        yield transport


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_exit_code_and_both_streams_come_back(transport):
    completed = transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.stdout, completed.stderr, completed.signal) == (3, b"out\n", b"err\n", None)
    assert completed.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")


def test_silence_comes_back_as_silence(transport):
    completed = transport.run(["true"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.stdout, completed.stderr) == (0, b"", b"")


def test_arguments_arrive_as_they_are(transport):
    completed = transport.run(["printf", "%s\\0", *AWKWARD], timeout_s=TIMEOUT_S)

    assert completed.stdout.decode().split("\0")[:-1] == AWKWARD


def test_bytes_of_any_value_go_both_ways(transport):
    data = bytes(range(256)) * 1000

    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=data).stdout == data


def test_a_file_goes_in_while_both_outputs_come_back(transport, tmp_path):
    """More than the windows of all streams together (2 MiB each), so that who does not read blocks the other."""
    data = os.urandom(1 << 20) * 12
    (tmp_path / "data").write_bytes(data)

    with (tmp_path / "data").open("rb") as stdin:
        completed = transport.run(["sh", "-c", "tee /dev/stderr"], timeout_s=TIMEOUT_S, stdin=stdin)

    assert completed.stdout == data
    assert completed.stderr == data


def test_a_command_need_not_read_its_input(transport):
    completed = transport.run(["true"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(bytes(20 << 20)))

    assert completed.exit_code == 0


def test_a_source_that_cannot_be_read_is_told(transport):
    class Torn(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=Torn())

    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_a_signal_is_told(transport):
    completed = transport.run(["sh", "-c", "kill -SEGV $$"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.signal) == (139, 11)


def test_a_missing_program_is_127_in_english(transport):
    completed = transport.run(["/no/such/program"], timeout_s=TIMEOUT_S)

    assert completed.exit_code == 127
    assert b"not found" in completed.stderr


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("trap '' TERM HUP INT; sleep 1000 & echo $! $$ > {0}; wait", id="that-ignore-what-they-can"),
        pytest.param("sleep 1000 & echo $! > {0}", id="that-outlive-their-parent"),
    ],
)
def test_a_timeout_ends_the_command_and_its_children(transport, tmp_path, script):
    with pytest.raises(DeviceTimeoutError, match="kitchen-pi: expected 'sh' to finish within 2 s, got no end"):
        transport.run(["sh", "-c", script.format(tmp_path / "pids")], timeout_s=2)

    for pid in (tmp_path / "pids").read_text().split():
        assert wait_until_gone(int(pid))
    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_ctrl_c_ends_the_command_and_its_children(client, server, tmp_path):
    client.reach(server)
    pid_file = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"
    code = (
        "from pathlib import Path\n"
        "from pocketbench.harness.transports.ssh import SshTransport\n"
        f"SshTransport('pi', 'board', home=Path({str(client.home)!r}), config_files=[Path({str(client.config)!r})])"
        f".run(['sh', '-c', {script!r}], timeout_s=600)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    wait_for_file(pid_file)

    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=TIMEOUT_S)

    assert b"KeyboardInterrupt" in words
    assert wait_until_gone(int(pid_file.read_text()))


def test_too_much_output_ends_the_command(transport, tmp_path):
    script = f"echo $$ > {tmp_path}/pid; cat /dev/zero"

    with pytest.raises(
        TransportError, match=r"kitchen-pi: expected less output .* more than 64 MiB on standard output"
    ):
        transport.run(["sh", "-c", script], timeout_s=TIMEOUT_S)

    assert wait_until_gone(int((tmp_path / "pid").read_text()))


def test_a_shell_that_is_killed_is_told_apart_from_a_lost_connection(transport):
    with pytest.raises(TransportError, match="expected an exit code after running 'sh', got none"):
        transport.run(["sh", "-c", "kill -9 $PPID"], timeout_s=TIMEOUT_S)

    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_one_connection_serves_all_calls_and_threads(client, tmp_path):
    with Sshd(tmp_path / "sshd") as server, client.reach(server) as transport:
        results: list[bytes] = []

        def work(text: str) -> None:
            results.append(transport.run(["echo", text], timeout_s=TIMEOUT_S).stdout)

        threads = [threading.Thread(target=work, args=(text,)) for text in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work("e")

        assert sorted(results) == [b"a\n", b"b\n", b"c\n", b"d\n", b"e\n"]
        assert server.log().count("Accepted publickey") == 1


def test_small_requests_are_not_held_back(client, server, monkeypatch):
    made: list[socket.socket] = []
    connect = socket.create_connection

    def recording(*arguments: object, **options: object) -> socket.socket:
        made.append(connect(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(socket, "create_connection", recording)
    with client.reach(server) as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)

        assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_server_that_comes_back_is_taken_up_again(client, tmp_path):
    with Sshd(tmp_path / "sshd") as server, client.reach(server) as transport:
        assert transport.run(["echo", "1"], timeout_s=TIMEOUT_S).stdout == b"1\n"
        threading.Timer(1, server.stop).start()

        with pytest.raises(TransportError, match="kitchen-pi: expected the connection to last while running 'sleep'"):
            transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)
        with pytest.raises(TransportError, match=r"connection refused. Start the SSH server there"):
            transport.run(["echo", "2"], timeout_s=TIMEOUT_S)
        server.start()

        assert transport.run(["echo", "3"], timeout_s=TIMEOUT_S).stdout == b"3\n"


def test_closing_twice_is_harmless_and_a_later_call_connects_again(client, server):
    transport = client.reach(server)
    transport.close()
    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"
    transport.close()
    transport.close()


def forced(folder: Path, script: str) -> str:
    """A server's option that runs `script` (of sh) instead of the command, which is in $SSH_ORIGINAL_COMMAND."""
    path = folder / "forced"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"ForceCommand {path}"


def test_megabytes_of_a_login_script_are_no_output(client, tmp_path):
    noise = "head -c 5000000 /dev/urandom; head -c 5000000 /dev/urandom >&2; printf 'no line end'"
    option = forced(tmp_path, f'{noise}; eval "$SSH_ORIGINAL_COMMAND"')
    with Sshd(tmp_path / "sshd", [option]) as server, client.reach(server) as transport:
        completed = transport.run(["sh", "-c", "echo out; echo err >&2; exit 5"], timeout_s=TIMEOUT_S)

        assert (completed.exit_code, completed.stdout, completed.stderr) == (5, b"out\n", b"err\n")


def test_noise_without_an_end_is_bounded(client, tmp_path):
    option = forced(tmp_path, "exec cat /dev/zero")
    with (
        Sshd(tmp_path / "sshd", [option]) as server,
        client.reach(server) as transport,
        pytest.raises(TransportError, match="more than 64 MiB on standard output"),
    ):
        transport.run(["true"], timeout_s=TIMEOUT_S)


@pytest.mark.parametrize("shell", ["bash", "dash", "fish", "tcsh"])
def test_any_login_shell_will_do(client, tmp_path, shell):
    program = require_program(shell, f"apt-get install {shell}")
    # As sshd calls it: SHELL -c COMMAND.
    option = forced(tmp_path, f'exec {program} -c "$SSH_ORIGINAL_COMMAND"')
    with Sshd(tmp_path / "sshd", [option]) as server, client.reach(server) as transport:
        completed = transport.run(["printf", "%s\\0", *AWKWARD], timeout_s=TIMEOUT_S)

        assert completed.stdout.decode().split("\0")[:-1] == AWKWARD
        assert completed.stderr == b""


def test_what_a_login_shell_has_to_understand_is_plain():
    """No shell gives anything between these single quotes a meaning: no quote, no `!`, no line end, no `\\\\`."""
    text = for_any_login_shell("\n".join(AWKWARD))

    start, script, end = text.split("'")
    assert (start, end) == ("exec /bin/sh -c ", "")
    assert not set("!\n\r%") - {"%"} & set(script)
    assert "\\\\" not in script
    assert script.isascii()


def test_a_user_without_a_shell_is_told(client, tmp_path):
    option = forced(tmp_path, "echo This account is not available.; exit 1")
    with (
        Sshd(tmp_path / "sshd", [option]) as server,
        client.reach(server) as transport,
        pytest.raises(TransportError, match=r"expected a login shell .* got: This account is not available"),
    ):
        transport.run(["true"], timeout_s=TIMEOUT_S)


def test_a_server_that_opens_no_further_session_is_told(client, tmp_path):
    with (
        Sshd(tmp_path / "sshd", ["MaxSessions 0"]) as server,
        client.reach(server) as transport,
        pytest.raises(TransportError, match=r"kitchen-pi: expected a further session .* MaxSessions"),
    ):
        transport.run(["true"], timeout_s=TIMEOUT_S)


def test_a_group_process_of_its_own_is_made_where_the_server_makes_none(tmp_path):
    """Dropbear calls no setsid(2): then the text itself does."""
    text = for_any_login_shell("echo $$; exec cat /proc/self/stat")

    done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, check=True, timeout=TIMEOUT_S)

    leader, stat = done.stdout.decode().splitlines()
    assert stat.rsplit(")", 1)[1].split()[2] == leader
