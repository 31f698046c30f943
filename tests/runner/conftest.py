"""The runner of this computer with real and with fake engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.engines.catalogue import EngineName, engine_for_format, host_platform, local_engine
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.client import Runner
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.runner.fakes import LIBRARIES, build_fake

# One float32 input of 2 x 3, given back as the output.
ECHO = "input x 1 2 2 3\noutput y 1 2 2 3\n"
TIMEOUT_S = 60.0


@pytest.fixture(scope="session")
def program() -> Path:
    return runner_binary(host_platform())


@pytest.fixture(scope="session")
def fakes(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("fakes")
    return {engine: build_fake(engine, host_platform(), folder) for engine in LIBRARIES}


@pytest.fixture
def launch(program: Path) -> Callable[..., Completed]:
    """Start the runner with these arguments."""

    def launch(*arguments: object, timeout_s: float = TIMEOUT_S) -> Completed:
        with LocalTransport() as transport:
            return transport.run([str(program), *map(str, arguments)], timeout_s=timeout_s)

    return launch


@pytest.fixture
def runner_of(program: Path, tmp_path: Path) -> Callable[[Path], Runner]:
    """A runner for a model, with the real engine of its format."""

    def runner_of(model: Path) -> Runner:
        engine = local_engine(engine_for_format(model.suffix.removeprefix(".")))
        paths = [PurePosixPath(path) for path in (program, engine.library, model, tmp_path)]
        return Runner(LocalTransport(), [str(paths[0])], engine.name, *paths[1:])

    return runner_of


@pytest.fixture
def fake_runner(program: Path, fakes: dict[str, Path], tmp_path: Path) -> Callable[..., Runner]:
    """A runner with the fake ONNX Runtime, which obeys `orders`, or the fake LiteRT, which goes by the model's name."""

    def fake_runner(orders: str = ECHO, *, engine: EngineName = "onnxruntime", name: str = "model") -> Runner:
        model = tmp_path / name
        model.write_text(orders)
        paths = [PurePosixPath(path) for path in (program, fakes[engine], model, tmp_path)]
        return Runner(LocalTransport(), [str(paths[0])], engine, *paths[1:])

    return fake_runner
