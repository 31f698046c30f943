"""Random input: the same bytes for the same seed everywhere, in the dtype and range that src/random_input.h says."""

from __future__ import annotations

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from pocketbench.harness.runner.results import BenchOptions
from tests.runner.conftest import TIMEOUT_S

ONCE = BenchOptions(warmup_iterations=0, iterations=1, min_time_ms=0)
COUNT = 1000
# ONNX's numbers, see the enum ONNXTensorElementDataType.
CODES = dict(float32=1, uint8=2, int8=3, uint16=4, int16=5, int32=6, int64=7, bool=9)  # noqa: C408 shorter so
CODES |= dict(float16=10, float64=11, uint32=12, uint64=13, bfloat16=16)  # noqa: C408


def splitmix64(seed: int, index: int, count: int) -> np.ndarray:
    """The generator written a second time, in numpy."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed ^ (index << 32))
        z = state + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def expected(dtype: str, seed: int, index: int) -> np.ndarray:
    z = splitmix64(seed, index, COUNT)
    top = {bits: z >> np.uint64(64 - bits) for bits in (1, 8, 10, 16, 24, 53)}
    if dtype == "float32":
        return (top[24] * 2.0**-24).astype(np.float32)
    if dtype == "float64":
        return top[53] * 2.0**-53
    if dtype == "float16":
        return (top[10] / 1024).astype(np.float16)
    if dtype == "bfloat16":  # cut off, not rounded: 1.0 stays out of reach
        bits = (top[24] * 2.0**-24).astype(np.float32).view(np.uint32) >> np.uint32(16)
        return bits.astype(np.uint16).view(ml_dtypes.bfloat16)
    if dtype in ("int8", "uint8"):
        return top[8].astype(np.uint8).view(dtype)
    if dtype in ("int16", "uint16"):
        return top[16].astype(np.uint16).view(dtype)
    return top[1].astype(dtype)


def inputs(fake_runner, tmp_path, dtype: str, seed: int) -> list[np.ndarray]:
    """Two inputs of this dtype as the engine got them in the first of two runs."""
    orders = "".join(f"input {name} {CODES[dtype]} 1 {COUNT}\n" for name in "ab") + "output y 1 1 1\n"
    for path in tmp_path.glob("model*"):
        path.unlink()
    fake_runner(orders).bench(replace(ONCE, seed=seed), TIMEOUT_S)
    numpy_dtype = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    found = [np.frombuffer((tmp_path / f"model.input{i}").read_bytes(), numpy_dtype) for i in range(2)]
    for array in found:
        np.testing.assert_array_equal(array[:COUNT].view(np.uint8), array[COUNT:].view(np.uint8))
    return [array[:COUNT] for array in found]


@pytest.mark.parametrize("dtype", CODES)
def test_the_bytes_are_those_of_the_documented_generator(fake_runner, tmp_path, dtype):
    for index, array in enumerate(inputs(fake_runner, tmp_path, dtype, seed=5)):
        np.testing.assert_array_equal(array.view(np.uint8), expected(dtype, 5, index).view(np.uint8))


@pytest.mark.parametrize(
    ("dtypes", "low", "high", "kinds"),
    [
        pytest.param(("float16", "bfloat16", "float32", "float64"), 0, 0.9999999, 100, id="floats-as-images"),
        pytest.param(("int8",), -128, 127, 200, id="int8-whole-range"),
        pytest.param(("uint8",), 0, 255, 200, id="uint8-whole-range"),
        pytest.param(("int16",), -32768, 32767, 900, id="int16-whole-range"),
        pytest.param(("uint16",), 0, 65535, 900, id="uint16-whole-range"),
        pytest.param(("int32", "int64", "uint32", "uint64", "bool"), 0, 1, 2, id="indices"),
    ],
)
def test_values_are_in_the_range_that_suits_the_dtype(dtypes, low, high, kinds):
    for dtype in dtypes:
        array = expected(dtype, 0, 0).astype(np.float64)
        assert low <= array.min() < low + (high - low) * 0.1 + 0.5
        assert high - (high - low) * 0.1 - 0.5 < array.max() <= high
        assert len(np.unique(array)) >= kinds


def test_seed_and_input_change_the_bytes(fake_runner, tmp_path):
    a, b = inputs(fake_runner, tmp_path, "int8", seed=1)
    (c, _), (again, _) = inputs(fake_runner, tmp_path, "int8", seed=2), inputs(fake_runner, tmp_path, "int8", seed=1)

    assert (a != b).any()
    assert (a != c).any()
    np.testing.assert_array_equal(a, again)
