"""`low-rank`: put two or three small layers in the place of a large one. Fewer weights do not mean faster.

Every layer more is a kernel to start and a tensor to write and read, so the time saved is less than the arithmetic
saved, and a small network can become slower: measure on the device. Where it is speed that counts, `prune-channels`
saves the same arithmetic without more layers.

1. Dense layers and 1x1 convolutions become two by truncated SVD. Other convolutions (Conv1D, Conv2D, strides and
   dilation included) become 1x1, k x k, 1x1 by Tucker-2, or h x 1 and 1 x w by spatial SVD (`method`).
2. Ranks follow from a budget for each layer (`ratio`) or from what each kernel keeps (`energy`), as multiples of
   `round_to`. A layer is replaced only where its kernels then have fewer weights and fewer multiply-accumulates.
   A last layer of few classes suffers most, as its rank bounds what it can tell apart: `exclude` it.
3. Left alone, with the reason in the report: grouped, depthwise, separable and transposed convolutions, recurrent and
   attention layers, own classes, kernels with a constraint. A kernel that an earlier step pruned is refused.
4. Two proofs on this model: factors of full rank compute what the model computes, and the factors of the chosen rank
   what the model computes with each kernel replaced by their product.
5. The statistics of batch norm are measured anew on training inputs. Put `finetune` after this step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from pocketbench.checked.yaml import Strict
from pocketbench.compression.batch_norm import restate_batch_norm
from pocketbench.compression.factorize import compose, singular_values, tucker_2
from pocketbench.compression.keras_costs import count_macs, count_nonzero, count_parameters
from pocketbench.compression.keras_graph import flat_model
from pocketbench.compression.keras_kernels import Kernel, find_kernels
from pocketbench.compression.keras_replace import Chain, replace_kernels, replace_layers
from pocketbench.compression.manifest import StepReport
from pocketbench.compression.proof import TOLERANCE, prove_equal, sample_inputs
from pocketbench.compression.ranks import Cut, Method, choose_cut, cost_of_kernel
from pocketbench.compression.seeds import seed_everything
from pocketbench.compression.steps.base import StepError, refuse_unknown_patterns
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData

__all__ = ["NAME", "Options", "apply"]

NAME = "low-rank"
DEFAULT_RATIO = 0.5
_SHOWN_REASONS = 5  # of layers in an error


class Options(Strict):
    """How far layers are cut, by one of `ratio` and `energy` (neither: a ratio of 0.5), and which stay whole."""

    ratio: float | None = Field(default=None, gt=0, lt=1)
    """Share of each layer's weights, and of its multiply-accumulates, that its factors may have."""
    energy: float | None = Field(default=None, gt=0, lt=1)
    """Share of each kernel's squared weights (of its squared singular values) that its factors keep."""
    method: Literal["tucker-2", "spatial-svd"] = "tucker-2"
    """For convolutions larger than 1x1; all else is cut by SVD."""
    round_to: int = Field(default=8, ge=1)
    """Ranks are multiples of this: engines work on 4, 8 or 16 channels at once, and pad what does not fit."""
    exclude: tuple[str, ...] = ()
    """Names of layers that stay whole, `*` and `?` allowed."""

    @model_validator(mode="before")
    @classmethod
    def _one_rule(cls, value: Any) -> Any:
        """Fill in the default where neither rule is named; refuse two rules, and a rule without a number."""
        if not isinstance(value, dict):
            return value
        rules = {name: value[name] for name in ("ratio", "energy") if name in value}
        if not rules:
            return {**value, "ratio": DEFAULT_RATIO}
        given = [name for name, number in rules.items() if number is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected either `ratio` (what a layer may cost) or `energy` (what it must keep), got {rules}: "
                f"give one of them, or none for a ratio of {DEFAULT_RATIO}"
            )
        return value

    @property
    def rule(self) -> Literal["energy", "ratio"]:
        """Which of the two is given."""
        return "energy" if self.energy is not None else "ratio"

    @property
    def amount(self) -> float:
        """Its number."""
        return self.energy if self.energy is not None else self.ratio or DEFAULT_RATIO


@dataclass(frozen=True, slots=True)
class _Factorized:
    """One layer cut: `full` has the same layers as `chain` at full rank."""

    kernel: Kernel
    cut: Cut
    chain: Chain
    full: Chain


def apply(
    state: KerasState, options: Options, data: TrainingData, context: StepContext
) -> tuple[KerasState, StepReport]:
    """Return the factorized model; raise StepError where no layer gets smaller or a kernel to cut was pruned."""
    seed_everything(context.seed)
    model = flat_model(state.model)
    refuse_unknown_patterns(options.exclude, [layer.name for layer in model.layers])
    kernels, left_alone = find_kernels(model, options.exclude)
    layers: dict[str, _Factorized] = {}
    for done, (name, kernel) in enumerate(kernels.items()):
        context.progress(f"factorizing {name}", 0.4 * done / len(kernels))
        result = _factorize(kernel, options)
        if isinstance(result, str):
            left_alone[name] = result
        else:
            layers[name] = result
    if not layers:
        raise StepError(_nothing_to_replace(options, kernels, left_alone))
    _refuse_pruned(state.masks, layers)
    context.progress("proving that the factors compute what the layers did", 0.5)
    chains = {name: layer.chain for name, layer in layers.items()}
    smaller, names = replace_layers(model, chains)
    full, _ = replace_layers(model, {name: layer.full for name, layer in layers.items()})
    samples = sample_inputs(model, data.inputs, context.seed)
    proofs = {
        "full_rank_equals_original": prove_equal(
            model, full, samples, "the factors at full rank to equal the layers they came from"
        ),
        "factors_equal_their_product": prove_equal(
            replace_kernels(model, chains), smaller, samples, "the factors to equal layers with their product as kernel"
        ),
    }
    context.progress("measuring batch norm anew", 0.8)
    restated = restate_batch_norm(smaller, data.inputs, context.seed)
    before, after = count_parameters(model), count_parameters(smaller)
    report = StepReport(
        step=NAME,
        options=options.model_dump(mode="json"),
        changed=True,
        summary=f"{len(layers)} of {len(layers) + len(left_alone)} layers are factorized: {before:,} parameters became "
        f"{after:,}.",
        parameters_before=before,
        parameters_after=after,
        nonzero_parameters_after=count_nonzero(smaller),
        details={
            "macs_before": count_macs(model),
            "macs_after": count_macs(smaller),
            "layers": {name: _figures(layer, names[name]) for name, layer in layers.items()},
            "left_alone": left_alone,
            **proofs,
            "tolerance": TOLERANCE,
            "batch_norm_samples": restated,
        },
    )
    return KerasState(smaller, state.masks), report


def _factorize(kernel: Kernel, options: Options) -> _Factorized | str:
    """Return the layer cut as `options` say, or why it stays whole."""
    method: Method = "svd" if kernel.pointwise else options.method
    parts = tucker_2(kernel.array) if method == "tucker-2" else singular_values(kernel.array)
    kept = parts.energy
    cut = choose_cut(
        kernel.array.shape,
        method,
        kept,
        kernel.positions,
        rule=options.rule,
        amount=options.amount,
        round_to=options.round_to,
    )
    if isinstance(cut, str):
        return cut
    whole = tuple(None if rank is None else size for rank, size in zip(cut.ranks, kept.shape, strict=True))
    # The layer with the extent along an axis strides along it; of two pointwise layers the first, which saves most.
    core = 1 if method == "tucker-2" and cut.ranks[0] is not None else 0
    space = kernel.array.ndim - 2
    owners = (0, 1)[:space] if method == "spatial-svd" else (core,) * space

    def chain(ranks: tuple[int | None, ...]) -> Chain:
        return Chain(tuple(factor.astype(kernel.array.dtype) for factor in parts.factors(ranks)), owners)

    return _Factorized(kernel, cut, chain(cut.ranks), chain(whole))


def _figures(layer: _Factorized, names: list[str]) -> dict[str, Any]:
    """The report of one layer. A side that stays whole has the rank of its channels."""
    kernel = layer.kernel.array
    before, after = cost_of_kernel(kernel.shape, layer.kernel.positions), layer.cut.cost
    error = float(np.linalg.norm(compose(layer.chain.kernels) - kernel) / np.linalg.norm(kernel.astype(np.float64)))
    sides = kernel.shape[-2:]
    return {
        "method": layer.cut.method,
        "layers": names,
        "kernel": list(kernel.shape),
        "kernels": [list(factor.shape) for factor in layer.chain.kernels],
        "rank": [sides[place] if rank is None else rank for place, rank in enumerate(layer.cut.ranks)],
        "parameters": [before.parameters, after.parameters],
        "macs": None if before.macs is None else [before.macs, after.macs],
        "energy_kept": 1 - error**2,
        "relative_error": error,
    }


def _refuse_pruned(masks: Mapping[str, np.ndarray], layers: Mapping[str, _Factorized]) -> None:
    pruned = [name for name, layer in layers.items() if layer.kernel.path in masks]
    if pruned:
        raise StepError(
            f"expected whole kernels to factorize, got {', '.join(pruned)}, which an earlier step pruned: their "
            "factors would not keep the zeros. Put low-rank before prune-weights, or exclude these layers."
        )


def _nothing_to_replace(options: Options, kernels: Mapping[str, Kernel], left_alone: Mapping[str, str]) -> str:
    """The reasons of the largest kernels first: those are what the user hoped to cut."""
    order = sorted(left_alone, key=lambda name: -kernels[name].array.size if name in kernels else 0)
    shown = [f"{name}: {left_alone[name]}" for name in order[:_SHOWN_REASONS]]
    more = len(order) - len(shown)
    reasons = "; ".join(shown + ([f"and {more} more"] if more else [])) or "no layer has a kernel"
    change = "raise" if options.rule == "ratio" else "lower"
    return (
        f"expected a layer that gets smaller by factorizing, got none ({reasons}): {change} {options.rule} (now "
        f"{options.amount:g}), lower round_to (now {options.round_to}), or use prune-channels on this model."
    )
