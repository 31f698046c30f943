"""Does the device compute what the host's engine computed? One input, its outputs, and a tolerance.

`golden.npz` holds `input_0`, `input_1`, … and `output_0`, … as one call of the model takes and gives them.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import DeploymentError

__all__ = ["Golden", "check_outputs", "read_golden"]


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Arrays of one call of the model."""

    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]


def read_golden(path: Path) -> Golden:
    """Read `path`; InputError where it is missing or damaged. Nothing in it is executed."""
    try:
        # The stream is ours to close: np.load of a path leaves it open where the archive is damaged.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"expected the golden inference {path}, got: {error}. Compress the model again.") from error
    golden = Golden(_numbered(arrays, "input"), _numbered(arrays, "output"))
    if not golden.inputs or not golden.outputs or len(arrays) != len(golden.inputs) + len(golden.outputs):
        raise InputError(
            f"expected input_0, … and output_0, … in {path}, got {sorted(arrays)}: compress the model again."
        )
    return golden


def check_outputs(
    got: list[np.ndarray],
    expected: tuple[np.ndarray, ...],
    names: tuple[str, ...],
    *,
    rtol: float,
    atol: float,
    who: str,
) -> None:
    """Raise DeploymentError naming the largest difference unless each |got - expected| <= atol + rtol * |expected|."""
    if len(got) != len(expected):
        raise DeploymentError(f"{who}: expected {len(expected)} outputs, got {len(got)}: compress the model again.")
    for index, (actual, wanted) in enumerate(zip(got, expected, strict=True)):
        name = names[index] if index < len(names) else str(index)
        if actual.size != wanted.size or actual.dtype != wanted.dtype:
            raise DeploymentError(
                f"{who}: expected the output {name!r} as {wanted.dtype} of shape {wanted.shape}, "
                f"got {actual.dtype} of shape {actual.shape}: compress the model again."
            )
        _check_values(actual.reshape(wanted.shape), wanted, name, rtol, atol, who)


def _check_values(got: np.ndarray, wanted: np.ndarray, name: str, rtol: float, atol: float, who: str) -> None:
    a, b = np.atleast_1d(got).astype(np.float64), np.atleast_1d(wanted).astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinite minus infinite is NaN, and NaN is within no tolerance
        excess = np.abs(a - b) - (atol + rtol * np.abs(b))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    wrong = ~(same | (np.isfinite(b) & (excess <= 0)))
    if not wrong.any():
        return
    worst = np.unravel_index(int(np.argmax(np.where(wrong, np.nan_to_num(excess, nan=np.inf), -np.inf))), a.shape)
    where = [int(i) for i in worst]
    raise DeploymentError(
        f"{who}: expected the output {name!r} within {atol:g} + {rtol:g} x |value| of the golden inference, got "
        f"{a[worst]:g} instead of {b[worst]:g} at {where} (the largest difference; {int(wrong.sum())} of {a.size} "
        "values are outside): it was not switched to. The engine computes differently on this device: try another "
        "engine build, or compress the model again if the file is not the one that was compressed."
    )


def _numbered(arrays: dict[str, np.ndarray], kind: str) -> tuple[np.ndarray, ...]:
    found: list[np.ndarray] = []
    while (array := arrays.get(f"{kind}_{len(found)}")) is not None:
        found.append(array)
    return tuple(found)
