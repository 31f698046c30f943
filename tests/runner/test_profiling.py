"""Times of operators: out of real engines' profiles, and nothing out of a damaged one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.engines.catalogue import EngineName, engine_for_format, local_engine
from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.profiling import OperatorTime, conversions, parse_profile
from tests.runner.conftest import TIMEOUT_S
from tests.runner.tiny_models import dense_onnx, dense_tflite

RUNS = 4


@pytest.fixture
def profile(program, tmp_path) -> Callable[[Path], tuple[OperatorTime, ...]]:
    def profile(model: Path) -> tuple[OperatorTime, ...]:
        engine = local_engine(engine_for_format(model.suffix[1:]))
        target = tmp_path / "profile"
        command = [program, "profile", "--engine", engine.name, "--library", engine.library, "--model", model]
        options = ["--profile", target, "--iterations", str(RUNS)]
        subprocess.run([*command, *options], check=True, capture_output=True, cwd=tmp_path, timeout=TIMEOUT_S)
        return parse_profile(engine.name, target.read_bytes(), RUNS)

    return profile


def test_litert_names_the_kernels_and_what_ran_them(profile, tmp_path):
    operators = profile(dense_tflite(tmp_path / "m.tflite"))

    assert "Fully Connected (NC, F32) GEMM" in {operator.operator for operator in operators}
    assert {operator.runs_on for operator in operators} == {"XNNPACK"}
    assert [operator.position for operator in operators] == list(range(len(operators)))
    assert conversions(operators) == 0


def test_onnxruntime_names_operators_nodes_and_providers(profile, tmp_path):
    (operator,) = profile(dense_onnx(tmp_path / "m.onnx"))

    assert operator.operator in ("Gemm", "MatMul", "FusedGemm")
    assert operator.runs_on == "CPU"
    assert operator.name
    assert 0 < operator.time_ns < TIMEOUT_S * 1e9
    assert operator.share == 1
    assert [path.name for path in tmp_path.glob("profile*")] == ["profile"]


# Captured from LiteRT 2.3.0: matmul, cumsum, argmax; XNNPACK has no cumsum and no argmax.
LITERT = b"""\
0\t1\t0\t0\t46\tLiteRT::Run[buffer registration]
0\t16\t0\t-1\t34\tinvoke
0\t8\t0\t1\t4\tFully Connected (NC, F32) GEMM
0\t2\t0\t1\t1\tCUMSUM
0\t8\t0\t0\t0\tStatic Reshape (NC)
0\t32\t0\t-1\t4294967296\tInvoke
1\t8\t0\t1\t8\tFully Connected (NC, F32) GEMM
1\t2\t0\t1\t3\tCUMSUM
1\t8\t0\t0\t0\tStatic Reshape (NC)
"""


def test_an_operator_that_fell_back_is_told_from_those_that_did_not():
    assert parse_profile("litert", LITERT, 2) == (
        OperatorTime(0, "Fully Connected (NC, F32) GEMM", "", "XNNPACK", 6000, 0.75),
        OperatorTime(1, "CUMSUM", "", "interpreter", 2000, 0.25),
        OperatorTime(2, "Static Reshape (NC)", "", "XNNPACK", 0, 0.0),
    )


def test_beside_another_accelerator_the_delegate_has_no_name():
    operators = parse_profile("litert", LITERT, 2, accelerator="gpu")

    assert [operator.runs_on for operator in operators] == ["delegate (gpu)", "interpreter", "delegate (gpu)"]


def node(name: str, operator: str, dur: int = 5, provider: str = "CPUExecutionProvider") -> dict[str, object]:
    return {
        "cat": "Node",
        "name": f"{name}_kernel_time",
        "dur": dur,
        "args": {"op_name": operator, "provider": provider},
    }


RUN = {"cat": "Session", "name": "model_run", "dur": 9, "args": {}}


def test_conversions_that_were_not_fused_are_counted():
    run = [node("q", "QuantizeLinear"), node("c", "QLinearConv", 20), node("d", "DequantizeLinear"), RUN]
    operators = parse_profile("onnxruntime", json.dumps(run * 3).encode(), 2)

    assert conversions(operators) == 2
    assert [round(operator.share, 3) for operator in operators] == [0.167, 0.667, 0.167]


def test_the_first_inference_does_not_count():
    events = [node("a", "Conv", 900), RUN, node("a", "Conv", 10), RUN, node("a", "Conv", 20), RUN]

    (operator,) = parse_profile("onnxruntime", json.dumps(events).encode(), 2)

    assert operator.time_ns == 15_000


@pytest.mark.parametrize(
    ("engine", "content"),
    [
        pytest.param("litert", b"", id="nothing"),
        pytest.param("litert", LITERT.replace(b"CUMSUM", b"TOPK", 1), id="another-operator"),
        pytest.param("litert", LITERT[:-40], id="cut"),
        pytest.param("litert", LITERT.replace(b"1\t2\t0", b"2\t2\t0"), id="another-run"),
        pytest.param("litert", LITERT.replace(b"\t8\tFully", b"\t-8\tFully"), id="negative"),
        pytest.param("litert", LITERT.replace(b"\t8\tFully", b"\t8.5\tFully"), id="fraction"),
        pytest.param("onnxruntime", b"", id="no-json"),
        pytest.param("onnxruntime", b"[" * 100_000, id="deep"),
        pytest.param("onnxruntime", b'{"cat": "Node"}', id="no-list"),
        pytest.param("onnxruntime", b"[1]", id="no-events"),
        pytest.param("onnxruntime", json.dumps([RUN] * 2).encode(), id="too-few-runs"),
        pytest.param("onnxruntime", json.dumps([RUN] * 3).encode(), id="no-operators"),
        pytest.param("onnxruntime", json.dumps([node("a", "A", -1), RUN] * 3).encode(), id="negative-time"),
        pytest.param(
            "onnxruntime", json.dumps([{**node("a", "A"), "args": {}}, RUN] * 3).encode(), id="no-operator-name"
        ),
    ],
)
def test_a_damaged_profile_is_refused(engine: EngineName, content: bytes):
    with pytest.raises(RunnerError, match="expected the engine's profile"):
        parse_profile(engine, content, 2)


@given(content=st.binary(max_size=200), engine=st.sampled_from(["litert", "onnxruntime"]))
def test_any_bytes_are_a_profile_or_refused(content: bytes, engine: EngineName):
    try:
        operators = parse_profile(engine, content, 1)
    except RunnerError:
        return
    assert all(operator.time_ns >= 0 for operator in operators)


def test_names_reach_nobody_with_control_characters():
    events = [node("a\x1b[2J", "Con\nv", provider="X\0"), RUN] * 2

    (operator,) = parse_profile("onnxruntime", json.dumps(events).encode(), 1)

    assert (operator.name, operator.operator, operator.runs_on) == ("a [2J", "Con v", "X")
