"""Commands on an emulated phone, both ways, with and without shell protocol v2."""

from __future__ import annotations

import io
import signal
import threading
import time

import pytest

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from tests.devices.phone import Phone, old_android

TIMEOUT_S = 60.0


def wait_until_gone(transport, pid: bytes) -> bool:
    """A killed process may stay a moment until its new parent collects it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if transport.run(["kill", "-0", pid.decode().strip()], timeout_s=TIMEOUT_S).exit_code != 0:
            return True
    return False


def test_exit_code_and_both_streams_come_back(transport):
    completed = transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.stdout, completed.stderr, completed.signal) == (3, b"out\n", b"err\n", None)


def test_arguments_arrive_as_they_are(transport):
    arguments = ["a b", "$HOME", "'\"", "`ls`", "$(ls)", "*", "", "é\n", "-rf", "\\"]

    completed = transport.run(["printf", "%s\\0", *arguments], timeout_s=TIMEOUT_S)

    assert completed.stdout.decode().split("\0")[:-1] == arguments


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"a\r\nb\n\r", id="line-ends"),
        pytest.param(bytes(range(256)) * 4096, id="1-MiB-of-all-bytes"),
    ],
)
def test_standard_input_arrives_byte_by_byte(transport, data):
    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=data).stdout == data


def test_a_file_is_fed_while_the_output_is_read(transport):
    data = bytes(range(256)) * 8192

    assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(data)).stdout == data


def test_a_command_may_end_without_reading_its_input(transport):
    assert transport.run(["head", "-c", "3"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(b"x" * 4_000_000)).stdout == b"xxx"


def test_a_file_that_cannot_be_read_is_an_error(transport):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=Broken())
    assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0


def test_large_output_on_both_streams_does_not_block(transport):
    script = "head -c 2000000 /dev/zero; head -c 2000000 /dev/zero >&2; head -c 1000000 /dev/zero"

    completed = transport.run(["sh", "-c", script], timeout_s=TIMEOUT_S)

    assert (len(completed.stdout), len(completed.stderr)) == (3_000_000, 2_000_000)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_signal_is_128_plus_its_number(transport, number):
    completed = transport.run(["sh", "-c", f"kill -{int(number)} $$"], timeout_s=TIMEOUT_S)

    assert (completed.exit_code, completed.signal) == (128 + number, number)


def test_a_program_that_is_missing_is_told_as_the_shell_tells_it(transport):
    completed = transport.run(["no-such-program"], timeout_s=TIMEOUT_S)

    assert completed.exit_code == 127
    assert b"not found" in completed.stderr


def test_commands_longer_than_the_longest_service_name_run(transport):
    argument = "ä" * 40_000

    assert transport.run(["printf", "%s", argument], timeout_s=TIMEOUT_S).stdout.decode() == argument


def test_nothing_of_ours_stays_on_the_phone(transport, data):
    transport.run(["cat", "-", "/missing"], timeout_s=TIMEOUT_S, stdin=b"x" * 100_000)
    transport.run(["printf", "%s", "x" * 70_000], timeout_s=TIMEOUT_S)
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sleep", "1000"], timeout_s=1, stdin=b"x")

    assert list(data.iterdir()) == []


def test_a_timeout_ends_the_command_and_its_children(transport, data):
    # The child ignores what can be ignored, and holds our pipes.
    script = "trap '' TERM HUP INT; sleep 1000 & echo $! $$ > /data/local/tmp/pids; wait"

    with pytest.raises(DeviceTimeoutError, match="pixel: expected 'sh' to finish within 2 s, got no end: stopped it"):
        transport.run(["sh", "-c", script], timeout_s=2)

    for pid in (data / "pids").read_bytes().split():
        assert wait_until_gone(transport, pid)


def test_a_child_that_outlives_its_parent_with_our_pipes_is_ended_too(transport, data):
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sh", "-c", "sleep 1000 & echo $! > /data/local/tmp/pid"], timeout_s=2)

    assert wait_until_gone(transport, (data / "pid").read_bytes())


def test_a_timeout_ends_a_command_that_does_not_read_its_input(today, data):
    with pytest.raises(DeviceTimeoutError):
        today.run(
            ["sh", "-c", "echo $$ > /data/local/tmp/pid; exec sleep 1000"],
            timeout_s=1,
            stdin=io.BytesIO(b"x" * 10_000_000),
        )

    assert wait_until_gone(today, (data / "pid").read_bytes())


def test_an_endless_output_is_cut_off_and_its_command_ended(today, data):
    with pytest.raises(TransportError, match="pixel: expected less output while running 'sh', got more than 64 MiB"):
        today.run(["sh", "-c", "echo $$ > /data/local/tmp/pid; exec cat /dev/zero"], timeout_s=TIMEOUT_S)

    assert wait_until_gone(today, (data / "pid").read_bytes())


def test_ctrl_c_ends_the_command_and_its_children(today, data):
    main = threading.get_ident()

    def interrupt():
        while not (data / "pid").exists():
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        today.run(["sh", "-c", "cd /data/local/tmp; sleep 1000 & echo $! > new; mv new pid; wait"], timeout_s=TIMEOUT_S)
    thread.join()

    assert wait_until_gone(today, (data / "pid").read_bytes())


def test_threads_may_share_it(today):
    results: dict[int, bytes] = {}

    def work(number: int) -> None:
        for _ in range(5):
            data = bytes([number]) * 300_000
            results[number] = today.run(["cat"], timeout_s=TIMEOUT_S, stdin=data).stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {number: bytes([number]) * 300_000 for number in range(4)}


def test_what_the_shell_prints_before_the_command_is_no_output(tmp_path, reach):
    with Phone(tmp_path / "phone") as phone:
        noisy = phone.system / "bin/sh"
        noisy.unlink()
        noisy.write_text('#!/bin/sh\necho "vendor shell"; echo warning >&2\nexec /bin/sh "$@"\n')
        noisy.chmod(0o755)
        completed = reach(phone).run(["sh", "-c", "echo out; echo err >&2"], timeout_s=TIMEOUT_S)

    assert (completed.stdout, completed.stderr) == (b"vendor shell\nout\n", b"warning\nerr\n")


def test_a_shell_that_does_not_start_is_named_with_its_words(tmp_path, reach):
    with Phone(tmp_path / "phone") as phone:
        broken = phone.system / "bin/sh"
        broken.unlink()
        broken.write_text("#!/bin/sh\necho 'no \x1b[31mshell today' >&2; exit 9\n")
        broken.chmod(0o755)
        with pytest.raises(TransportError, match=r"^pixel: expected a shell that starts .*got: no \[31mshell today\."):
            reach(phone).run(["true"], timeout_s=TIMEOUT_S)


def test_a_terminal_in_between_is_undone(tmp_path, reach):
    """Vendors of old phones are said to give exec: a terminal."""
    with Phone(tmp_path / "phone", terminal_in_between=True, **old_android()) as phone:
        completed = reach(phone).run(
            ["sh", "-c", "printf 'a\\r\\nb\\n'; printf 'c\\n' >&2; exit 5"], timeout_s=TIMEOUT_S
        )

    assert (completed.exit_code, completed.stdout, completed.stderr) == (5, b"a\r\nb\n", b"c\n")


def test_a_carriage_return_at_the_end_stays(transport):
    assert transport.run(["printf", "a\\r"], timeout_s=TIMEOUT_S).stdout == b"a\r"
