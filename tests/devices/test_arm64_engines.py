"""The official arm64 builds of both engines on an arm64 board, and on one whose C library is too old for LiteRT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.deploy.variant import DeployedVariant, deploy_variant
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.adding import add_engine
from pocketbench.harness.engines.catalogue import EngineBuild, engine_for_format, host_platform, local_engine
from pocketbench.harness.engines.supply import engines_folder, ensure_engine
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.runner.results import BenchOptions
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.arm64_board import Arm64Board
from tests.devices.arm64_rootfs import BULLSEYE, make_arm64_root
from tests.runner.tiny_models import dense_onnx, dense_tflite
from tests.transports.ssh_client import Client, client_in

DIRECTORY = PurePosixPath("/root/pocketbench")
TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def board(device_cache, tmp_path_factory) -> Iterator[Arm64Board]:
    with Arm64Board(make_arm64_root(device_cache), tmp_path_factory.mktemp("arm64") / "board") as board:
        yield board


@pytest.fixture
def old_board(device_cache, tmp_path) -> Iterator[Arm64Board]:
    with Arm64Board(make_arm64_root(device_cache, BULLSEYE), tmp_path / "board") as board:
        yield board


@pytest.fixture
def client(tmp_path, monkeypatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def engine(device_cache, tmp_path):
    """engine("litert", transport): the build for that board, fetched once and kept with what boards are made of."""
    home = tmp_path / "home"
    home.mkdir()
    engines = device_cache / "engines"
    engines.mkdir(exist_ok=True)
    engines_folder(home).symlink_to(engines)
    return lambda name, transport: ensure_engine(name, read_target(transport), home=home, say=print)


def answers_here(model: Path, data: np.ndarray, folder: Path) -> np.ndarray:
    """What this computer's own engine says."""
    build = local_engine(engine_for_format(model.suffix[1:]))
    paths = [PurePosixPath(path) for path in (build.library, model, folder)]
    runner = Runner(LocalTransport(), [str(runner_binary(host_platform()))], build.name, *paths)
    (output,) = runner.infer([data], timeout_s=TIMEOUT_S)
    return output


def deployed(transport: SshTransport, engine: EngineBuild, model: Path, golden: Path | None = None) -> DeployedVariant:
    return deploy_variant(
        transport,
        DIRECTORY,
        variant_file=model,
        golden=golden,
        engine=engine,
        runner=runner_binary("linux-aarch64"),
        name=f"dense-{engine.name}",
    )


def check(transport: SshTransport, build: EngineBuild, model: Path, folder: Path) -> None:
    """Deployed with what this computer's engine says as golden inference, asked for more, and measured."""
    data = np.random.default_rng(1).random((5, 64), np.float32)
    expected = answers_here(model, data, folder)
    np.savez(folder / "golden.npz", input_0=data[:1], output_0=expected[:1])

    runner = deployed(transport, build, model, folder / "golden.npz").runner_client
    (output,) = runner.infer([data], timeout_s=TIMEOUT_S)
    result = runner.bench(BenchOptions(warmup_iterations=1, iterations=5, min_time_ms=0), TIMEOUT_S)

    assert build.platform == "linux-aarch64"
    assert result.engine_version in (build.version, None)  # LiteRT does not say
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)
    assert np.count_nonzero(result.samples["steady"]) == 5
    assert (result.samples["latency_ns"] > 0).all()


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_a_board_computes_what_this_computer_computes_and_is_measured(board, client, engine, kind, tmp_path):
    model = dense_tflite(tmp_path / "dense.tflite") if kind == "tflite" else dense_onnx(tmp_path / "dense.onnx")
    with client.reach(board) as transport:
        build = engine(engine_for_format(kind), transport)
        assert build.loader is None
        check(transport, build, model, tmp_path)


def test_a_board_runs_the_build_that_was_added(board, client, engine, tmp_path):
    model = dense_onnx(tmp_path / "dense.onnx")
    with client.reach(board) as transport:
        official, home = engine("onnxruntime", transport), tmp_path / "another home"
        (added,) = add_engine(official.library, cache=engines_folder(home), say=print)
        build = ensure_engine("onnxruntime", read_target(transport), home=home, say=print)
        check(transport, build, model, tmp_path)

    assert build.engine_id == added.engine_id
    assert (build.version, build.sha256) == (official.version, official.sha256)


def test_an_old_board_does_with_the_c_library_that_is_carried_along(old_board, client, engine, tmp_path):
    model = dense_tflite(tmp_path / "dense.tflite")
    with client.reach(old_board) as transport:
        assert engine("onnxruntime", transport).loader is None  # glibc 2.31 will do for it
        build = engine("litert", transport)
        assert build.loader is not None
        check(transport, build, model, tmp_path)


def test_int8_is_right_to_the_last_step(board, client, engine, tmp_path):
    model = dense_tflite(tmp_path / "dense.tflite", dtype="int8")
    data = np.random.default_rng(1).integers(-128, 128, (5, 64), np.int8)
    expected = answers_here(model, data, tmp_path).astype(int)

    with client.reach(board) as transport:
        runner = deployed(transport, engine("litert", transport), model).runner_client
        (output,) = runner.infer([data], timeout_s=TIMEOUT_S)

    np.testing.assert_allclose(output.astype(int), expected, rtol=0, atol=1)
