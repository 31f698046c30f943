"""A whole session (what the device is, a deployment, a measurement) is recorded on this computer and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.deploy.deployment import status
from pocketbench.harness.deploy.variant import deploy_variant
from pocketbench.harness.devices.identity import DeviceIdentity, read_identity
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.catalogue import host_platform, local_engine
from pocketbench.harness.engines.target import Target
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.results import BenchOptions, BenchResult
from pocketbench.harness.transports.base import Transport
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.recording import RecordingTransport
from pocketbench.harness.transports.scripted import ScriptedTransport, UnexpectedCallError
from tests.runner.tiny_models import dense_onnx

SALT = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Seen:
    """What a session found out."""

    identity: DeviceIdentity
    target: Target
    deployed: list[str]
    bench: BenchResult
    output: np.ndarray


def session(transport: Transport, directory: PurePosixPath, model: Path) -> Seen:
    identity = read_identity(transport, directory, salt=SALT)
    target = read_target(transport)
    deployed = deploy_variant(
        transport,
        directory,
        variant_file=model,
        golden=None,
        engine=local_engine("onnxruntime"),
        runner=runner_binary(host_platform()),
        name="dense",
    )
    client = deployed.runner_client
    bench = client.bench(BenchOptions(iterations=20, min_time_ms=0, seed=3), timeout_s=60)
    (output,) = client.infer([np.ones((1, 64), np.float32)], timeout_s=60)
    return Seen(identity, target, [row.name for row in status(transport, directory)], bench, output)


def test_a_session_is_replayed_to_the_same_results(tmp_path: Path):
    model, directory = dense_onnx(tmp_path / "dense.onnx"), PurePosixPath(tmp_path / "our device")
    with RecordingTransport(LocalTransport(), tmp_path / "bug.jsonl", pocketbench_version="1") as transport:
        recorded = session(transport, directory, model)
    placed = {path: path.lstat().st_mtime_ns for path in Path(directory).rglob("*")}

    with ScriptedTransport(tmp_path / "bug.jsonl") as replay:
        replayed = session(replay, directory, model)

    assert replay.remaining == 0
    assert (replayed.identity, replayed.target, replayed.deployed) == (recorded.identity, recorded.target, ["dense"])
    np.testing.assert_array_equal(replayed.bench.samples, recorded.bench.samples)
    assert replayed.bench.stages == recorded.bench.stages
    np.testing.assert_array_equal(replayed.output, recorded.output)
    assert {path: path.lstat().st_mtime_ns for path in Path(directory).rglob("*")} == placed  # nothing was run


def test_another_directory_is_another_session(tmp_path: Path):
    directory = PurePosixPath(tmp_path / "device")
    with RecordingTransport(LocalTransport(), tmp_path / "bug.jsonl", pocketbench_version="1") as transport:
        status(transport, directory)

    with ScriptedTransport(tmp_path / "bug.jsonl") as replay, pytest.raises(UnexpectedCallError, match="elsewhere"):
        status(replay, PurePosixPath(tmp_path / "elsewhere"))
