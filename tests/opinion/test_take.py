"""A program of the user's on a device: placed, launched, read, and gone."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.opinion.opinion import Asked, OpinionError
from pocketbench.harness.opinion.take import PlacedProgram, Program, placed, take_opinion
from pocketbench.harness.transports.local import LocalTransport
from tests.opinion.captures import PERF_TEST_2025, TFLITE_AS_ASKED
from tests.opinion.conftest import WriteProgram
from tests.opinion.test_perf_test import SAMPLES_S, rows
from tests.runner.tiny_models import Operator, Tensor, write_tflite
from tests.transports.test_local import wait_until_gone

TFLITE = Asked(PurePosixPath("/mobilenet_v1_1.0_224.tflite"), threads=4, iterations=50)
ONNX = Asked(PurePosixPath("/d/model.onnx"), threads=1, iterations=5)
# What perf_test's last argument is for, as a shell sees it.
RESULT = 'for result; do :; done; printf %s {} > "$result"'


def test_a_program_is_pushed_run_and_removed(transport, work, program: WriteProgram):
    source = program("benchmark_model", stdout=TFLITE_AS_ASKED, script='echo "$@" > "$(dirname "$0")/../arguments"')

    with placed(transport, Program(source), PurePosixPath(work)) as there:
        [folder] = work.iterdir()
        assert (folder / "benchmark_model").read_bytes() == source.read_bytes()
        assert os.access(folder / "benchmark_model", os.X_OK)
        first, second = (take_opinion(transport, there, TFLITE) for _ in range(2))
        assert [path.name for path in folder.iterdir()] == ["benchmark_model"]

    assert [path.name for path in work.iterdir()] == ["arguments"]
    assert (work / "arguments").read_text().split() == list(first.arguments)
    assert first == second
    assert (first.latency.mean_ns, first.runs) == (2_950_340_000, 50)
    assert first.program_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()


def test_rows_of_the_result_file_come_back_and_do_not_stay(transport, work, program: WriteProgram):
    script = RESULT.format(shlex.quote(rows().decode()))

    with placed(
        transport, Program(program("onnxruntime_perf_test", stdout=PERF_TEST_2025, script=script)), PurePosixPath(work)
    ) as there:
        opinion = take_opinion(transport, there, ONNX)
        assert [path.name for path in Path(there.folder).iterdir()] == ["onnxruntime_perf_test"]

    assert opinion.samples_ns == tuple(round(float(value) * 1e9) for value in SAMPLES_S)


def test_libraries_lie_beside_the_program_and_are_found(transport, work, tmp_path, program: WriteProgram):
    library = tmp_path / "libonnxruntime.so.1"
    library.write_bytes(b"library")
    script = 'cat "$LD_LIBRARY_PATH/libonnxruntime.so.1" > /dev/null || exit 9'
    source = program("onnxruntime_perf_test", stdout=PERF_TEST_2025, script=script)

    with placed(transport, Program(source, libraries=(library,)), PurePosixPath(work)) as there:
        assert take_opinion(transport, there, ONNX).runs == 5

    assert list(work.iterdir()) == []


def test_it_is_bound_to_the_cores_of_the_job(transport, work, program: WriteProgram):
    core = min(os.sched_getaffinity(0))
    bound = f'grep -q "^Cpus_allowed_list:[[:space:]]*{core}$" /proc/self/status || exit 9'

    with placed(
        transport, Program(program("benchmark_model", stdout=TFLITE_AS_ASKED, script=bound)), PurePosixPath(work)
    ) as there:
        assert take_opinion(transport, there, replace(TFLITE, cores=(core,))).runs == 50


@pytest.mark.parametrize(
    ("code", "stderr", "told"),
    [
        pytest.param(1, "ERROR: Could not open 'x'.\n", r"got exit code 1\. .* said: Could not open 'x'", id="error"),
        pytest.param(
            255, "Run failed:bad \x1b[31mmodel\n", r"got exit code 255\. .* said: Run failed", id="last words"
        ),
        pytest.param(137, "", r"got signal 9\. Does it run there by hand", id="killed"),
        pytest.param(0, "", "statistics of a warm-up and of a measurement, got 0 of 2 phases", id="nothing"),
    ],
)
def test_a_program_that_fails_is_told_in_its_own_words(transport, work, program: WriteProgram, code, stderr, told):
    source = program("benchmark_model", stderr=stderr, code=code)

    with (
        placed(transport, Program(source), PurePosixPath(work)) as there,
        pytest.raises(OpinionError, match=f"local: expected .*{told}") as caught,
    ):
        take_opinion(transport, there, TFLITE)

    assert str(caught.value).isprintable()
    assert list(work.iterdir()) == []


def test_a_figure_in_an_output_that_ended_badly_is_none(transport, work, program: WriteProgram):
    source = program("benchmark_model", stdout=TFLITE_AS_ASKED, code=1)

    with placed(transport, Program(source), PurePosixPath(work)) as there, pytest.raises(OpinionError, match="code 1"):
        take_opinion(transport, there, TFLITE)


def test_a_program_for_another_processor_is_told(transport, work, tmp_path):
    source = tmp_path / "benchmark_model"
    source.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))

    with placed(transport, Program(source), PurePosixPath(work)) as there, pytest.raises(OpinionError, match="code 12"):
        take_opinion(transport, there, TFLITE)


def test_an_interpreter_that_is_not_there_is_told(transport, work, tmp_path):
    source = tmp_path / "benchmark_litert_model.py"
    source.write_text("")

    with (
        placed(transport, Program(source, interpreter=("/no/python3",)), PurePosixPath(work)) as there,
        pytest.raises(OpinionError, match=r"got exit code 127\. It, its interpreter, or its loader is not there"),
    ):
        take_opinion(transport, there, TFLITE)


def test_a_program_that_does_not_end_is_stopped(transport, work, program: WriteProgram):
    source = program("benchmark_model", script=f"echo $$ > {work}/pid; sleep 600")

    with (
        placed(transport, Program(source), PurePosixPath(work)) as there,
        pytest.raises(DeviceTimeoutError, match=r"local: expected benchmark_model to finish within 2 s"),
    ):
        take_opinion(transport, there, replace(TFLITE, time_limit_s=2.0))

    assert wait_until_gone(int((work / "pid").read_text()))
    assert [path.name for path in work.iterdir()] == ["pid"]


def test_what_cannot_be_asked_is_refused_before_a_launch(transport, work, program: WriteProgram):
    source = program("onnxruntime_perf_test", script=f"touch {work}/launched")

    with placed(transport, Program(source), PurePosixPath(work)) as there, pytest.raises(InputError, match="got 2"):
        take_opinion(transport, there, replace(ONNX, warmup_iterations=2))

    assert list(work.iterdir()) == []


def test_a_program_that_cannot_be_sent_leaves_nothing(work, program: WriteProgram):
    class Full(LocalTransport):
        def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
            if source.name != "benchmark_model":
                raise TransportError("no space left on the device")
            super().push(source, target, mode=mode)

    library = program("libx.so")
    source = program("benchmark_model")

    with (
        Full() as transport,
        pytest.raises(TransportError, match="no space"),
        placed(transport, Program(source, libraries=(library,)), PurePosixPath(work)),
    ):
        pytest.fail("it cannot be placed")

    assert list(work.iterdir()) == []


@pytest.mark.parametrize("name", ["benchmark_model;rm -rf x", "benchmark_model x", "-benchmark_model"])
def test_file_names_that_a_shell_could_take_amiss_are_refused(program: WriteProgram, name):
    with pytest.raises(InputError, match="letters, digits"):
        Program(program(name))


def test_a_program_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="check the path"):
        Program(tmp_path / "benchmark_model")


def test_a_script_gets_an_interpreter_unless_it_is_named(transport, work, program: WriteProgram):
    script = program("benchmark_litert_model.py")

    with placed(transport, Program(script), PurePosixPath(work)) as there:
        assert there.command == ("python3", str(there.folder / "benchmark_litert_model.py"))


def dense_layer(path: Path, units: int) -> Path:
    """y = x W, so large that a run takes hundredths of milliseconds, which is what the script counts in."""
    from ai_edge_litert import schema_py_generated as schema

    weights = np.random.default_rng(0).standard_normal((units, units)).astype(np.float32)
    tensors = [
        Tensor("x", (1, units), "float32"),
        Tensor("w", (units, units), "float32", weights),
        Tensor("b", (units,), "float32", np.zeros(units, np.float32)),
        Tensor("y", (1, units), "float32"),
    ]
    options = schema.FullyConnectedOptionsT()
    return write_tflite(path, tensors, [Operator("FULLY_CONNECTED", (0, 1, 2), (3,), options)], [0], [3])


@pytest.fixture
def litert_script(transport, work) -> Iterator[PlacedProgram]:
    """LiteRT's own script out of the installed package, with this Python."""
    import ai_edge_litert

    path = Path(ai_edge_litert.__file__).parent / "tools" / "benchmark_litert_model.py"
    with placed(transport, Program(path, interpreter=(sys.executable,)), PurePosixPath(work)) as there:
        yield there


def test_litert_s_own_script_gives_its_opinion(transport, tmp_path, litert_script):
    model = dense_layer(tmp_path / "model.tflite", 1024)
    asked = Asked(PurePosixPath(model), threads=2, iterations=20, warmup_iterations=3)

    opinion = take_opinion(transport, litert_script, asked)

    assert (opinion.tool, opinion.runs, opinion.warmup_runs, opinion.threads) == ("benchmark_litert_model.py", 20, 3, 2)
    assert opinion.latency.min_ns is not None
    assert opinion.latency.max_ns is not None
    assert 0 < opinion.latency.min_ns <= opinion.latency.mean_ns <= opinion.latency.max_ns
    assert opinion.problems == ()


def test_litert_s_own_script_says_what_it_does_not_find(transport, tmp_path, litert_script):
    asked = Asked(PurePosixPath(tmp_path / "missing.tflite"))

    with pytest.raises(OpinionError, match="Model file not found"):
        take_opinion(transport, litert_script, asked)
