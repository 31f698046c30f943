"""`finetune`: train the model further. What pruning set to zero stays zero.

The control of a trained variant is this step alone on the model as it was brought.
"""

from __future__ import annotations

from pocketbench.compression.keras_costs import count_nonzero, count_parameters
from pocketbench.compression.keras_graph import clone_model
from pocketbench.compression.manifest import StepReport
from pocketbench.compression.seeds import seed_everything
from pocketbench.compression.steps.base import StepError, TrainingOptions
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from pocketbench.compression.training import train

__all__ = ["NAME", "Options", "apply"]

NAME = "finetune"


class Options(TrainingOptions):
    """How long and how fast to train."""


def apply(
    state: KerasState, options: Options, data: TrainingData, context: StepContext
) -> tuple[KerasState, StepReport]:
    """Return the model trained on `data`; raise StepError where that cannot be."""
    if options.epochs == 0:
        raise StepError("expected at least one epoch in `finetune`, got 0: leave the step out, or raise `epochs`.")
    seed_everything(context.seed)
    model = clone_model(state.model)
    training = train(model, data, options, context, masks=state.masks)
    parameters = count_parameters(model)
    report = StepReport(
        step=NAME,
        options=options.model_dump(mode="json"),
        changed=True,
        summary=f"trained for {options.epochs} epochs: the loss went from {training.losses[0]:.4g} "
        f"to {training.losses[-1]:.4g}.",
        parameters_before=parameters,
        parameters_after=parameters,
        nonzero_parameters_after=count_nonzero(model),
        details=training.details(),
    )
    return KerasState(model, state.masks), report
