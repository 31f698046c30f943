"""`prune-channels`: drop whole channels, so that the tensors get smaller. Any engine gains from it.

1. Channels that are added, multiplied or shared are dropped together; those that reach an input, an output or an
   operator this does not know stay, and the report names why.
2. In each family of such channels the share `ratio` with the least magnitude goes; widths stay multiples of `round_to`.
3. The smaller model must compute what the old one computes when nothing reads the dropped channels (proof).
4. The statistics of batch norm are measured anew on training inputs. Put `finetune` after this step.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from pydantic import Field

from pocketbench.checked.yaml import Strict
from pocketbench.compression.batch_norm import restate_batch_norm
from pocketbench.compression.channel_magnitude import group_magnitude
from pocketbench.compression.channels import Channels, choose
from pocketbench.compression.keras_channels import read_channels
from pocketbench.compression.keras_costs import count_macs, count_nonzero, count_parameters
from pocketbench.compression.keras_graph import flat_model
from pocketbench.compression.keras_shrink import drop_channels, ignore_channels, shrink_masks
from pocketbench.compression.manifest import StepReport
from pocketbench.compression.proof import TOLERANCE, prove_equal, sample_inputs
from pocketbench.compression.seeds import seed_everything
from pocketbench.compression.steps.base import StepError, refuse_unknown_patterns
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData

__all__ = ["NAME", "Options", "apply"]

NAME = "prune-channels"


class Options(Strict):
    """Which share of the channels goes, and which layers keep theirs."""

    ratio: float = Field(default=0.5, gt=0, lt=1)
    round_to: int = Field(default=8, ge=1)
    """Widths stay multiples of this: engines work on 4, 8 or 16 channels at once, and pad what does not fit."""
    minimum: int = Field(default=8, ge=1)
    exclude: tuple[str, ...] = ()
    """Names of layers whose width stays, `*` and `?` allowed."""


def apply(
    state: KerasState, options: Options, data: TrainingData, context: StepContext
) -> tuple[KerasState, StepReport]:
    """Return the smaller model; raise StepError where no channel can go."""
    seed_everything(context.seed)
    model = flat_model(state.model)
    refuse_unknown_patterns(options.exclude, [layer.name for layer in model.layers])
    context.progress("reading which channels hang together", 0.0)
    known = read_channels(model, options.exclude)
    families = known.channels.families()
    scores = group_magnitude(known.channels, *_weights(model))
    dropped, _ = choose(families, scores, ratio=options.ratio, round_to=options.round_to, minimum=options.minimum)
    frozen = _frozen(known.channels)
    if not len(dropped):
        raise StepError(_nothing_to_drop(options, [len(family.roots) for family in families], frozen))
    context.progress("dropping channels", 0.3)
    smaller = drop_channels(model, known, dropped)
    context.progress("proving that the smaller model equals the masked one", 0.5)
    samples = sample_inputs(model, data.inputs, context.seed)
    difference = prove_equal(
        ignore_channels(model, known, dropped), smaller, samples, "the pruned model to equal the masked one"
    )
    context.progress("measuring batch norm anew", 0.8)
    restated = restate_batch_norm(smaller, data.inputs, context.seed)
    keep = ~np.isin(known.channels.roots(), dropped)
    widths = {name: [len(ids), int(keep[ids].sum())] for name, ids in known.made.items()}
    before, after = count_parameters(model), count_parameters(smaller)
    changed = sum(old != new for old, new in widths.values())
    report = StepReport(
        step=NAME,
        options=options.model_dump(mode="json"),
        changed=True,
        summary=f"{changed} of {len(widths)} layers are narrower: {before:,} parameters became {after:,}.",
        parameters_before=before,
        parameters_after=after,
        nonzero_parameters_after=count_nonzero(smaller),
        details={
            "macs_before": count_macs(model),
            "macs_after": count_macs(smaller),
            "channels": widths,
            "frozen": frozen,
            "pruned_equals_masked": difference,
            "tolerance": TOLERANCE,
            "batch_norm_samples": restated,
        },
    )
    return KerasState(smaller, shrink_masks(state.masks, model, known, dropped)), report


def _weights(model: Any) -> tuple[dict[Any, list[np.ndarray]], dict[Any, int]]:
    """Arrays by layer, and which of them is the scale of a batch norm."""
    names = {layer.name: [variable.name for variable in layer.weights] for layer in model.layers}
    scales = {layer: weights.index("gamma") for layer, weights in names.items() if "gamma" in weights}
    return {layer.name: layer.get_weights() for layer in model.layers}, scales


def _frozen(channels: Channels) -> dict[str, int]:
    """How many classes of channels that a layer makes stay for which reason."""
    locks = channels.locks()
    made = {int(root) for role in channels.roles if role.kind == "makes" for root in channels.roots(role.ids)}
    return dict(sorted(Counter(reason for root, reason in locks.items() if root in made).items()))


def _nothing_to_drop(options: Options, sizes: list[int], frozen: dict[str, int]) -> str:
    if sizes:
        return (
            f"expected layers wide enough to lose {options.ratio:.0%} of their channels, got widths "
            f"{sorted(set(sizes))} with round_to {options.round_to} and minimum {options.minimum}: "
            "raise the ratio, or lower round_to or minimum."
        )
    reasons = ", ".join(f"{reason}: {count}" for reason, count in frozen.items()) or "no layer makes channels"
    return (
        f"expected a model with channels that can be dropped, got none that are free ({reasons}): "
        "use prune-weights or low-rank on this model."
    )
