"""A plan: which variants, where, how often. docs/plan.md has every key.

    version: 1
    name: my-model
    model: model.keras
    recipes: [float32, int8, ./my-recipe.yaml]
    data: {train: train.npz, evaluation: test.npz, metric: top-1}
    devices: [local]
    threads: [1, 2]

Relative paths are relative to the plan's folder. A plan is kept with absolute paths, so that it means the same from
everywhere; `to_yaml` is what a resumed campaign is recognised by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict, load_yaml
from pocketbench.compression.data import DataSpec
from pocketbench.compression.python_object import PREFIX
from pocketbench.compression.recipes import RECIPES
from pocketbench.harness.measure.planning import HALF_WIDTH
from pocketbench.harness.measure.regimes import REGIMES, Regime

__all__ = ["QUICK_ROUNDS", "Accelerator", "LaunchSpec", "LaunchTimes", "Plan", "load_plan", "plan_for_variants"]

_MOST_JOBS_A_LIST = 64
Count = Annotated[int, Field(ge=1, le=1024)]
Accelerator = Literal["cpu", "gpu", "npu", "xnnpack", "nnapi", "qnn"]
Core = Annotated[int, Field(ge=0, le=4095)]


# Of a bench that a first look is enough for; its launches are marked as short.
QUICK_ROUNDS = 3
_QUICK = {"warmup_time_s": 0.2, "min_time_s": 1.0}


class LaunchSpec(Strict):
    """How one launch measures. Warm-up and measurement each go on until both their bounds are met."""

    iterations: int = Field(default=100, ge=1, le=1_000_000, description="Steady iterations at least.")
    min_time_s: float | None = Field(
        default=None, ge=0, le=3600, description="Time of the steady iterations at least; default: the regime's."
    )
    max_time_s: float | None = Field(
        default=None,
        gt=0,
        le=3600,
        description="Warm-up and measurement take no longer than this each, whatever else; default: the regime's.",
    )
    warmup_iterations: int = Field(default=10, ge=0, le=1_000_000, description="Warm-up iterations at least.")
    warmup_time_s: float | None = Field(
        default=None, ge=0, le=3600, description="Time of the warm-up at least; default: the regime's."
    )
    interval_us: int = Field(
        default=0, ge=0, le=60_000_000, description="An inference begins every so often, as in an app; 0: at once."
    )

    def within(self, regime: Regime) -> LaunchTimes:
        """The times in s, those not given by the regime."""
        least_s = _given(self.min_time_s, regime.least_s)
        warmup_s = _given(self.warmup_time_s, regime.least_warmup_s)
        # A slow model needs its iterations: what limits them is not what the others stop at.
        most_s = _given(self.max_time_s, max(regime.most_s or regime.most_warmup_s, least_s, warmup_s))
        return LaunchTimes(warmup_s, least_s, most_s)


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


@dataclass(frozen=True, slots=True)
class LaunchTimes:
    """Of one launch, in s: warm-up and steady part at least, and each of them at most."""

    warmup_time_s: float
    min_time_s: float
    max_time_s: float

    def check(self) -> None:
        """Raise ValueError where they contradict each other."""
        if self.max_time_s < max(self.min_time_s, self.warmup_time_s):
            raise ValueError(
                f"expected max_time_s to be at least min_time_s and warmup_time_s, got {self.max_time_s:g}, "
                f"{self.min_time_s:g} and {self.warmup_time_s:g}"
            )


class Plan(Strict):
    """`model` with `recipes`, or `variants` that exist already."""

    version: Literal[1]
    name: str = Field(min_length=1, max_length=100, description="What the campaign is called in reports and listings.")
    model: Path | None = Field(default=None, description="A Keras 3 model (.keras, .h5) or an ONNX file (.onnx).")
    variants: tuple[Path, ...] = Field(
        default=(), description="Instead of `model`: variant folders, .tflite and .onnx files."
    )
    recipes: tuple[str, ...] = Field(
        default=(), description="Recipe names and YAML files; default: all that pocketbench has."
    )
    formats: tuple[str, ...] = Field(
        default=(), description="tflite, onnx; default: both for a Keras model, onnx for an ONNX file."
    )
    data: DataSpec = Field(default=DataSpec(), description="Data to train, calibrate and judge with: docs/data.md.")
    devices: tuple[str, ...] = Field(
        default=("local",), min_length=1, description="Registered devices; `local` is here."
    )
    threads: tuple[Count, ...] = Field(
        default=(1,), min_length=1, max_length=_MOST_JOBS_A_LIST, description="Engine threads."
    )
    cores: tuple[Core, ...] | None = Field(
        default=None, min_length=1, description="CPU cores that launches are pinned to."
    )
    reference: str | None = Field(
        default=None,
        description="Variant that the others are compared to; default: the first float32 one, else the first.",
    )
    accelerators: tuple[Accelerator, ...] = Field(
        default=("cpu",),
        min_length=1,
        description="cpu; LiteRT: gpu, npu; ONNX Runtime: xnnpack, nnapi, qnn. Each is a job of its own.",
    )
    require_accelerator: bool = Field(
        default=False, description="A launch of which any part runs on the CPU after all fails."
    )
    regime: Literal["burst", "sustained"] = Field(
        default="burst", description="burst: from the start line, before the device is hot; sustained: after."
    )
    rounds: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Launches of each job, each round in a random order; default: until `precision` is reached.",
    )
    precision: float = Field(
        default=HALF_WIDTH,
        gt=0,
        le=0.5,
        description="Half-width of the interval of each ratio to the reference, 0.01 is ±1 %; 30 rounds at most.",
    )
    budget_s: float | None = Field(
        default=None, gt=0, description="Time for the rounds; what could not be reached in it is said."
    )
    aa_copy: bool = Field(
        default=True, description="Launch the reference twice a round: what it differs from itself by is noise."
    )
    sensors: bool = Field(default=True, description="Read the device's sensors during launches.")
    energy: bool = Field(
        default=False, description="Measure what the device takes idle too, half a minute before and after each round."
    )
    profile: bool = Field(default=True, description="One more launch of each variant for the times of its operators.")
    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="Of the order of launches, of training and of random inputs."
    )
    launch: LaunchSpec = Field(default=LaunchSpec(), description="How one launch measures.")
    time_limit_s: float = Field(default=900.0, gt=0, description="What one conversion or training may take.")

    @model_validator(mode="after")
    def _either_model_or_variants(self) -> Self:
        if (self.model is None) == (not self.variants):
            raise ValueError("expected either 'model' or 'variants', got " + ("both" if self.model else "neither"))
        if self.variants and (self.recipes or self.formats):
            raise ValueError("expected no 'recipes' and no 'formats' beside 'variants', which are made already")
        for key in ("devices", "threads", "cores", "variants", "accelerators"):
            values = getattr(self, key) or ()
            if len(set(values)) != len(values):
                raise ValueError(f"expected each of {key!r} once, got {list(map(str, values))}")
        self.times.check()
        if self.energy and not self.sensors:
            raise ValueError("expected 'sensors' with 'energy', got them turned off")
        if not self.name.isprintable():
            raise ValueError(f"expected a name without control characters, got {self.name!r}")
        return self

    @property
    def times(self) -> LaunchTimes:
        """Of one launch."""
        return self.launch.within(REGIMES[self.regime])

    def to_yaml(self) -> str:
        """The whole plan, defaults filled in."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_plan(path: Path) -> Plan:
    """Read a plan, make its paths absolute; InputError names file, line and key of what is wrong."""
    plan = load_yaml(path, Plan)
    folder = path.absolute().parent
    return _absolute(plan, lambda text: str((folder / text).resolve()))


def plan_for_variants(
    variants: Sequence[Path],
    *,
    devices: Sequence[str],
    threads: Sequence[int],
    cores: Sequence[int] | None,
    seed: int,
    data: DataSpec | None,
    quick: bool = False,
    **measurement: Any,
) -> Plan:
    """The plan of `pocketbench bench`: files that exist already, paths relative to the current folder.

    `measurement` has other keys of a plan, None for those that were not given. `quick` is for a first look.
    """
    given = {key: value for key, value in measurement.items() if value is not None}
    if quick:
        given = {"rounds": QUICK_ROUNDS, "launch": _QUICK} | given
    values: dict[str, Any] = {
        "version": 1,
        "name": ", ".join(dict.fromkeys(path.resolve().stem for path in variants))[:100],
        "variants": tuple(variants),
        "devices": tuple(devices),
        "threads": tuple(threads),
        "cores": None if cores is None else tuple(cores),
        "seed": seed,
        "data": data or DataSpec(),
        **given,
    }
    try:
        plan = Plan(**values)
    except ValueError as error:  # pydantic's ValidationError is one
        raise InputError(_first_problem(error)) from error
    return _absolute(plan, lambda text: str(Path(text).resolve()))


def _first_problem(error: Any) -> str:
    item = error.errors()[0]
    message = str(item["msg"]).removeprefix("Value error, ").replace("Input should be", "expected", 1)
    where = "--" + str(item["loc"][0]) + ": " if item["loc"] else ""
    return f"{where}{message}." if not item["loc"] else f"{where}{message}, got {item['input']!r}."


def _absolute(plan: Plan, resolve: Callable[[str], str]) -> Plan:
    """Each path by `resolve`; names of recipes and `python:` functions stay as they are."""

    def source(text: str | None) -> str | None:
        return text if text is None or text.startswith(PREFIX) else resolve(text)

    data = plan.data
    return plan.model_copy(
        update={
            "model": None if plan.model is None else Path(resolve(str(plan.model))),
            "variants": tuple(Path(resolve(str(path))) for path in plan.variants),
            "recipes": tuple(
                name if name in RECIPES or not _is_file_name(name) else resolve(name) for name in plan.recipes
            ),
            "data": data.model_copy(
                update={role: source(getattr(data, role)) for role in ("train", "calibration", "evaluation")}
            ),
        }
    )


def _is_file_name(text: str) -> bool:
    """As `load_recipe` tells a file from a name that is misspelt."""
    return text.endswith((".yaml", ".yml")) or "/" in text
