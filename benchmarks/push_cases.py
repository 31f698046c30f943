"""The files of benchmarks/push.py: one large one, many small ones, and what a deployment has in it.

Random bytes keep compression out. The third case is what pocketbench is for: a real engine library, our runner and a
model, whose weights are random numbers of a normal distribution, which compress as trained ones do.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np

from pocketbench.harness.engines.catalogue import host_platform, local_engine
from pocketbench.harness.runner.binaries import runner_binary

__all__ = ["SEED", "large_case", "make_cases"]

SEED = 0
LARGE_BYTES = 100_000_000
# For slow links, on which more of the same would only take longer.
MEDIUM_BYTES = 30_000_000
SMALL_FILES = 500
SMALL_BYTES = 2_000, 20_000
MODEL_WEIGHTS = 1_000_000


def large_case(bytes_per_s: float | None) -> int:
    """Bytes of the one large file on a link of that rate."""
    return LARGE_BYTES if bytes_per_s is None or bytes_per_s >= LARGE_BYTES else MEDIUM_BYTES


def make_cases(folder: Path, large_bytes: int) -> dict[str, Path]:
    """A folder of files for each case; made once for each size."""
    large = folder / f"random-{large_bytes}"
    if not large.exists():
        large.mkdir()
        (large / "model").write_bytes(random.Random(SEED).randbytes(large_bytes))
    return {
        f"{large_bytes / 1e6:g} MB": large,
        f"{SMALL_FILES} files": _small_files(folder / "small"),
        "engine, runner, model": _variant(folder / "variant"),
    }


def _small_files(folder: Path) -> Path:
    if not folder.exists():
        folder.mkdir()
        rng = random.Random(SEED)
        for number in range(SMALL_FILES):
            (folder / f"file-{number}").write_bytes(rng.randbytes(rng.randint(*SMALL_BYTES)))
    return folder


def _variant(folder: Path) -> Path:
    if not folder.exists():
        folder.mkdir()
        for source in (local_engine("onnxruntime").library, runner_binary(host_platform())):
            shutil.copyfile(source, folder / source.name)
        weights = np.random.default_rng(SEED).normal(0, 0.05, MODEL_WEIGHTS).astype(np.float32)
        (folder / "model.onnx").write_bytes(weights.tobytes())
    return folder
