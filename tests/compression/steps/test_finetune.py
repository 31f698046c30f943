from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from keras import layers as L

from pocketbench.compression.steps import finetune
from pocketbench.compression.steps.base import StepError
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from tests.compression.steps.nets import data_for, make


def labelled(model: keras.Model, samples: int = 96) -> TrainingData:
    """Inputs whose class can be learnt: it is where the first input's largest feature of ten lies."""
    inputs = data_for(model, samples)
    return TrainingData(inputs, inputs[0].reshape(samples, -1)[:, :10].argmax(axis=1))


def run(model: keras.Model, data: TrainingData, masks=None, progress=None, seed=5, **options):
    context = StepContext(seed, progress or (lambda message, fraction: None))
    options = {"epochs": 4, "learning_rate": 5e-3, "batch_size": 16} | options
    return finetune.apply(KerasState(model, masks or {}), finetune.Options(**options), data, context)


def net(units: int, activation: str) -> keras.Model:
    inputs = keras.Input((12,), name="features")
    return keras.Model(inputs, L.Dense(units, activation=activation, name="out")(inputs), name="one_layer")


def test_training_lowers_the_loss_and_leaves_the_given_model_alone():
    model = make("residual")
    before = model.get_weights()

    state, report = run(model, labelled(model))

    assert report.details["last_epoch_loss"] < report.details["first_epoch_loss"]
    assert report.details["training_steps"] == 4 * 6
    assert not np.array_equal(state.model.get_weights()[0], before[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_masks_stay_exactly_zero():
    model = make("residual")
    mask = np.random.default_rng(0).random(model.get_layer("inner_b").kernel.shape) < 0.3

    state, report = run(model, labelled(model), masks={"inner_b/kernel": mask}, epochs=1)

    kernel = np.array(state.model.get_layer("inner_b").kernel)
    assert np.array_equal(kernel != 0, mask)
    assert not np.signbit(kernel[~mask]).any(), "+0.0, so that equal files are equal bytes"
    assert report.nonzero_parameters_after < report.parameters_after
    assert state.masks.keys() == {"inner_b/kernel"}


def test_progress_tells_message_and_fraction_and_ends_at_one():
    model, told = make("residual"), []

    run(model, labelled(model), progress=lambda message, fraction: told.append((message, fraction)), epochs=1)

    assert told[0] == ("training, epoch 1 of 1", 0.0)
    assert told[-1] == ("training", 1.0)


def test_two_inputs_by_name_are_trained():
    image, facts = keras.Input((4, 4, 1), name="image"), keras.Input((6,), name="facts")
    joined = L.Concatenate()([L.Flatten()(image), facts])
    model = keras.Model({"image": image, "facts": facts}, L.Dense(10, name="logits")(joined))

    _, report = run(model, labelled(model))

    assert report.details["last_epoch_loss"] < report.details["first_epoch_loss"]


@pytest.mark.parametrize(
    ("units", "activation", "labels", "loss"),
    [
        pytest.param(3, "softmax", np.arange(32) % 3, "sparse_categorical_crossentropy", id="classes"),
        pytest.param(3, "softmax", (np.arange(32) % 3)[:, None], "sparse_categorical_crossentropy", id="column"),
        pytest.param(3, "linear", np.arange(32) % 3, "sparse_categorical_crossentropy", id="logits"),
        pytest.param(3, "softmax", np.eye(3, dtype="float32")[np.arange(32) % 3], "categorical_crossentropy", id="hot"),
        pytest.param(1, "sigmoid", np.arange(32) % 2, "binary_crossentropy", id="yes-no"),
        pytest.param(1, "linear", np.linspace(0, 1, 32), "mean_squared_error", id="a-number"),
        pytest.param(3, "tanh", np.zeros((32, 3), "float32"), "mean_squared_error", id="numbers"),
    ],
)
def test_the_loss_follows_from_labels_and_output(units: int, activation: str, labels: np.ndarray, loss: str):
    model = net(units, activation)

    _, report = run(model, TrainingData(data_for(model, 32), labels), epochs=1)

    assert report.details["loss"] == loss


def test_logits_are_told_from_probabilities():
    """The same network, its softmax inside the layer, as a layer or left out, has the same loss."""
    inputs = keras.Input((12,))
    dense = L.Dense(3, name="dense")
    nets = [
        keras.Model(inputs, dense(inputs)),
        keras.Model(inputs, L.Reshape((3,))(L.Softmax()(dense(inputs)))),
        keras.Model(inputs, keras.ops.softmax(dense(inputs))),
    ]
    data = TrainingData(data_for(nets[0], 32), np.arange(32) % 3)

    losses = [run(model, data, epochs=1)[1].details["first_epoch_loss"] for model in nets]

    assert losses == pytest.approx([losses[0]] * 3, rel=1e-4)


def test_the_compiled_loss_comes_first_and_a_named_one_before_it():
    model = net(3, "linear")
    model.compile(loss="mae")
    data = TrainingData(data_for(model, 32), np.ones((32, 3), "float32"))

    state, report = run(model, data, epochs=1)
    _, again = run(state.model, data, epochs=1)
    _, named = run(model, data, epochs=1, loss="huber")

    assert report.details["loss"] == again.details["loss"] == "mean_absolute_error"
    assert named.details["loss"] == "huber"


@pytest.mark.parametrize(
    ("units", "activation", "labels", "options", "message"),
    [
        pytest.param(3, "softmax", None, {}, "expected training data with labels, got no labels", id="no-labels"),
        pytest.param(
            3, "softmax", np.full(32, 3), {}, "expected labels from 0 to 2 for 3 outputs, got 3 to 3", id="range"
        ),
        pytest.param(3, "relu", np.arange(32) % 3, {}, "give the step a `loss`", id="relu"),
        pytest.param(3, "softmax", np.arange(31) % 3, {}, "as many labels as samples", id="count"),
        pytest.param(3, "linear", np.zeros((32, 2)), {}, "give the step a `loss`", id="shape"),
        pytest.param(3, "linear", np.zeros((32, 2)), {"loss": "mse"}, r"got \(32, 2\)", id="shape-of-named"),
        pytest.param(3, "linear", np.zeros((32, 3)), {"loss": "nonsense"}, "got 'nonsense'", id="no-such-loss"),
        pytest.param(3, "linear", np.zeros((32, 3)), {"epochs": 0}, "at least one epoch", id="no-epoch"),
        pytest.param(
            3,
            "linear",
            np.full((32, 3), 1e30, "float32"),
            {"loss": "mse"},
            "expected a finite loss, got inf in epoch 1 of 4: lower learning_rate",
            id="diverges",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(units: int, activation: str, labels, options, message: str):
    model = net(units, activation)

    with pytest.raises(StepError, match=message):
        run(model, TrainingData(data_for(model, 32), labels), **options)


def test_inputs_of_another_shape_name_both():
    model = net(3, "softmax")
    data = TrainingData((np.zeros((8, 11), "float32"),), np.zeros(8, "int64"))

    with pytest.raises(StepError, match=re.escape("[[None, 12]], got [[8, 11]]")):
        run(model, data)


def test_a_model_whose_layers_are_all_frozen_is_refused():
    model = net(3, "softmax")
    model.trainable = False

    with pytest.raises(StepError, match="none that is trainable"):
        run(model, TrainingData(data_for(model, 32), np.arange(32) % 3))


def test_the_same_seed_gives_the_same_bits_whatever_was_built_before():
    data = labelled(make("sequential"))
    first, _ = run(make("sequential"), data)
    L.Dense(3)(np.zeros((1, 2), "float32"))  # moves Keras' counters of names and TensorFlow's of operations
    keras.utils.set_random_seed(99)
    again, _ = run(make("sequential"), data)
    other, _ = run(make("sequential"), data, seed=6)

    pairs = zip(first.model.get_weights(), again.model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert [layer.name for layer in first.model.layers] == [layer.name for layer in again.model.layers]
    assert not np.array_equal(first.model.get_weights()[0], other.model.get_weights()[0])
