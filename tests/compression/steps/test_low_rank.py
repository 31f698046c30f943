from __future__ import annotations

import json
import re
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L

from pocketbench.compression.keras_costs import count_macs
from pocketbench.compression.keras_graph import clone_model, run_model
from pocketbench.compression.keras_replace import Chain, replace_layers
from pocketbench.compression.proof import prove_equal
from pocketbench.compression.steps import finetune, low_rank, prune_weights
from pocketbench.compression.steps.base import StepError
from pocketbench.compression.steps.state import KerasState, StepContext, TrainingData
from tests.compression.steps.nets import NETS, data_for, make

CONTEXT = StepContext(seed=3)
PROOFS = ("full_rank_equals_original", "factors_equal_their_product")


def factorize(model: keras.Model, *, data: TrainingData | None = None, masks=None, **options):
    defaults: dict[str, Any] = {"round_to": 1} if "energy" in options else {"round_to": 1, "ratio": 0.6}
    chosen = low_rank.Options(**(defaults | options))
    return low_rank.apply(KerasState(model, masks or {}), chosen, data or TrainingData(), CONTEXT)


def one_layer(layer: L.Layer, shape: tuple[int | None, ...], seed: int = 0) -> keras.Model:
    """Return a model of one layer, its bias drawn too: Keras starts it at zero, where nothing would be tested."""
    inputs = keras.Input(shape, name="given")
    model = keras.Model(inputs, layer(inputs), name="one_layer")
    random = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(random.normal(0, 0.3, variable.shape))
    return model


def lower(layer: L.Layer, rank: int) -> None:
    """Leave `rank` directions of its inputs and of its outputs in the kernel of `layer`."""
    random = np.random.default_rng(1)
    kernel, *biases = layer.get_weights()
    inputs, outputs = (np.linalg.qr(random.normal(size=(size, rank)))[0] for size in kernel.shape[-2:])
    layer.set_weights([inputs @ inputs.T @ kernel @ outputs @ outputs.T, *biases])


@pytest.mark.parametrize("method", ["tucker-2", "spatial-svd"])
@pytest.mark.parametrize("name", NETS)
def test_every_net_gets_smaller_and_the_factors_compute_what_the_layers_did(name: str, method: str):
    model = make(name)
    before = [array.copy() for array in model.get_weights()]

    state, report = factorize(model, method=method)

    assert max(report.details[proof] for proof in PROOFS) <= 1e-5
    assert report.parameters_after == state.model.count_params() < report.parameters_before == model.count_params()
    assert report.details["macs_after"] < report.details["macs_before"]
    for figures in report.details["layers"].values():
        assert figures["parameters"][1] <= 0.6 * figures["parameters"][0]
        assert figures["macs"][1] <= 0.6 * figures["macs"][0]
        assert 0 < figures["relative_error"] < 1
    saved = sum(old - new for old, new in (f["parameters"] for f in report.details["layers"].values()))
    assert report.parameters_before - report.parameters_after == saved
    saved = sum(old - new for old, new in (f["macs"] for f in report.details["layers"].values()))
    assert report.details["macs_before"] - report.details["macs_after"] == saved
    assert [t.shape for t in state.model.outputs] == [t.shape for t in model.outputs]
    assert [t.name for t in state.model.inputs] == [t.name for t in model.inputs]
    assert state.model.output_names == clone_model(model).output_names
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)), "not the given model"
    json.dumps(report.model_dump(mode="json"), allow_nan=False)


LAYERS = [
    pytest.param(L.Dense(24, activation="relu", name="conv"), (24,), ["svd"], id="dense"),
    pytest.param(L.Dense(24, activation="softmax", name="conv"), (7, 24), ["svd"], id="dense-of-a-sequence"),
    pytest.param(L.Conv2D(24, 1, strides=(2, 3), name="conv"), (9, 9, 24), ["svd"], id="pointwise-strided"),
    pytest.param(L.Conv2D(24, 3, activation="relu", padding="same", name="conv"), (9, 7, 16), [], id="same"),
    pytest.param(L.Conv2D(24, 3, strides=(2, 1), padding="same", name="conv"), (9, 8, 16), [], id="strided-same"),
    pytest.param(L.Conv2D(24, (3, 5), strides=(2, 3), name="conv"), (11, 14, 16), [], id="strided-valid"),
    pytest.param(L.Conv2D(24, (5, 1), name="conv"), (9, 9, 16), [], id="tall"),
    pytest.param(L.Conv2D(24, (1, 5), padding="same", name="conv"), (9, 9, 16), [], id="wide"),
    pytest.param(L.Conv2D(24, 3, dilation_rate=(2, 3), padding="same", name="conv"), (9, 9, 16), [], id="dilated"),
    pytest.param(L.Conv1D(24, 5, strides=2, padding="causal", name="conv"), (33, 16), [], id="causal-strided"),
    pytest.param(L.Conv1D(24, 3, dilation_rate=3, padding="causal", name="conv"), (33, 16), [], id="causal-dilated"),
    pytest.param(L.Conv1D(24, 1, strides=2, name="conv"), (33, 24), ["svd"], id="pointwise-1d"),
]


@pytest.mark.parametrize("method", ["tucker-2", "spatial-svd"])
@pytest.mark.parametrize(("layer", "shape", "methods"), LAYERS)
def test_strides_padding_dilation_bias_and_activation_are_kept(layer, shape, methods, method: str):
    model = one_layer(type(layer).from_config(layer.get_config()), shape)

    state, report = factorize(model, method=method)

    figures = report.details["layers"]["conv"]
    assert figures["method"] == (methods or [method])[0]
    assert max(report.details[proof] for proof in PROOFS) <= 1e-5
    last = state.model.get_layer("conv")
    assert last.activation is layer.activation
    np.testing.assert_array_equal(last.bias, model.get_layer("conv").bias)
    for name in figures["layers"][:-1]:
        assert state.model.get_layer(name).activation is keras.activations.linear
        assert not state.model.get_layer(name).use_bias
    assert state.model.layers[-1] is last
    assert count_macs(state.model) == figures["macs"][1]


def test_a_kernel_of_low_rank_loses_nothing():
    model = one_layer(L.Conv2D(24, 3, padding="same", name="conv"), (8, 8, 16))
    lower(model.get_layer("conv"), 4)
    given = data_for(model, 4)

    for method in ("tucker-2", "spatial-svd"):
        state, report = factorize(model, energy=0.999999, method=method)
        figures = report.details["layers"]["conv"]
        assert figures["relative_error"] < 1e-5
        assert figures["energy_kept"] == pytest.approx(1)
        expected, got = run_model(model, given)[0], run_model(state.model, given)[0]
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_names_are_readable_unique_and_the_last_layer_keeps_its_own():
    image = keras.Input((8, 8, 16), name="conv_b")
    x = L.ReLU(name="conv_a")(L.Conv2D(16, 3, name="conv")(image))
    x = L.Conv2D(16, 3, name="conv_a2")(x)
    model = keras.Model(image, L.Dense(10, name="digit")(L.Flatten(name="flat")(x)))

    lower(model.get_layer("conv"), 4)
    lower(model.get_layer("conv_a2"), 4)

    state, report = factorize(model, energy=0.99, exclude=("digit",))

    names = {name: figures["layers"] for name, figures in report.details["layers"].items()}
    assert names == {"conv": ["conv_a3", "conv_b2", "conv"], "conv_a2": ["conv_a2_a", "conv_a2_b", "conv_a2"]}
    assert [layer.name for layer in state.model.layers] == [
        "conv_b",
        *("conv_a3", "conv_b2", "conv", "conv_a"),
        *("conv_a2_a", "conv_a2_b", "conv_a2", "flat", "digit"),
    ]


def test_regularizer_freeze_and_dtype_go_along():
    layer = L.Dense(24, kernel_regularizer="l2", activity_regularizer="l1", trainable=False, dtype="float64")
    layer.name = "dense"

    state, _ = factorize(one_layer(layer, (24,)))

    first, last = state.model.get_layer("dense_a"), state.model.get_layer("dense")
    assert (first.trainable, last.trainable) == (False, False)
    assert first.kernel_regularizer is not None
    assert last.kernel_regularizer is not None
    assert first.activity_regularizer is None, "of the outputs, which only the last layer has"
    assert last.activity_regularizer is not None
    assert first.kernel.dtype == last.kernel.dtype == "float64"


def test_a_shared_layer_becomes_one_shared_chain():
    model = make("shared")

    state, report = factorize(model, ratio=0.8, exclude=("other", "logits"))

    figures = report.details["layers"]["tower"]
    assert [layer.name for layer in state.model.layers].count("tower_a") == 1
    assert figures["macs"] == [2 * count for count in figures["parameters"]], "two uses, each at one position"
    assert count_macs(state.model) == report.details["macs_after"]


def test_open_sizes_are_cut_by_their_weights():
    model = one_layer(L.Conv2D(24, 3, name="conv"), (None, None, 16))

    _, report = factorize(model)

    assert report.details["layers"]["conv"]["macs"] is None
    assert report.details["macs_before"] is None
    assert report.details["full_rank_equals_original"] <= 1e-5


def test_what_cannot_be_factorized_is_left_alone_with_its_reason():
    class Own(L.Dense):  # type: ignore[misc]
        pass

    image = keras.Input((8, 8, 16))
    x = L.Conv2D(16, 3, padding="same", name="cut")(image)
    x = L.Conv2D(16, 3, groups=4, name="grouped")(x)
    x = L.DepthwiseConv2D(3, name="depthwise")(x)
    x = L.SeparableConv2D(16, 3, padding="same", name="separable")(x)
    x = L.Conv2DTranspose(16, 3, name="transposed")(x)
    x = L.Conv2D(16, 3, kernel_constraint="non_neg", name="constrained")(x)
    x = L.Conv2D(16, 3, padding="same", kernel_initializer="zeros", name="zeros")(x)
    x = L.GRU(8, name="recurrent")(L.Reshape((-1, 16), name="rows")(x))
    x = L.Dense(2, name="narrow")(L.Dense(8, name="by_name")(Own(8, name="own")(x)))
    model = keras.Model(image, x)

    state, report = factorize(model, exclude=("by_*",))

    assert list(report.details["layers"]) == ["cut"]
    reasons = report.details["left_alone"]
    for name, words in {
        "grouped": "4 groups",
        "depthwise": "a DepthwiseConv2D is none of Conv1D, Conv2D, Dense",
        "separable": "a SeparableConv2D is none of",
        "transposed": "a Conv2DTranspose is none of",
        "constrained": "has a constraint (NonNeg)",
        "zeros": "all its weights are zero",
        "recurrent": "a GRU is none of",
        "own": "a Own is none of",
        "by_name": "excluded by name",
        "narrow": "the cheapest rank, 1, takes 10 weights and 10 MACs of 16 weights and 16 MACs: more than 60%",
    }.items():
        assert words in reasons[name], name
    assert len(reasons) == 10
    for name in reasons:
        pairs = zip(model.get_layer(name).get_weights(), state.model.get_layer(name).get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs), name


def test_kernels_that_are_not_finite_are_left_alone():
    model = make("sequential")
    kernel, bias = model.get_layer("conv2").get_weights()
    kernel[0, 0, 0, 0] = np.nan
    model.get_layer("conv2").set_weights([kernel, bias])

    with pytest.raises(StepError, match="conv2: its kernel holds weights that are not finite"):
        factorize(model, exclude=("hidden", "digit", "conv1"))


def test_nothing_to_replace_is_refused_with_numbers_and_what_to_change():
    with pytest.raises(StepError) as caught:
        factorize(make("sequential"), energy=0.99, round_to=8)

    message = str(caught.value)
    assert "got none (conv2: keeping 99% takes rank" in message or "got none (hidden: keeping 99%" in message
    assert re.search(r"hidden: keeping 99% takes rank 32 with [\d,]+ weights and [\d,]+ MACs of", message)
    assert re.search(r"\(it saves up to rank \d+\)", message)
    assert "lower energy (now 0.99), lower round_to (now 8), or use prune-channels" in message
    with pytest.raises(StepError, match=r"none \(no layer has a kernel\): raise ratio \(now 0.6\)"):
        factorize(one_layer(L.ReLU(), (4,)))


def test_excluding_everything_or_nothing_known_is_refused():
    with pytest.raises(StepError, match=r"(\w+: excluded by name; ){5}and 3 more"):
        factorize(make("depthwise_separable"), exclude=("*",))
    with pytest.raises(StepError, match=r"got 'conv9'; did you mean 'conv\d'"):
        factorize(make("sequential"), exclude=("conv9",))


def test_a_model_without_a_graph_is_refused():
    class Subclassed(keras.Model):  # type: ignore[misc]
        def call(self, inputs):
            return inputs

    with pytest.raises(StepError, match="which has no graph to change"):
        factorize(Subclassed())


def test_pruned_kernels_are_refused_and_other_masks_stay():
    model = make("residual")
    mask = np.random.default_rng(0).random(model.get_layer("inner_b").kernel.shape) < 0.5
    masks = {"inner_b/kernel": mask}

    with pytest.raises(StepError, match=r"got inner_b, which an earlier step pruned.*before prune-weights, or exclude"):
        factorize(model, masks=masks)

    state, _ = factorize(model, masks=masks, exclude=("inner_b",))
    assert np.array_equal(state.masks["inner_b/kernel"], mask)
    data = TrainingData(data_for(model), np.arange(64) % 10)
    trained, _ = finetune.apply(state, finetune.Options(epochs=1), data, CONTEXT)
    assert np.array_equal(np.array(trained.model.get_layer("inner_b").kernel) != 0, mask)


def test_batch_norm_gets_the_statistics_of_the_training_inputs():
    model = make("residual")
    inputs = data_for(model, samples=256)

    state, report = factorize(model, data=TrainingData(inputs), ratio=0.4)

    assert report.details["batch_norm_samples"] == 256
    before_norm = keras.Model(state.model.inputs, state.model.get_layer("inner_a").output)
    seen = run_model(before_norm, inputs)[0].reshape(-1, 32)
    norm = state.model.get_layer("inner_bn")
    np.testing.assert_allclose(norm.moving_mean, seen.mean(axis=0), rtol=1e-3, atol=1e-3)
    assert not np.allclose(norm.moving_mean, model.get_layer("inner_bn").moving_mean, rtol=0.05)


def test_a_factorized_model_can_be_trained_further():
    model = make("residual")
    inputs = data_for(model, 96)
    data = TrainingData(inputs, inputs[0].reshape(96, -1)[:, :10].argmax(axis=1))
    state, _ = factorize(model, data=data)

    trained, report = finetune.apply(state, finetune.Options(epochs=4, learning_rate=5e-3), data, CONTEXT)

    assert report.details["last_epoch_loss"] < report.details["first_epoch_loss"]
    before, after = state.model.get_layer("inner_b_a").kernel, trained.model.get_layer("inner_b_a").kernel
    assert not np.array_equal(before, after)


def test_the_same_model_gives_the_same_bytes_whatever_was_built_before():
    first, report = factorize(make("residual"))
    L.Dense(3)(np.zeros((1, 2), "float32"))
    again, report_again = factorize(make("residual"))

    pairs = zip(first.model.get_weights(), again.model.get_weights(), strict=True)
    assert all(a.tobytes() == b.tobytes() for a, b in pairs)
    assert [layer.name for layer in first.model.layers] == [layer.name for layer in again.model.layers]
    assert report == report_again


def test_the_proof_sees_a_wrong_factor_and_a_wrong_stride():
    model = one_layer(L.Conv2D(8, 3, strides=2, padding="same", name="conv"), (9, 9, 8))
    kernel = model.get_layer("conv").get_weights()[0].astype("float64")
    eye = np.eye(8, dtype="float32")[None, None]
    samples = data_for(model, 4)

    right, _ = replace_layers(model, {"conv": Chain((eye, kernel, eye), (1, 1))})
    assert prove_equal(model, right, samples, "equal") <= 1e-6

    for wrong in (Chain((eye, kernel * 1.01, eye), (1, 1)), Chain((eye, kernel, eye), (0, 0))):
        with pytest.raises(StepError, match=r"expected equal within 0\.0001"):
            prove_equal(model, replace_layers(model, {"conv": wrong})[0], samples, "equal")


def test_factors_can_be_pruned_afterwards():
    state, _ = factorize(make("residual"))

    pruned, report = prune_weights.apply(state, prune_weights.Options(epochs=0), TrainingData(), CONTEXT)

    assert {"inner_b_a/kernel", "inner_b/kernel"} <= set(pruned.masks)
    assert report.details["sparsity"] == pytest.approx(0.8, abs=0.005)
