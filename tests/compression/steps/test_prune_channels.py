from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import layers as L

from pocketbench.compression.channels import Channels
from pocketbench.compression.steps import prune_channels
from pocketbench.compression.steps.base import StepError
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from tests.compression.steps.nets import NETS, data_for, make

CONTEXT = StepContext(seed=3)


def prune(model: keras.Model, *, data: TrainingData | None = None, masks=None, **options):
    options = {"ratio": 0.5, "round_to": 4, "minimum": 4} | options
    state = KerasState(model, masks or {})
    return prune_channels.apply(state, prune_channels.Options(**options), data or TrainingData(), CONTEXT)


@pytest.mark.parametrize("name", NETS)
def test_every_net_gets_smaller_and_equals_the_masked_one(name: str):
    model = make(name)
    before = model.get_weights()

    state, report = prune(model)

    assert report.details["pruned_equals_masked"] <= 1e-5
    assert report.parameters_after == state.model.count_params() < report.parameters_before == model.count_params()
    assert report.details["macs_after"] < report.details["macs_before"]
    assert [t.shape for t in state.model.outputs] == [t.shape for t in model.outputs]
    assert [t.name for t in state.model.inputs] == [t.name for t in model.inputs]
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)), "not the given model"
    json.dumps(report.model_dump(mode="json"), allow_nan=False)


def test_widths_of_a_residual_stage_stay_equal_and_outputs_stay_whole():
    _, report = prune(make("residual"))

    assert report.details["channels"] == {
        "stem": [16, 8],
        "inner_a": [32, 16],
        "inner_b": [32, 16],
        "projection": [32, 16],
        "logits": [10, 10],
    }
    assert report.details["frozen"] == {"output of the model": 10}


def test_widths_are_rounded_up_to_the_multiple_and_not_below_the_minimum():
    _, report = prune(make("sequential"), ratio=0.8, round_to=8, minimum=16)

    assert report.details["channels"]["conv1"] == [16, 16]
    assert report.details["channels"]["conv2"] == [24, 16]
    assert report.details["channels"]["hidden"] == [32, 16]


def test_unknown_operators_keep_their_channels_and_are_named():
    _, report = prune(make("frozen_unknown"))

    assert report.details["channels"]["held"] == [16, 16]
    assert report.details["channels"]["free"] == [16, 8]
    assert report.details["channels"]["last"] == [24, 12]
    assert report.details["frozen"]["layer_norm (LayerNormalization)"] == 16


def test_an_own_layer_class_is_unknown_even_if_it_derives_from_one_of_keras():
    class Reversed(L.ReLU):  # type: ignore[misc]
        def call(self, inputs):
            return super().call(inputs)[..., ::-1]

    image = keras.Input((8, 8, 1))
    x = Reversed(name="own")(L.Conv2D(16, 3, name="held")(image))
    model = keras.Model(image, L.Dense(4)(L.Flatten()(L.Conv2D(16, 3, name="free")(x))))

    _, report = prune(model)

    assert report.details["channels"]["held"] == [16, 16]
    assert report.details["channels"]["free"] == [16, 8]
    assert report.details["frozen"]["own (Reversed)"] == 16


def test_excluded_layers_keep_their_width():
    _, report = prune(make("sequential"), exclude=("conv*",))

    assert report.details["channels"]["conv1"] == [16, 16]
    assert report.details["channels"]["hidden"] == [32, 16]
    assert report.details["frozen"]["excluded by name"] == 40


def test_a_pattern_that_names_no_layer_is_refused():
    with pytest.raises(StepError, match=r"got 'conv9'; did you mean 'conv\d'"):
        prune(make("sequential"), exclude=("conv9",))


def test_a_model_with_nothing_to_drop_is_refused_with_the_reason():
    image = keras.Input((8,))
    with pytest.raises(StepError, match="output of the model: 4"):
        prune(keras.Model(image, L.Dense(4)(image)))
    with pytest.raises(StepError, match=r"widths \[16, 24, 32\] with round_to 64"):
        prune(make("sequential"), round_to=64)


def test_a_model_without_a_graph_is_refused():
    class Subclassed(keras.Model):  # type: ignore[misc]
        def call(self, inputs):
            return inputs

    with pytest.raises(StepError, match="which has no graph to change"):
        prune(Subclassed())


def test_weak_channels_go_first():
    model = make("sequential")
    kernel, bias = model.get_layer("conv1").get_weights()
    kernel[..., [1, 2, 5, 7]] *= 1e-4
    model.get_layer("conv1").set_weights([kernel, bias])
    reader, reader_bias = model.get_layer("conv2").get_weights()
    reader[:, :, [1, 2, 5, 7]] *= 1e-4
    model.get_layer("conv2").set_weights([reader, reader_bias])

    state, _ = prune(model, ratio=0.25)

    kept = [channel for channel in range(16) if channel not in (1, 2, 5, 7)]
    np.testing.assert_array_equal(state.model.get_layer("conv1").get_weights()[0], kernel[..., kept])


def test_batch_norm_gets_the_statistics_of_the_training_inputs():
    model = make("residual")
    inputs = data_for(model, samples=256)

    state, report = prune(model, data=TrainingData(inputs))

    assert report.details["batch_norm_samples"] == 256
    stem = state.model.get_layer("stem")
    norm = state.model.get_layer("stem_bn")
    seen = np.asarray(stem(inputs[0])).reshape(-1, 8)
    np.testing.assert_allclose(norm.moving_mean, seen.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, seen.var(axis=0), rtol=1e-3)


def test_batch_norm_keeps_its_own_momentum_and_freeze():
    model = make("residual")
    model.get_layer("stem_bn").trainable = False

    state, _ = prune(model, data=TrainingData(data_for(model)))

    norm = state.model.get_layer("stem_bn")
    assert (norm.momentum, norm.trainable) == (model.get_layer("stem_bn").momentum, False)


def test_masks_shrink_with_their_weights():
    model = make("residual")
    mask = np.random.default_rng(0).random(model.get_layer("inner_b").kernel.shape) < 0.5
    kernel = model.get_layer("inner_b").kernel
    kernel.assign(np.where(mask, kernel, 0))

    state, _ = prune(model, masks={"inner_b/kernel": mask})

    smaller = np.array(state.model.get_layer("inner_b").kernel)
    np.testing.assert_array_equal(state.masks["inner_b/kernel"], smaller != 0)


def test_joining_channels_keeps_a_lock():
    channels = Channels()
    free, held = channels.new(2), channels.new(2)
    channels.lock(held, "held")

    channels.join(free, held)

    assert set(channels.locks().values()) == {"held"}
    assert set(channels.roots(free)) == set(channels.locks())
