"""This computer as a device: commands with their streams and ends, and files that are complete or not there."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import CommandError, DeviceTimeoutError, TransportError
from pocketbench.harness.transports.base import Completed, run_checked
from pocketbench.harness.transports.local import LocalTransport

TIMEOUT_S = 30.0


@pytest.fixture
def transport():
    with LocalTransport() as transport:
        yield transport


def python(transport: LocalTransport, code: str, *arguments: str, stdin: bytes = b"") -> Completed:
    return transport.run([sys.executable, "-S", "-c", code, *arguments], timeout_s=TIMEOUT_S, stdin=stdin)


def wait_until_gone(pid: int) -> bool:
    """A killed process may stay a moment until its new parent collects it."""
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


def test_exit_code_and_both_streams_come_back(transport):
    completed = transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.stdout, completed.stderr, completed.signal) == (3, b"out\n", b"err\n", None)
    assert completed.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")


def test_arguments_arrive_as_they_are(transport):
    arguments = ["a b", "$HOME", "'\"", "`ls`", "*", "", "é\n", "-rf"]

    completed = transport.run(["printf", "%s\\0", *arguments], timeout_s=TIMEOUT_S)

    assert completed.stdout.decode().split("\0")[:-1] == arguments


@pytest.mark.parametrize(
    "data", [pytest.param(b"", id="none"), pytest.param(bytes(range(256)) * 8192, id="2-MiB-of-all-bytes")]
)
def test_standard_input_arrives_byte_by_byte(transport, data):
    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=data).stdout == data


def test_a_command_that_does_not_read_its_input_is_no_failure(transport):
    assert transport.run(["true"], timeout_s=TIMEOUT_S, stdin=bytes(1 << 20)).exit_code == 0


def test_large_output_on_both_streams_does_not_block(transport):
    code = "import sys\nfor i in range(64): sys.stdout.write('o' * 65536); sys.stderr.write('e' * 65536)"

    completed = python(transport, code)

    assert (len(completed.stdout), len(completed.stderr)) == (64 * 65536, 64 * 65536)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_signal_is_128_plus_its_number(transport, number):
    completed = python(transport, f"import os; os.kill(os.getpid(), {int(number)})")

    assert (completed.exit_code, completed.signal) == (128 + number, number)


def text_file(folder: Path) -> Path:
    (folder / "text").write_text("")
    return folder / "text"


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        pytest.param(lambda path: path / "missing", 127, "No such file or directory", id="missing"),
        pytest.param(lambda path: path, 126, "Permission denied", id="folder"),
        pytest.param(text_file, 126, "Permission denied", id="no-program"),
    ],
)
def test_a_program_that_cannot_start_says_so_as_a_shell_does(transport, tmp_path, make, code, words):
    program = make(tmp_path)

    completed = transport.run([str(program)], timeout_s=TIMEOUT_S)

    assert completed.exit_code == code
    assert completed.stderr.decode().startswith(f"{program}: ")
    assert words in completed.stderr.decode()


def test_a_checked_command_that_fails_shows_all_that_is_known(transport):
    with pytest.raises(CommandError) as caught:
        run_checked(transport, ["sh", "-c", "echo half; echo broken >&2; exit 7"], timeout_s=TIMEOUT_S)

    for part in ("local:", "'sh', '-c'", "exit code 7", "    half", "    broken"):
        assert part in str(caught.value)
    assert caught.value.completed.exit_code == 7


def test_a_timeout_ends_the_command_and_its_children(transport, tmp_path):
    # The child ignores what can be ignored, and holds our pipes.
    script = f"trap '' TERM HUP INT; sleep 1000 & echo $! $$ > {tmp_path}/pids; wait"

    with pytest.raises(DeviceTimeoutError, match="local: expected 'sh' to finish within 2 s, got no end"):
        transport.run(["sh", "-c", script], timeout_s=2)

    for pid in (tmp_path / "pids").read_text().split():
        assert wait_until_gone(int(pid))


def test_a_child_that_outlives_its_parent_with_our_pipes_is_ended_too(transport, tmp_path):
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid"], timeout_s=2)

    assert wait_until_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", id="while-it-runs"),
        pytest.param("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}", id="when-only-its-child-is-left"),
    ],
)
def test_ctrl_c_ends_the_command_and_its_children(tmp_path, script):
    pid_file = tmp_path / "pid"
    code = (
        "from pocketbench.harness.transports.local import LocalTransport\n"
        f"LocalTransport().run(['sh', '-c', {script.format(pid_file)!r}], timeout_s=600)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + TIMEOUT_S
    while not pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=TIMEOUT_S)

    assert b"KeyboardInterrupt" in words
    assert wait_until_gone(int(pid_file.read_text()))


def test_commands_see_a_plain_environment(transport, monkeypatch):
    for name in ("OMP_NUM_THREADS", "LD_PRELOAD_NOT", "PYTHONPATH", "LANGUAGE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    seen = dict(line.split("=", 1) for line in transport.run(["env"], timeout_s=TIMEOUT_S).stdout.decode().splitlines())

    assert set(seen) <= {"HOME", "PATH", "TMPDIR", "USER", "LANG", "LC_ALL"}
    assert (seen["LANG"], seen["LC_ALL"]) == ("C", "C")


def test_two_threads_may_use_it_at_once(transport):
    results: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda text=text: results.append(transport.run(["echo", text], timeout_s=TIMEOUT_S).stdout)
        )
        for text in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [b"a\n", b"b\n"]


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_a_pushed_file_has_its_bytes_and_mode(transport, tmp_path, mode):
    (tmp_path / "source").write_bytes(bytes(range(256)) * 10_000)
    umask = os.umask(0o077)
    try:
        transport.push(tmp_path / "source", PurePosixPath(tmp_path / "target"), mode=mode)
    finally:
        os.umask(umask)

    assert (tmp_path / "target").read_bytes() == (tmp_path / "source").read_bytes()
    assert (tmp_path / "target").stat().st_mode & 0o777 == mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_a_push_replaces_by_rename_so_that_a_reader_keeps_the_old_file(transport, tmp_path):
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "target").write_bytes(b"old")

    with (tmp_path / "target").open("rb") as reader:
        transport.push(tmp_path / "source", PurePosixPath(tmp_path / "target"))
        assert reader.read() == b"old"

    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_pulled_file_has_its_bytes(transport, tmp_path):
    (tmp_path / "source").write_bytes(b"\0\xff")

    transport.pull(PurePosixPath(tmp_path / "source"), tmp_path / "target")

    assert (tmp_path / "target").read_bytes() == b"\0\xff"


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        pytest.param("missing", "target", "No such file or directory", id="no-source"),
        pytest.param("folder", "target", "Is a directory", id="source-is-a-folder"),
        pytest.param("file", "missing/target", "No such file or directory", id="no-parent"),
        pytest.param("file", "folder", "Is a directory", id="target-is-a-folder"),
        pytest.param("file", "file/target", "Not a directory", id="parent-is-a-file"),
    ],
)
def test_a_transfer_that_fails_says_why_and_leaves_nothing(transport, tmp_path, source, target, words):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").write_bytes(b"x")

    for transfer in (
        lambda: transport.push(tmp_path / source, PurePosixPath(tmp_path / target)),
        lambda: transport.pull(PurePosixPath(tmp_path / source), tmp_path / target),
    ):
        with pytest.raises(TransportError) as caught:
            transfer()
        assert str(caught.value) == (
            f"local: expected to copy {tmp_path / source} to {tmp_path / target}, got: {words}."
        )
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "kept"]


def test_a_full_disk_leaves_the_old_file(transport, tmp_path):
    (tmp_path / "target").write_bytes(b"old")

    with pytest.raises(TransportError):
        transport.push(Path("/proc/self/mem"), PurePosixPath(tmp_path / "target"))  # opens, and fails in the first read

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_is_fed_in_pieces_while_the_output_is_read(transport):
    data = bytes(range(256)) * 40_000  # far more than two pipes hold

    completed = transport.run(["cat"], timeout_s=30, stdin=io.BytesIO(data))

    assert completed.stdout == data


def test_a_command_may_end_without_reading_the_file(transport):
    completed = transport.run(["head", "-c", "3"], timeout_s=30, stdin=io.BytesIO(b"x" * 10_000_000))

    assert completed.stdout == b"xxx"


def test_a_file_that_cannot_be_read_is_an_error(transport):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        transport.run(["cat"], timeout_s=30, stdin=Broken())


def test_a_timeout_ends_a_command_that_does_not_read_its_file(transport):
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sleep", "60"], timeout_s=0.2, stdin=io.BytesIO(b"x" * 10_000_000))


def test_closing_from_another_thread_ends_the_command(transport, tmp_path):
    started = tmp_path / "started"

    def close():
        while not started.exists():
            time.sleep(0.01)
        transport.close()

    closer = threading.Thread(target=close)
    closer.start()
    completed = transport.run(["sh", "-c", f"touch {started}; sleep 60"], timeout_s=TIMEOUT_S)
    closer.join()

    assert completed.signal == signal.SIGKILL


def test_closing_twice_is_harmless():
    transport = LocalTransport()
    transport.close()
    transport.close()
