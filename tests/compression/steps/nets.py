"""Small nets of every shape that a step has to live with. Weights are random, batch norm's statistics too."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers as L

__all__ = ["NETS", "data_for", "make"]


def sequential(name: str = "sequential_net") -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            L.Conv2D(16, 3, activation="relu", name="conv1"),
            L.BatchNormalization(name="bn1"),
            L.MaxPooling2D(name="pool"),
            L.ZeroPadding2D(name="pad"),
            L.Conv2D(24, 3, name="conv2"),
            L.PReLU(shared_axes=[1, 2], name="prelu"),
            L.Dropout(0.1, name="dropout"),
            L.Flatten(name="flatten"),
            L.Dense(32, activation="sigmoid", name="hidden"),
            L.Dense(10, activation="softmax", name="digit"),
        ],
        name=name,
    )


def residual() -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    stem = L.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(image)
    stem = L.ReLU(name="stem_relu")(L.BatchNormalization(name="stem_bn")(stem))
    inner = L.Conv2D(32, 3, strides=2, padding="same", name="inner_a")(stem)
    inner = L.Activation("relu", name="inner_relu")(L.BatchNormalization(name="inner_bn")(inner))
    inner = L.Conv2D(32, 3, padding="same", name="inner_b")(inner)
    short = L.Conv2D(32, 1, strides=2, padding="same", name="projection")(stem)
    joined = L.ReLU(name="joined_relu")(L.Add(name="add")([inner, short]))
    pooled = L.GlobalAveragePooling2D(name="pool")(joined)
    return keras.Model(image, L.Dense(10, name="logits")(pooled), name="residual_net")


def dense_block() -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    one = L.Conv2D(16, 3, padding="same", activation="relu", name="one")(image)
    two = L.Conv2D(16, 3, padding="same", activation="relu", name="two")(one)
    both = L.BatchNormalization(name="both_bn")(L.Concatenate(name="both")([one, two]))
    three = L.Conv2D(16, 3, padding="same", activation="relu", name="three")(both)
    every = L.Concatenate(name="every")([both, three])
    return keras.Model(image, L.Dense(10, name="logits")(L.Flatten(name="flat")(every)), name="dense_block_net")


def depthwise_separable() -> keras.Model:
    image = keras.Input((8, 8, 1), name="image")
    x = L.Conv2D(16, 3, padding="same", name="stem")(image)
    x = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu", name="depthwise")(x)
    x = L.BatchNormalization(name="depthwise_bn")(x)
    x = L.Conv2D(24, 1, activation="hard_silu", name="pointwise")(x)
    gate = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = L.Conv2D(24, 1, activation="sigmoid", name="excite")(L.Conv2D(8, 1, activation="relu", name="narrow")(gate))
    x = L.Multiply(name="scale")([x, gate])
    x = L.SeparableConv2D(32, 3, depth_multiplier=2, name="separable")(x)
    x = L.UpSampling2D(name="up")(x)
    x = L.Conv2DTranspose(16, 3, strides=2, name="transposed")(x)
    x = L.Reshape((1, -1, 16), name="reshape")(x)
    x = L.GlobalMaxPooling2D(name="pool")(x)
    return keras.Model(image, L.Dense(10, activation="softmax", name="digit")(x), name="depthwise_net")


def shared() -> keras.Model:
    """One layer at two places, a stateless layer at two places, and operators written as such."""
    left, right = keras.Input((12,), name="left"), keras.Input((12,), name="right")
    tower, relu = L.Dense(16, name="tower"), L.ReLU(name="relu")
    a, b = relu(tower(left)), relu(tower(right))
    other = relu(L.Dense(24, name="other")(left))
    c = keras.ops.maximum(a * 2.0 + 1.0, b)
    joined = L.Concatenate(name="joined")([c, other])
    return keras.Model([left, right], L.Dense(3, name="logits")(joined), name="shared_net")


def nested() -> keras.Model:
    """A model in a model in a model, with layer names that occur twice."""
    inner_in = keras.Input((8, 8, 16), name="inner_image")
    inner_out = L.ReLU(name="relu")(L.Conv2D(16, 3, padding="same", name="conv")(inner_in))
    inner = keras.Model(inner_in, L.Add(name="add")([inner_in, inner_out]), name="inner")
    body = keras.Sequential([keras.Input((8, 8, 16)), inner, L.Conv2D(24, 3, name="conv")], name="body")
    image = keras.Input((8, 8, 1), name="image")
    x = body(inner(L.Conv2D(16, 3, padding="same", name="conv")(image)))
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, L.Dense(10, activation="softmax", name="digit")(x), name="nested_net")


def many_ends() -> keras.Model:
    """Two inputs by name, and two outputs."""
    image, facts = keras.Input((8, 8, 1), name="image"), keras.Input((6,), name="facts")
    x = L.Conv2D(16, 3, strides=2, name="conv")(image)
    flat = L.Flatten(name="flat")(x)
    y = L.Dense(16, activation="tanh", name="facts_dense")(facts)
    both = L.Dense(24, activation="relu", name="both_dense")(L.Concatenate(name="both")([flat, y]))
    return keras.Model(
        {"image": image, "facts": facts},
        [L.Dense(10, name="logits")(both), L.Dense(1, name="age")(y)],
        name="many_ends_net",
    )


def frozen_unknown() -> keras.Model:
    """Layer normalization and grouped convolution mix channels; what is around them can go."""
    image = keras.Input((8, 8, 1), name="image")
    x = L.Conv2D(16, 3, name="free")(image)
    x = L.Conv2D(16, 3, name="held")(x)
    x = L.LayerNormalization(name="layer_norm")(x)
    x = L.Conv2D(16, 3, groups=4, name="grouped")(x)
    x = L.Conv2D(24, 1, name="last")(x)
    return keras.Model(image, L.Dense(10, name="logits")(L.GlobalAveragePooling2D(name="pool")(x)), name="frozen_net")


def one_dimensional() -> keras.Model:
    signal = keras.Input((32, 4), name="signal")
    x = L.Conv1D(16, 5, padding="causal", activation="relu", name="conv1")(signal)
    x = L.BatchNormalization(scale=False, name="bn")(x)
    x = L.Conv1D(24, 3, dilation_rate=2, padding="same", name="conv2")(x)
    x = L.Dense(16, activation="relu", name="each")(L.AveragePooling1D(2, name="pool")(x))
    return keras.Model(signal, L.Dense(5, name="logits")(L.Flatten(name="flat")(x)), name="signal_net")


NETS = {
    "dense_block": dense_block,
    "depthwise_separable": depthwise_separable,
    "frozen_unknown": frozen_unknown,
    "many_ends": many_ends,
    "nested": nested,
    "one_dimensional": one_dimensional,
    "residual": residual,
    "sequential": sequential,
    "shared": shared,
}


def make(name: str, seed: int = 0) -> keras.Model:
    """Return the net with all its weights drawn anew, those that Keras starts at 0 or 1 included."""
    model = NETS[name]()
    random = np.random.default_rng(seed)
    for variable in model.weights:
        spread: Any = np.sqrt(2 / max(1, np.prod(variable.shape[:-1]))) if len(variable.shape) > 1 else 0.3
        values = random.normal(0, spread, variable.shape)
        variable.assign(np.abs(values) + 0.3 if variable.name in ("gamma", "moving_variance") else values)
    return model


def data_for(model: keras.Model, samples: int = 64) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(1)
    return tuple(random.normal(size=(samples, *t.shape[1:])).astype("float32") for t in model.inputs)
