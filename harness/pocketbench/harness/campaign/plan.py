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
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict, load_yaml
from pocketbench.compression.data import DataSpec
from pocketbench.compression.python_object import PREFIX
from pocketbench.compression.recipes import RECIPES
from pocketbench.harness.campaign.asked_opinion import OpinionSpec
from pocketbench.harness.campaign.launch_spec import LaunchSpec, LaunchTimes
from pocketbench.harness.campaign.scenario import SINGLE_STREAM, Scenario
from pocketbench.harness.measure.planning import HALF_WIDTH
from pocketbench.harness.measure.regimes import REGIMES
from pocketbench.harness.preparation.wanted import parse_wanted

__all__ = ["QUICK_ROUNDS", "Accelerator", "LaunchSpec", "LaunchTimes", "Plan", "load_plan", "plan_for_variants"]

_MOST_JOBS_A_LIST = 64
Count = Annotated[int, Field(ge=1, le=1024)]
Accelerator = Literal["cpu", "gpu", "npu", "xnnpack", "nnapi", "qnn"]
Core = Annotated[int, Field(ge=0, le=4095)]


# Of a bench that a first look is enough for; its launches are marked as short.
QUICK_ROUNDS = 3
_QUICK = {"warmup_time_s": 0.2, "min_time_s": 1.0}


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
    scenario: Scenario = Field(
        default=Scenario(), description="How inferences come: one after the other, paced, in streams, for minutes."
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
    prepare: tuple[str, ...] = Field(
        default=(), description="What devices are set to while measured: docs/preparation.md; put back afterwards."
    )
    drop_page_cache: bool = Field(
        default=False, description="Drop the device's page cache before each launch, where that is permitted."
    )
    sensors: bool = Field(default=True, description="Read the device's sensors during launches.")
    energy: bool = Field(
        default=False, description="Measure what the device takes idle too, half a minute before and after each round."
    )
    profile: bool = Field(default=True, description="One more launch of each variant for the times of its operators.")
    opinions: tuple[OpinionSpec, ...] = Field(
        default=(), description="Benchmark programs of yours, launched in the same rounds: docs/second-opinion.md."
    )
    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="Of the order of launches, of training and of random inputs."
    )
    launch: LaunchSpec = Field(default=LaunchSpec(), description="How one launch measures.")
    time_limit_s: float = Field(default=900.0, gt=0, description="What one conversion or training may take.")

    @field_validator("prepare")
    @classmethod
    def _known_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        try:
            parse_wanted(words)
        except InputError as error:
            raise ValueError(str(error).removesuffix(".")) from error
        return words

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
        self._check_minutes()
        self.times.check()
        if self.opinions and self.scenario.text != SINGLE_STREAM:
            raise ValueError(f"expected 'scenario: single-stream' with 'opinions', got {self.scenario.text}")
        names = [spec.program.name for spec in self.opinions]
        if len(set(names)) != len(names):
            raise ValueError(f"expected 'opinions' by programs of different names, got {names}")
        if self.energy and not self.sensors:
            raise ValueError("expected 'sensors' with 'energy', got them turned off")
        if not self.name.isprintable():
            raise ValueError(f"expected a name without control characters, got {self.name!r}")
        return self

    def _check_minutes(self) -> None:
        if self.scenario.minutes is None:
            return
        if self.regime != "sustained":
            raise ValueError(f"expected 'regime: sustained' with minutes of load, got {self.regime!r}")
        if self.launch.min_time_s is not None:
            raise ValueError("expected either 'minutes' of the scenario or 'min_time_s' of a launch, got both")

    @property
    def times(self) -> LaunchTimes:
        """Of one launch."""
        times = self.launch.within(REGIMES[self.regime])
        if self.scenario.minutes is None:
            return times
        min_time_s = max(60.0 * self.scenario.minutes - times.warmup_time_s, 0.0)
        return replace(
            times, min_time_s=min_time_s, max_time_s=self.launch.max_time_s or max(times.max_time_s, min_time_s)
        )

    def prepared_with(self, words: Sequence[str]) -> Plan:
        """This plan with other words for `prepare`; InputError for one that means nothing."""
        parse_wanted(words)
        return self.model_copy(update={"prepare": tuple(words)})

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
    # The plan's own checks say what came.
    return f"{where}{message}." if item["type"] == "value_error" else f"{where}{message}, got {item['input']!r}."


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
            "opinions": tuple(spec.absolute(resolve) for spec in plan.opinions),
            "data": data.model_copy(
                update={role: source(getattr(data, role)) for role in ("train", "calibration", "evaluation")}
            ),
        }
    )


def _is_file_name(text: str) -> bool:
    """As `load_recipe` tells a file from a name that is misspelt."""
    return text.endswith((".yaml", ".yml")) or "/" in text
