from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L

from pocketbench.compression.keras_graph import clone_model
from pocketbench.compression.steps import finetune, prune_weights
from pocketbench.compression.steps.base import StepError
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from tests.compression.steps.nets import NETS, data_for, make

CONTEXT = StepContext(seed=3)
FAST: dict[str, Any] = {"epochs": 2, "batch_size": 16, "learning_rate": 5e-3}


def prune(model: keras.Model, *, data: TrainingData | None = None, masks=None, **options):
    chosen = prune_weights.Options(**{"epochs": 0, **options})
    return prune_weights.apply(KerasState(model, masks or {}), chosen, data or TrainingData(), CONTEXT)


def labelled(model: keras.Model, samples: int = 64) -> TrainingData:
    inputs = data_for(model, samples)
    return TrainingData(inputs, inputs[0].reshape(samples, -1)[:, :10].argmax(axis=1))


@pytest.mark.parametrize("name", NETS)
def test_every_kernel_of_every_net_gets_the_sparsity_exactly_and_all_else_stays(name: str):
    model = make(name)
    before = [array.copy() for array in model.get_weights()]

    state, report = prune(model, sparsity=0.8)

    pruned = 0
    for old, new in zip(before, state.model.weights, strict=True):
        array = np.array(new)
        if new.path in state.masks:
            pruned += 1
            assert (array == 0).sum() == int(array.size * 0.8 + 1e-9), new.path
            assert np.array_equal(array != 0, state.masks[new.path])
            assert np.abs(old[array == 0]).max() <= np.abs(old[array != 0]).min(), "those of least magnitude"
        else:
            assert np.array_equal(array, old), new.path
    assert pruned == len(report.details["zero_weights"]) > 0
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)), "not the given model"
    assert [t.shape for t in state.model.outputs] == [t.shape for t in model.outputs]
    assert [t.name for t in state.model.inputs] == [t.name for t in model.inputs]
    assert state.model.output_names == clone_model(model).output_names
    assert report.parameters_before == report.parameters_after == model.count_params()
    zeros = sum(zero for zero, _ in report.details["zero_weights"].values())
    assert report.nonzero_parameters_after == model.count_params() - zeros
    json.dumps(report.model_dump(mode="json"), allow_nan=False)


def test_biases_norms_and_depthwise_kernels_stay_whole():
    state, _ = prune(make("depthwise_separable"))

    assert sorted(state.masks) == [
        "digit/kernel",
        "excite/kernel",
        "narrow/kernel",
        "pointwise/kernel",
        "separable/pointwise_kernel",
        "stem/kernel",
        "transposed/kernel",
    ]
    assert all(np.array(v).all() for v in state.model.weights if v.path not in state.masks)


def test_training_reaches_the_sparsity_exactly_and_lowers_the_loss():
    model = make("residual")

    state, report = prune(model, data=labelled(model), sparsity=0.7, **(FAST | {"epochs": 6}))

    for path, (zeros, size) in report.details["zero_weights"].items():
        assert zeros == int(size * 0.7 + 1e-9), path
    assert report.details["last_epoch_loss"] < report.details["first_epoch_loss"]
    assert report.details["training_steps"] == 6 * 4
    assert not np.array_equal(state.model.get_layer("stem_bn").beta, model.get_layer("stem_bn").beta)


def test_one_step_of_training_is_enough():
    model = make("sequential")

    _, report = prune(model, data=labelled(model, 16), **(FAST | {"epochs": 1}))

    assert report.details["training_steps"] == 1
    assert report.details["sparsity"] == pytest.approx(0.8, abs=0.005)


def test_the_sparsity_rises_to_the_target_at_half_of_the_training_and_stays():
    asked: list[float] = []

    def masks_at(sparsity: float) -> dict[str, np.ndarray]:
        asked.append(sparsity)
        return {}

    ramp = prune_weights._Ramp(0.8, masks_at)

    changed = [ramp(done, 1000) is not None for done in range(1000)]

    assert asked[0] == 0.0
    assert asked == sorted(asked)
    assert asked[-1] == 0.8
    assert changed[500]
    assert not any(changed[501:])
    assert len(asked) == prune_weights.MASK_UPDATES + 1
    assert asked[len(asked) // 2] == pytest.approx(0.8 * (1 - 0.5**3)), "cubic"


def test_what_is_pruned_stays_zero_in_a_later_training_and_a_later_pruning():
    model = make("residual")
    data = labelled(model)
    state, _ = prune(model, data=data, sparsity=0.5, **FAST)

    trained, _ = finetune.apply(state, finetune.Options(**FAST), data, CONTEXT)
    more, report = prune(trained.model, data=data, masks=trained.masks, sparsity=0.75, **FAST)

    for path, mask in state.masks.items():
        kernel = np.array(next(v for v in trained.model.weights if v.path == path))
        assert np.array_equal(kernel != 0, mask)
        assert not np.signbit(kernel[~mask]).any(), "+0.0, so that equal files are equal bytes"
        assert not (more.masks[path] & ~mask).any()
    assert all(zeros == int(size * 0.75 + 1e-9) for zeros, size in report.details["zero_weights"].values())


def test_masks_of_other_layers_go_along():
    model = make("sequential")
    mask = np.ones(model.get_layer("conv1").kernel.shape, bool)
    mask[0] = False

    state, _ = prune(model, masks={"conv1/kernel": mask}, exclude=("conv1",))

    assert np.array_equal(state.masks["conv1/kernel"], mask)
    assert "conv2/kernel" in state.masks


def test_excluded_layers_stay_dense():
    state, _ = prune(make("sequential"), exclude=("conv*",))

    assert sorted(state.masks) == ["digit/kernel", "hidden/kernel"]


def test_the_same_seed_gives_the_same_bits_whatever_was_built_before():
    data = labelled(make("sequential"))
    first, _ = prune(make("sequential"), data=data, **FAST)
    L.Dense(3)(np.zeros((1, 2), "float32"))
    keras.utils.set_random_seed(99)
    again, _ = prune(make("sequential"), data=data, **FAST)

    pairs = zip(first.model.get_weights(), again.model.get_weights(), strict=True)
    assert all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_what_cannot_be_pruned_is_refused():
    image = keras.Input((8, 8, 1))
    without = keras.Model(image, L.GlobalAveragePooling2D()(L.DepthwiseConv2D(3)(image)), name="without")

    with pytest.raises(StepError, match=r"got none \(3 layers, excluded: \[\]\)"):
        prune(without)
    with pytest.raises(StepError, match="exclude less"):
        prune(make("sequential"), exclude=("*",))
    with pytest.raises(StepError, match=r"got 'conv9'; did you mean 'conv\d'"):
        prune(make("sequential"), exclude=("conv9",))
    with pytest.raises(StepError, match="takes at least one weight of a kernel, got 1e-06 with at most 6912"):
        prune(make("sequential"), sparsity=1e-6)
    with pytest.raises(StepError, match="expected training data with labels, got no training data"):
        prune(make("sequential"), epochs=1)


@pytest.mark.parametrize("sparsity", [0, 1, -0.1, 1.5])
def test_a_sparsity_out_of_range_is_refused(sparsity: float):
    with pytest.raises(ValueError, match="sparsity"):
        prune_weights.Options(sparsity=sparsity)
