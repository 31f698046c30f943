"""`prune-weights`: set the weights of least magnitude to zero while training.

The tensors keep their size, so the file only shrinks where it is compressed or stored sparse, and an engine is only
faster with kernels for sparse weights. For smaller tensors on any engine use `prune-channels`.

1. Every kernel gets the same sparsity, exactly; biases, norms and embeddings stay whole, and so do depthwise kernels:
   they hold few weights, and each of them feeds a whole channel.
2. The sparsity rises along a cubic curve in the first half of the training (Zhu and Gupta, arXiv 1710.01878), and
   the rest of the training lets the network recover. With `epochs: 0` it is pruned at once, without data.
3. What is zero stays zero in every later step: the masks go along with the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from pydantic import Field

from pocketbench.compression.keras_costs import count_nonzero, count_parameters
from pocketbench.compression.keras_graph import clone_model
from pocketbench.compression.magnitude_masks import cubic_sparsity, magnitude_mask, pruned_count
from pocketbench.compression.manifest import StepReport
from pocketbench.compression.seeds import seed_everything
from pocketbench.compression.steps.base import StepError, TrainingOptions, excluded, refuse_unknown_patterns
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from pocketbench.compression.training import Masks, train

__all__ = ["NAME", "Options", "apply"]

NAME = "prune-weights"
RAMP_SHARE = 0.5  # of the training steps: after it the masks stay
MASK_UPDATES = 50  # on the ramp: each prunes a little more of what training has made small
_PRUNED = frozenset(["kernel", "pointwise_kernel", "recurrent_kernel"])


class Options(TrainingOptions):
    """How many weights go, where, and how the rest is trained meanwhile."""

    sparsity: float = Field(default=0.8, gt=0, lt=1)
    exclude: tuple[str, ...] = ()
    """Names of layers that stay dense, `*` and `?` allowed."""


def apply(
    state: KerasState, options: Options, data: TrainingData, context: StepContext
) -> tuple[KerasState, StepReport]:
    """Return the sparse model and its masks; raise StepError where there is no kernel to prune."""
    seed_everything(context.seed)
    model = clone_model(state.model)
    refuse_unknown_patterns(options.exclude, [layer.name for layer in model.layers])
    kernels = _kernels(model, options)
    if not kernels:
        raise StepError(
            f"expected kernels of dense or convolutional layers to prune in {model.name!r}, got none "
            f"({len(model.layers)} layers, excluded: {list(options.exclude)}): exclude less, or leave the step out."
        )
    if not any(pruned_count(math.prod(kernel.shape), options.sparsity) for kernel in kernels.values()):
        largest = max(math.prod(kernel.shape) for kernel in kernels.values())
        raise StepError(
            f"expected a sparsity that takes at least one weight of a kernel, got {options.sparsity:g} with at most "
            f"{largest} weights in one: raise the sparsity."
        )

    def masks_at(sparsity: float) -> dict[str, np.ndarray]:
        masks = {}
        for path, kernel in kernels.items():
            masks[path] = magnitude_mask(np.array(kernel), sparsity)
            if path in state.masks:  # what an earlier step pruned stays pruned
                masks[path] &= state.masks[path]
        return masks

    details: dict[str, Any] = {}
    if options.epochs:
        start: Masks = {**state.masks, **masks_at(0.0)}
        training = train(model, data, options, context, masks=start, schedule=_Ramp(options.sparsity, masks_at))
        details = training.details()
    masks = {**state.masks, **masks_at(options.sparsity)}
    for path, kernel in kernels.items():
        kernel.assign(np.where(masks[path], kernel, 0))
    layers = _proof(kernels, options.sparsity)
    before = count_parameters(model)
    zeros, weights = (sum(counts) for counts in zip(*layers.values(), strict=True))
    report = StepReport(
        step=NAME,
        options=options.model_dump(mode="json"),
        changed=True,
        summary=f"{zeros:,} of {weights:,} weights in {len(layers)} kernels are zero ({zeros / weights:.1%}).",
        parameters_before=before,
        parameters_after=before,
        nonzero_parameters_after=count_nonzero(model),
        details={"zero_weights": layers, "sparsity": zeros / weights, **details},
    )
    return KerasState(model, masks), report


class _Ramp:
    """The schedule of the masks: a callable for `train`."""

    def __init__(self, target: float, masks_at: Callable[[float], Masks]) -> None:
        self._target = target
        self._masks_at = masks_at

    def __call__(self, done: int, total: int) -> Masks | None:
        last = max(1, int(total * RAMP_SHARE))
        every = max(1, last // MASK_UPDATES)
        if done > last or (done % every and done != last):
            return None
        return self._masks_at(cubic_sparsity(done, last, self._target))


def _kernels(model: Any, options: Options) -> dict[str, Any]:
    """The variables to prune, by path."""
    return {
        variable.path: variable
        for layer in model.layers
        if not excluded(layer.name, options.exclude) and not type(layer).__name__.startswith("DepthwiseConv")
        for variable in layer.weights
        if variable.name in _PRUNED
    }


def _proof(kernels: dict[str, Any], sparsity: float) -> dict[str, list[int]]:
    """Zeros and weights of each kernel; raise StepError where there are fewer zeros than asked for."""
    layers = {}
    for path, kernel in kernels.items():
        array = np.array(kernel)
        layers[path] = [int((array == 0).sum()), int(array.size)]
        if layers[path][0] < pruned_count(array.size, sparsity):
            raise StepError(
                f"expected {pruned_count(array.size, sparsity)} zeros in {path}, got {layers[path][0]}: "
                "this is a fault of pocketbench."
            )
    return layers
