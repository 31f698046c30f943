"""A user has an ONNX file and nothing else: no training code, no TensorFlow."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.journeys.conftest import CommandLine, Process

PLAN = """\
version: 1
name: own onnx
model: own.onnx
recipes: [float32, float16, int8-dynamic, int8]
data: {calibration: calibration.npz, evaluation: evaluation.npz, metric: top-1}
devices: [local]
rounds: 2
launch: {iterations: 20, min_time_s: 0.05, warmup_iterations: 5, warmup_time_s: 0.0}
"""


def write_classifier(folder: Path) -> None:
    """A convolution, a pool and a fully connected layer, 3x16x16 in, 5 classes out; labels are its own answers."""
    random = np.random.default_rng(0)
    initializers = {
        "w1": random.normal(0, 0.3, (16, 3, 3, 3)),
        "b1": random.normal(0, 0.1, (16,)),
        "w2": random.normal(0, 0.3, (16 * 8 * 8, 5)),
        "b2": random.normal(0, 0.1, (5,)),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["image", "w1", "b1"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("Gemm", ["f", "w2", "b2"], ["scores"]),
        ],
        "own",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, 16, 16])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in initializers.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, folder / "own.onnx")

    import onnxruntime

    images = random.normal(size=(60, 3, 16, 16)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(folder / "own.onnx"))
    labels = session.run(None, {"image": images})[0].argmax(axis=1)
    np.savez(folder / "calibration.npz", x=images[:30])
    np.savez(folder / "evaluation.npz", x=images[30:], y=labels[30:])


def test_plan_with_an_onnx_file_alone(tmp_path: Path, pocketbench: CommandLine):
    write_classifier(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)

    completed = pocketbench("run", "plan.yaml")

    assert completed.returncode == 0, completed.stderr
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "int8-dynamic-onnx" in report
    shown = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert {row["variant"] for row in shown} == {"float32-onnx", "float16-onnx", "int8-dynamic-onnx", "int8-onnx"}
    assert {row["status"] for row in shown} == {"ok"}
    quality = {row["variant"]: row["quality_value"] for row in shown}
    assert quality["float32-onnx"] == 1.0
    assert quality["int8-onnx"] >= 0.8


def test_bench_of_files_that_exist_already(tmp_path: Path, pocketbench: CommandLine):
    write_classifier(tmp_path)

    completed = pocketbench("bench", "own.onnx", "--quick", "--rounds", "2", "--threads", "1,2", "--output", "own.html")

    assert completed.returncode == 0, completed.stderr
    assert (tmp_path / "own.html").is_file()
    shown = json.loads(pocketbench("results", "show", "last", "--json").stdout)
    assert sorted(row["threads"] for row in shown) == [1, 2]


def test_deploy_status_rollback_remove(tmp_path: Path, pocketbench: CommandLine):
    write_classifier(tmp_path)

    assert pocketbench("deploy", "own.onnx", "--on", "local").returncode == 0
    names = [row["name"] for row in json.loads(pocketbench("deploy", "status", "--json").stdout)]
    assert names == ["own.onnx"]
    rollback = pocketbench("deploy", "rollback", "own.onnx")
    assert rollback.returncode == 2
    assert "expected a deployment of 'own.onnx' before the one in use, got none" in rollback.stderr
    assert pocketbench("deploy", "remove", "own.onnx").returncode == 0
    assert json.loads(pocketbench("deploy", "status", "--json").stdout) == []


def test_ctrl_c_is_said_in_one_sentence(tmp_path: Path, pocketbench_process: Process):
    write_classifier(tmp_path)
    with pocketbench_process("bench", "own.onnx", "--quick", "--rounds", "50") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "round 2" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()

    assert process.returncode == 130
    assert "interrupted; launches that were measured are kept" in rest
    assert "Traceback" not in rest


def test_an_export_that_cannot_be_written_is_said(tmp_path: Path, pocketbench: CommandLine):
    write_classifier(tmp_path)
    pocketbench("bench", "own.onnx", "--quick", "--rounds", "1")

    completed = pocketbench("results", "export", "last", "--output", "missing/samples.csv")

    assert completed.returncode == 2
    assert "expected a file that can be written, got 'missing/samples.csv'" in completed.stderr
