"""A launch is one command: its input goes in with it, its samples come back with its events; nothing stays there."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import DeviceTimeoutError, RunnerCrashError, RunnerError, TransportError
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.one_command import OneCommand
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.runner.tensors import write_tensors
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.recording import RecordingTransport
from pocketbench.harness.transports.scripted import ScriptedTransport
from tests.needs import require_program
from tests.runner.conftest import ECHO, TIMEOUT_S

BRIEF = BenchOptions(warmup_iterations=1, iterations=2, min_time_ms=0)
DATA = np.arange(6, dtype=np.float32).reshape(1, 2, 3)


@pytest.fixture
def tensors(tmp_path) -> Path:
    path: Path = tmp_path / "data"
    write_tensors(path, [DATA])
    return path


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".*")]


class Watched(LocalTransport):
    """This computer, with every call kept."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, ...]] = []

    def run(self, argv, **options):
        self.calls.append(tuple(argv))
        return super().run(argv, **options)

    def push(self, source, target, **options):
        self.calls.append(("push",))

    def pull(self, source, target):
        self.calls.append(("pull",))


def through(runner: Runner, transport: LocalTransport) -> Runner:
    runner._transport = transport
    return runner


@pytest.mark.parametrize(
    "launch",
    [
        pytest.param(lambda runner, tensors: runner.bench(BRIEF, TIMEOUT_S), id="bench"),
        pytest.param(lambda runner, tensors: runner.bench(replace(BRIEF, input=tensors), TIMEOUT_S), id="with input"),
        pytest.param(lambda runner, tensors: runner.memory(1, TIMEOUT_S), id="memory"),
        pytest.param(lambda runner, tensors: runner.memory(1, TIMEOUT_S, input=tensors), id="memory with input"),
        pytest.param(lambda runner, tensors: runner.describe(), id="describe"),
    ],
)
def test_a_launch_is_one_call_of_the_transport(fake_runner, tensors, tmp_path, launch):
    transport = Watched()

    launch(through(fake_runner(), transport), tensors)

    assert len(transport.calls) == 1
    assert left_behind(tmp_path) == []


class OtherShell(LocalTransport):
    """This computer with another shell, and no commands but those of toybox."""

    def __init__(self, shell: Sequence[str], folder: Path) -> None:
        super().__init__()
        self._start = ("env", f"PATH={folder}", *shell)

    def run(self, argv, **options):
        assert argv[0] == "sh"
        return super().run((*self._start, *argv[1:]), **options)


@pytest.fixture(params=["dash", "bash", "busybox", "mksh", "ksh"])
def other_shell(request, tmp_path) -> OtherShell:
    shell = require_program(request.param, f"apt-get install {request.param}")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "dd", "rm", "wc"):
        (folder / name).symlink_to(require_program("toybox", "apt-get install toybox"))
    return OtherShell([str(shell), "sh"] if request.param == "busybox" else [str(shell)], folder)


def test_every_shell_runs_it(fake_runner, tensors, tmp_path, other_shell):
    runner = through(fake_runner(), other_shell)

    samples = runner.bench(replace(BRIEF, input=tensors), TIMEOUT_S).samples

    assert samples["steady"].tolist() == [False, True, True]
    assert (tmp_path / "model.input0").read_bytes() == DATA.tobytes() * 4
    assert left_behind(tmp_path) == []


def test_every_shell_tells_a_crash(fake_runner, tensors, tmp_path, other_shell):
    runner = through(fake_runner(ECHO + "at run segv\n"), other_shell)

    with pytest.raises(RunnerCrashError) as caught:
        runner.bench(replace(BRIEF, input=tensors), TIMEOUT_S)

    assert (caught.value.signal, caught.value.stage) == (11, "first_inference")
    assert left_behind(tmp_path) == []


def test_every_shell_tells_a_runner_that_cannot_be_started(fake_runner, tmp_path, other_shell):
    runner = through(fake_runner(), other_shell)
    runner._launcher = (str(tmp_path / "no such runner"),)

    with pytest.raises(RunnerError, match=r"expected the runner to start, got exit code 127: .*no such runner"):
        runner.bench(BRIEF, TIMEOUT_S)


def test_a_timeout_names_the_runner_and_leaves_no_files(fake_runner, tensors, tmp_path):
    runner = fake_runner(ECHO + "at run hang\n")

    with pytest.raises(DeviceTimeoutError, match="local: expected 'runner' to finish within 2 s"):
        runner.bench(replace(BRIEF, input=tensors), 2.0)

    assert left_behind(tmp_path) == []


def test_a_shell_that_is_killed_leaves_no_files(fake_runner, tensors, tmp_path):
    runner = fake_runner()
    runner._launcher = ("sh", "-c", "kill -9 $PPID")

    with pytest.raises(RunnerCrashError, match="signal 9"):
        runner.bench(replace(BRIEF, input=tensors), TIMEOUT_S)

    assert left_behind(tmp_path) == []


def test_a_device_that_is_gone_afterwards_does_not_hide_that_its_shell_was_killed(fake_runner):
    class Gone(LocalTransport):
        def run(self, argv, **options):
            if argv[0] == "rm":
                raise TransportError("gone")
            return super().run(argv, **options)

    runner = through(fake_runner(), Gone())
    runner._launcher = ("sh", "-c", "kill -9 $PPID")

    with pytest.raises(RunnerCrashError, match="signal 9"):
        runner.bench(BRIEF, TIMEOUT_S)


def test_a_device_that_loses_its_host_removes_the_files_by_itself(fake_runner, tensors, tmp_path):
    class Cut(LocalTransport):
        """Hangs up while the command runs."""

        def run(self, argv, *, timeout_s, stdin=b""):
            if argv[0] == "rm":
                raise TransportError("gone")
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert process.stdin is not None
            assert process.stdout is not None
            with process, process.stdin as pipe:
                pipe.write(stdin)
                pipe.close()
                process.stdout.readline()
                process.stdout.close()
            raise TransportError("cut")

    with pytest.raises(TransportError, match="cut"):
        through(fake_runner(), Cut()).bench(replace(BRIEF, input=tensors), TIMEOUT_S)

    assert left_behind(tmp_path) == []


def test_an_input_that_cannot_be_read_is_refused_before_anything_runs(fake_runner, tmp_path):
    transport = Watched()

    with pytest.raises(InputError, match=r"expected a tensor file that can be read, got .*/missing: No such file"):
        through(fake_runner(), transport).bench(replace(BRIEF, input=tmp_path / "missing"), TIMEOUT_S)

    assert transport.calls == []


def test_a_device_that_cannot_take_the_input_says_why(fake_runner, tensors, tmp_path):
    runner = fake_runner()
    runner._work_directory = PurePosixPath(tmp_path / "missing")

    with pytest.raises(RunnerError, match=r"expected to write the launch's input to .*, got: .*missing.*: make room"):
        runner.bench(replace(BRIEF, input=tensors), TIMEOUT_S)


def test_what_follows_the_token_comes_back_byte_by_byte(tmp_path):
    content = b"".join(bytes((first, second)) for first in range(256) for second in range(256))
    (tmp_path / "content").write_bytes(content)
    command = OneCommand(PurePosixPath(tmp_path))
    copy = ("sh", "-c", 'echo said; cp "$0" "$1"', str(tmp_path / "content"), str(command.file("samples")))

    completed, files = command.run(LocalTransport(), copy, timeout_s=TIMEOUT_S, results=("samples",))

    assert (completed.stdout, completed.exit_code, files) == (b"said\n", 0, {"samples": content})


def test_a_recorded_launch_can_be_replayed(fake_runner, tensors, tmp_path):
    options = replace(BRIEF, input=tensors)
    runner = fake_runner()
    with RecordingTransport(LocalTransport(), tmp_path / "transcript", pocketbench_version="0") as recording:
        runner._transport = recording
        recorded = runner.bench(options, TIMEOUT_S)
    scripted = ScriptedTransport(tmp_path / "transcript")
    runner._transport = scripted

    replayed = runner.bench(options, TIMEOUT_S)

    np.testing.assert_array_equal(replayed.samples, recorded.samples)
    assert scripted.remaining == 0


def test_samples_of_a_launch_that_failed_do_not_travel(tmp_path):
    command = OneCommand(PurePosixPath(tmp_path))
    script = ("sh", "-c", 'printf half; echo x > "$0"; exit 7', str(command.file("samples")))

    completed, files = command.run(LocalTransport(), script, timeout_s=TIMEOUT_S, results=("samples",))

    assert (completed.stdout, completed.exit_code, files) == (b"half", 7, {})
    assert left_behind(tmp_path) == []


class Answering(LocalTransport):
    """A device that says what it likes; TOKEN stands for the launch's token."""

    def __init__(self, stdout: bytes, exit_code: int) -> None:
        super().__init__()
        self._stdout, self._exit_code = stdout, exit_code

    def run(self, argv, *, timeout_s, stdin=b""):
        token = argv[5].encode() if argv[0] == "sh" else b""
        return Completed(tuple(argv), self._exit_code, self._stdout.replace(b"TOKEN", token), b"", 0.1)


EVENTS = b"".join(
    b'{"schema":1,"event":%b}\n' % event
    for event in (
        b'"engine","name":"litert","version":null,"engine_load_ns":1',
        b'"model","model_init_ns":1,"inputs":[],"outputs":[]',
        b'"first_inference","first_inference_ns":1',
        b'"samples","warmup":0,"steady":1,"flags":[]',
        b'"done"',
    )
)
SAMPLE = np.array([5, 7], "<i8").tobytes()
FILE = b"samples 16\n" + SAMPLE


def bench(stdout: bytes, exit_code: int = 0) -> list[tuple[int, ...]]:
    paths = (PurePosixPath("/library"), PurePosixPath("/model"), PurePosixPath("/work"))
    runner = Runner(Answering(stdout, exit_code), ["/runner"], "litert", *paths)
    return [tuple(sample) for sample in runner.bench(BRIEF, TIMEOUT_S).samples.tolist()]


def test_a_device_of_its_own_words_is_read_as_a_real_one():
    assert bench(EVENTS + b"\nTOKEN\n" + FILE) == [(5, 7, True)]


@pytest.mark.parametrize(
    ("stdout", "words"),
    [
        pytest.param(EVENTS + SAMPLE, "got the last one without its end", id="no token"),
        pytest.param(EVENTS + b"\n0123456789abcdef\n" + FILE, "expected an event of schema 1", id="another token"),
        pytest.param(b"\nTOKEN\n" + EVENTS + b"\nTOKEN\n" + FILE, "name and size, got '{", id="token at once"),
        pytest.param(EVENTS + b"\nTOKEN\n\nTOKEN\n" + FILE, "each with its name and size, got ''", id="two tokens"),
        pytest.param(EVENTS + b"\nTOKEN\n" + FILE * 2, "name and size, got 'samples 16'", id="twice"),
        pytest.param(EVENTS + b"\nTOKEN\n", "expected 16 bytes of samples, got 0", id="none"),
        pytest.param(EVENTS + b"\nTOKEN\nsamples 32\n" + SAMPLE * 2, "of samples, got 32", id="too many"),
        pytest.param(EVENTS + b"\nTOKEN\nsamples 17\n" + SAMPLE, "got 16 of 17 bytes of samples", id="cut"),
        pytest.param(EVENTS + b"\nTOKEN\n" + FILE + b"more", "name and size, got 'more'", id="more"),
        pytest.param(EVENTS + b"\nTOKEN\nother 2\nab", "name and size, got 'other 2'", id="another file"),
        pytest.param(EVENTS + b"\nTOKEN\nsamples -1\n", "name and size, got 'samples -1'", id="negative"),
        pytest.param(EVENTS + b"\nTOKEN\nsamples 1e1\n", "name and size", id="no number"),
    ],
)
def test_a_device_that_breaks_the_form_is_refused(stdout, words):
    with pytest.raises(RunnerError, match=words):
        bench(stdout)


def read_or_refused(stdout: bytes, exit_code: int) -> list[tuple[int, ...]] | str:
    try:
        return bench(stdout, exit_code)
    except RunnerError as error:
        return str(error)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), exit_code=st.sampled_from([0, 0, 0, 1, 137]))
def test_any_output_is_read_or_refused(data, exit_code):
    whole = EVENTS + b"\nTOKEN\n" + FILE
    cut = data.draw(st.integers(0, len(whole)))
    other = data.draw(st.binary(max_size=20) | st.just(b"\nTOKEN\n") | st.just(SAMPLE))
    stdout = whole[:cut] + other + whole[cut + data.draw(st.integers(0, 12)) :]

    outcome = read_or_refused(stdout, exit_code)
    assert outcome.isprintable() if isinstance(outcome, str) else len(outcome) == 1
