"""A home of its own for each test, and small campaigns on this computer with the real engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import run_campaign
from pocketbench.harness.devices.registry import Registry
from pocketbench.harness.store.store import Store
from tests.runner.tiny_models import dense_onnx, dense_tflite

FAST = {"iterations": 5, "min_time_s": 0.0, "warmup_iterations": 2, "warmup_time_s": 0.0}

# What a campaign does beside its rounds has tests of its own (test_protocol.py).
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
def files(tmp_path: Path) -> tuple[Path, Path]:
    """dense.tflite and dense.onnx: 64 inputs, 32 outputs, a batch of 1."""
    return dense_tflite(tmp_path / "dense.tflite"), dense_onnx(tmp_path / "dense.onnx")


@pytest.fixture
def evaluation(tmp_path: Path) -> str:
    """20 samples for the dense models with labels of 32 classes."""
    random = np.random.default_rng(0)
    path = tmp_path / "evaluation.npz"
    np.savez(path, x=random.random((20, 64), np.float32), y=random.integers(0, 32, 20))
    return str(path)


@pytest.fixture
def plan(files: tuple[Path, Path]) -> Callable[..., Plan]:
    def plan(**values: object) -> Plan:
        return Plan.model_validate(
            {"version": 1, "name": "test", "variants": files, "rounds": 2, "launch": FAST, **PLAIN, **values}
        )

    return plan


@pytest.fixture
def run(store: Store, home: Path) -> Campaign:
    """Run (or, by `campaign=resume_campaign`, resume) a plan; events go to `progress`."""

    def run(
        plan: Plan,
        campaign: Callable[..., str] = run_campaign,
        progress: Callable[[CampaignProgress], None] = lambda event: None,
    ) -> str:
        return campaign(plan, store=store, registry=Registry(home / "devices.yaml"), home=home, progress=progress)

    return run
