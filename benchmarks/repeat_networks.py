"""Two networks of which one is a little slower: conv-medium of benchmarks/networks.py, and it with a layer more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

__all__ = ["write_medium", "write_pair"]

ROOT = Path(__file__).parents[1]
SEED = 0
_NAME = "conv-medium"
# One more 3x3 convolution with stride 2, of the 256 channels that there are: a sixth more multiplications.
_CHANNELS = 256
_TIMEOUT_S = 300.0


def write_medium(folder: Path) -> Path:
    """Write conv-medium.onnx, a few ms on a desktop core."""
    completed = subprocess.run(
        [sys.executable, "-m", "benchmarks.networks", str(folder), _NAME],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    if completed.returncode != 0:
        raise SystemExit(f"benchmarks.networks failed:\n{completed.stderr}")
    return folder / f"{_NAME}.onnx"


def write_pair(folder: Path) -> tuple[Path, Path]:
    """The network, and the slower one."""
    import onnx
    from onnx import helper, numpy_helper

    medium = write_medium(folder)
    model = onnx.load(medium)
    pool = model.graph.node.pop()
    weights = np.random.default_rng(SEED).normal(0, 0.02, (_CHANNELS, _CHANNELS, 3, 3)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "w_more"))
    model.graph.node.extend(
        [
            helper.make_node("Conv", [pool.input[0], "w_more"], ["c_more"], pads=[1] * 4, strides=[2, 2]),
            helper.make_node("Relu", ["c_more"], ["r_more"]),
            helper.make_node(pool.op_type, ["r_more"], list(pool.output)),
        ]
    )
    onnx.checker.check_model(model)
    slower = folder / "conv-more.onnx"
    onnx.save(model, slower)
    return medium, slower
