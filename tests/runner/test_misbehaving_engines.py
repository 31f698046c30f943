"""An engine that crashes, hangs, lies or shouts is reported as what it is."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.errors import DeviceTimeoutError, RunnerCrashError, RunnerError
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.runner.tensors import write_tensors
from tests.runner.conftest import ECHO, TIMEOUT_S

BRIEF = BenchOptions(warmup_iterations=1, iterations=2, min_time_ms=0)
DATA = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


@pytest.mark.parametrize(("way", "signal"), [("segv", 11), ("abort", 6)])
@pytest.mark.parametrize(("place", "stage"), [("create_session", "model_load"), ("run", "first_inference")])
def test_a_crash_is_reported_with_its_signal_and_stage(fake_runner, place, stage, way, signal):
    with pytest.raises(RunnerCrashError) as caught:
        fake_runner(f"{ECHO}at {place} {way}\n").bench(BRIEF, TIMEOUT_S)

    assert (caught.value.signal, caught.value.stage) == (signal, stage)
    assert "the engine crashed" in str(caught.value)


def test_a_crash_leaves_no_files_behind(fake_runner, tmp_path):
    with pytest.raises(RunnerCrashError):
        fake_runner(ECHO + "at run abort\n").infer([DATA], timeout_s=TIMEOUT_S)

    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_engine_that_hangs_is_ended(fake_runner, tmp_path):
    with pytest.raises(DeviceTimeoutError, match="within 2 s"):
        fake_runner(ECHO + "at run hang\n").bench(BRIEF, 2.0)

    pid = int((tmp_path / "model.pid").read_text())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("place", "stage"), [("create_session", "model_load"), ("run", "first_inference")])
def test_an_engine_may_say_bytes_of_any_kind(fake_runner, place, stage):
    with pytest.raises(RunnerError) as caught:
        fake_runner(f"{ECHO}at {place} hostile\n").bench(BRIEF, TIMEOUT_S)

    message = str(caught.value)
    assert caught.value.stage == stage
    assert message.isprintable()
    assert 'no  [31mred  "quotes" \\ \ufffd\ufffd \ufffd\ufffd\ufffd é' in message
    assert len(message) < 5000


def test_an_engine_that_prints_to_standard_output_does_not_disturb_the_events(fake_runner):
    # It prints lines that look like the runner's own.
    assert len(fake_runner(ECHO + "shout\n").bench(BRIEF, TIMEOUT_S).samples) == 3


def test_an_engine_s_own_error_carries_what_it_printed(fake_runner):
    with pytest.raises(RunnerError, match=r"The engine said: .*\| the fake engine is at create_session"):
        fake_runner(ECHO + "shout\nat create_session hostile\n").bench(BRIEF, TIMEOUT_S)


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        pytest.param("input x 1 17\n", "expected at most 16 dimensions in 'x', got 17", id="input-rank"),
        pytest.param("input x 1 1000000\n", "expected at most 16 dimensions in 'x'", id="huge-rank"),
        pytest.param("input x 1 -1\n", "expected at most 16 dimensions in 'x'", id="negative-rank"),
        pytest.param("input x 99 1 1\n", "'x', got the element type unknown (99)", id="unknown-type"),
        pytest.param("input x -4 1 1\n", "expected a tensor as 'x', got the ONNX type 4", id="sequence"),
        pytest.param("input x 1 1 -7\noutput y 1 1 9223372036854775807\n", "tensor 'y', got 9223", id="output-size"),
        pytest.param("input x 1 2 4611686018427387904 8\n", "tensor 'x', got 46116", id="input-size"),
        pytest.param(
            "input x 1 1 2305843009213693951\n",
            "expected 9223372036854775804 bytes of memory for the input 'x'",
            id="memory",
        ),
        pytest.param("input x 1 1 1\noutput y 1 40 1\n", "expected at most 16 dimensions in 'y'", id="output-rank"),
        pytest.param("input x 1 1 1\noutput y 1 1 -5\n", "size for the tensor 'y', got ?", id="negative-output"),
    ],
)
def test_an_engine_that_claims_the_impossible_is_refused_by_name(launch, fakes, tmp_path, orders, words):
    (tmp_path / "model").write_text(orders)
    paths = ("--engine", "onnxruntime", "--library", fakes["onnxruntime"], "--model", tmp_path / "model")
    write_tensors(tmp_path / "in", [np.ones((1, 1), np.float32)])

    infers = "output" in orders
    files = (
        ("--input", tmp_path / "in", "--output", tmp_path / "out") if infers else ("--samples", tmp_path / "samples")
    )
    completed = launch("infer" if infers else "bench", *paths, *files)

    assert completed.exit_code == 1
    assert words in completed.stdout.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("ranks-of-100", "expected at most 8 dimensions in 'x', got 100", id="rank"),
        pytest.param("layouts-of-100", "expected at most 8 dimensions in 'y', got 100", id="rank-of-an-output"),
        pytest.param("small-buffer", "expected a buffer of 8 bytes for 'x', LiteRT made one of 4", id="buffer"),
    ],
)
def test_a_litert_that_claims_the_impossible_is_refused_by_name(fake_runner, name, words):
    with pytest.raises(RunnerError, match=words):
        fake_runner(engine="litert", name=name).bench(BRIEF, TIMEOUT_S)


def test_a_tflite_without_names_is_described(fake_runner):
    description = fake_runner(engine="litert", name="nameless").describe()

    assert [facts.name for facts in (*description.inputs, *description.outputs)] == ["", ""]


def test_a_dimension_that_litert_cannot_hold_is_refused(launch, fakes, tmp_path):
    (tmp_path / "dynamic").write_text("")
    header = b"PBTENSOR" + struct.pack("<II", 1, 1) + b"float32".ljust(16, b"\0")
    for size, expected in ((2, 0), (2**32 + 2, 1)):
        # A file of holes: 16 GiB that are not on the disk.
        with (tmp_path / "in").open("wb") as stream:
            stream.write(header + struct.pack("<IIqq", 2, 0, 1, size))
            stream.truncate(stream.tell() + 4 * size)
        completed = launch(
            *("infer", "--engine", "litert", "--library", fakes["litert"], "--model", tmp_path / "dynamic"),
            *("--input", tmp_path / "in", "--output", tmp_path / "out"),
        )
        assert completed.exit_code == expected, completed.stdout
    assert "expected dimensions below 2^31 for the input 'x', got 4294967298" in completed.stdout.decode()


class TamperingTransport:
    """This computer, with the samples or the output file changed on its way."""

    def __init__(self, real, change):
        self.real, self.change, self.address = real, change, real.address

    def __getattr__(self, name):
        return getattr(self.real, name)

    def run(self, argv, **options):
        completed = self.real.run(argv, **options)
        if argv[0] != "sh":
            return completed
        mark = f"\n{argv[5]}\n".encode()
        events, _, file = completed.stdout.partition(mark)
        samples = self.change(file.partition(b"\n")[2])
        return replace(completed, stdout=events + mark + b"samples %d\n" % len(samples) + samples)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        self.real.pull(source, target)
        target.write_bytes(self.change(target.read_bytes()))


def pairs(*values: int):
    return lambda data: np.array(values, "<i8").tobytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda data: data[:-1], "expected 48 bytes of samples, got 47", id="truncated"),
        pytest.param(lambda data: data + data[:16], "expected 48 bytes of samples, got 64", id="too-many"),
        pytest.param(lambda data: b"", "expected 48 bytes of samples, got 0", id="empty"),
        pytest.param(pairs(1, 1, 2, -1, 3, 1), "in the order of time", id="negative-latency"),
        pytest.param(pairs(-5, 1, 2, 1, 3, 1), "in the order of time", id="negative-start"),
        pytest.param(pairs(1, 1, 9, 1, 3, 1), "in the order of time", id="backwards"),
        pytest.param(pairs(1, 5, 2, 1, 3, 1), "in the order of time", id="overlapping"),
        pytest.param(pairs(1, 0, 2, 0, 3, 0), "a median of 0 ns", id="no-time"),
        pytest.param(pairs(1, 1, 2, 1, 3, 2**63 - 1), "within the 60 s that the launch may take", id="292-years"),
        pytest.param(pairs(1, 1, 2, 1, 2**62, 1), "within the 60 s that the launch may take", id="a-long-pause"),
    ],
)
def test_samples_that_cannot_be_are_refused(fake_runner, change, words):
    runner = fake_runner()
    runner._transport = TamperingTransport(runner._transport, change)

    with pytest.raises(RunnerError, match=words) as caught:
        runner.bench(BRIEF, TIMEOUT_S)
    assert caught.value.stage == "samples"


def test_outputs_that_are_no_tensor_file_are_refused(fake_runner):
    runner = fake_runner()
    runner._transport = TamperingTransport(runner._transport, lambda data: data[:-3])

    with pytest.raises(RunnerError, match=r"local: expected 48 bytes for a tensor") as caught:
        runner.infer([DATA], timeout_s=TIMEOUT_S)
    assert caught.value.stage == "output"


def test_a_device_that_is_gone_does_not_hide_why_a_launch_failed(fake_runner):
    runner = fake_runner(ECHO + "at run abort\n")
    real = runner._transport

    class Gone(TamperingTransport):
        def run(self, argv, **options):
            if argv[0] == "rm":
                raise DeviceTimeoutError("gone")
            return real.run(argv, **options)

    runner._transport = Gone(real, None)

    with pytest.raises(RunnerCrashError):
        runner.infer([DATA], timeout_s=TIMEOUT_S)
