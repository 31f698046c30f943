"""Texts for shells on devices, tried in the shells of this computer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pocketbench.harness.transports.remote_shell import RemoteCommand, kill_group, split_signal

AWKWARD = ["a b", "it's", '"', "$(touch made)", "`touch made`", "new\nline", "\\", "*", "", "-n", "~", "ü"]


def in_shell(command: RemoteCommand, before: str = "", **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", before + command.text], capture_output=True, check=False, timeout=30, **options)  # type: ignore[call-overload,no-any-return]


def test_arguments_arrive_as_they_are_and_run_nothing(tmp_path: Path):
    command = RemoteCommand(("printf", "%s\\0", *AWKWARD))

    completed = in_shell(command, cwd=tmp_path)

    assert command.output(completed.stdout) == b"".join(text.encode() + b"\0" for text in AWKWARD)
    assert list(tmp_path.iterdir()) == []


def test_what_a_login_script_prints_is_no_output():
    command = RemoteCommand(("sh", "-c", "echo out; echo err >&2; exit 42"))

    completed = in_shell(command, before="echo welcome; printf motd >&2; printf 'no end of line'; ")

    assert completed.returncode == 42
    assert command.output(completed.stdout) == b"out\n"
    assert command.errors(completed.stderr) == b"err\n"


def test_the_process_of_the_mark_leads_the_group_that_is_killed():
    command = RemoteCommand(("sh", "-c", "sleep 60 & echo started; wait"))
    process = subprocess.Popen(["sh", "-c", command.text], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    seen = process.stdout.readline() + process.stdout.readline()

    number = command.process_id(seen)

    assert number == process.pid
    subprocess.run(kill_group(number), check=True)
    assert process.wait(timeout=30) == -9
    # The pipe ends when the last process that holds it is gone.
    assert process.stdout.read() == b""
    process.stdout.close()


def test_a_signal_is_told_as_the_shell_tells_it():
    completed = in_shell(RemoteCommand(("sh", "-c", "kill -SEGV $$")))

    assert split_signal(completed.returncode) == (139, 11)
    assert split_signal(42) == (42, None)
    assert split_signal(255) == (255, None)  # how ssh says that it failed itself


@pytest.mark.parametrize(
    "stdout",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"TOKEN 12", id="half a line"),
        pytest.param(b"TOKEN -1\n", id="everybody's process group"),
        pytest.param(b"TOKEN 1\n", id="the first process"),
        pytest.param(b"TOKEN 0\n", id="our own group"),
        pytest.param(b"TOKEN 12345678901\n", id="too many digits"),
        pytest.param(b"TOKEN 12; rm -rf /\n", id="more than a number"),
    ],
)
def test_a_mark_that_is_none_names_no_process(stdout: bytes):
    command = RemoteCommand(("true",), token="pocketbench-0123456789abcdef")

    assert command.process_id(stdout.replace(b"TOKEN", command.token.encode())) is None


def test_without_a_mark_the_shells_own_words_are_kept():
    """A login shell that refuses never comes to the mark: what it says is the reason."""
    command = RemoteCommand(("true",))

    assert command.output(b"This account is not available.\n") == b""
    assert command.errors(b"no shell\n") == b"no shell\n"
