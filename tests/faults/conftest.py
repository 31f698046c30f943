"""A campaign of one small model on a device with faults: memory, quality and two launches, in a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from pocketbench.harness.campaign import lost, reach
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.devices.connect import open_transport
from pocketbench.harness.devices.registry import Device, Registry
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Transport
from tests.runner.tiny_models import dense_tflite

FAST = {"iterations": 5, "min_time_s": 0.0, "warmup_iterations": 2, "warmup_time_s": 0.0}
PLAIN = {"aa_copy": False, "sensors": False, "profile": False}

Campaign = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path) -> Callable[[int], Path]:
    """model(n): dense.tflite, which answers n more than the one of 0."""
    bias = np.random.default_rng(0).standard_normal(32 * 64 + 32)[-32:]

    def model(number: int) -> Path:
        path = dense_tflite(tmp_path / "dense.tflite")
        old, new = (array.astype(np.float32).tobytes() for array in (bias, bias + number))
        assert path.read_bytes().count(old) == 1
        path.write_bytes(path.read_bytes().replace(old, new))
        return path

    return model


@pytest.fixture
def evaluation(tmp_path: Path) -> str:
    """20 samples for it, with labels of 32 classes."""
    random = np.random.default_rng(0)
    path = tmp_path / "evaluation.npz"
    np.savez(path, x=random.random((20, 64), np.float32), y=random.integers(0, 32, 20))
    return str(path)


@pytest.fixture
def plan(tmp_path: Path, evaluation: str) -> Callable[..., Plan]:
    def plan(**values: object) -> Plan:
        given = {
            "version": 1,
            "name": "faults",
            "variants": [tmp_path / "dense.tflite"],
            "devices": ["board"],
            "rounds": 2,
            "launch": FAST,
            **PLAIN,
            "data": {"evaluation": evaluation},
        }
        return Plan.model_validate({**given, **values})

    return plan


@pytest.fixture
def directory(tmp_path: Path) -> PurePosixPath:
    """Of the device `board`."""
    return PurePosixPath(tmp_path / "on the board")


@pytest.fixture
def registry(home: Path, directory: PurePosixPath) -> Registry:
    registry = Registry(home / "devices.yaml")
    registry.add(Device("board", "ssh://board", "generic-linux", directory))
    return registry


@pytest.fixture
def board(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Callable[[Transport], None]:
    """board(transport): the device `board` is at the end of `transport`; nobody waits long for it."""
    monkeypatch.setattr(lost, "_ASK_EVERY_S", 0.0)
    monkeypatch.setattr(lost, "_RETURN_WITHIN_S", 0.0)

    def board(transport: Transport) -> None:
        monkeypatch.setattr(
            reach,
            "open_transport",
            lambda device, **options: transport if device.name == "board" else open_transport(device, **options),
        )

    return board


@pytest.fixture
def run(store: Store, home: Path, registry: Registry) -> Campaign:
    """Run (or, by `resume_campaign`, resume) a plan."""

    def run(plan: Plan, campaign: Callable[..., str] = run_campaign) -> str:
        return campaign(plan, store=store, registry=registry, home=home, progress=lambda event: None)

    return run
