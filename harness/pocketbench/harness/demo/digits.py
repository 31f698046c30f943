"""Train a small residual network on scikit-learn's digits (1,797 real 8x8 images of handwritten digits).

`python -m pocketbench.harness.demo.digits FOLDER` writes model.keras, train.npz, test.npz and plan.yaml into FOLDER.
It runs as a process of its own so that TensorFlow is not loaded into the process that measures.
The data set: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998; scikit-learn ships it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pocketbench.checked.errors import MissingExtraError

if TYPE_CHECKING:
    import keras

__all__ = ["PLAN", "load_digits", "residual_network", "train"]

SEED = 0
TEST_SHARE = 0.25  # 450 images: one image is 0.22 points of accuracy
EPOCHS = 20
BATCH_SIZE = 32

PLAN = """\
version: 1
name: digits
model: model.keras
recipes: [float32, float16, int8-dynamic, int8, int16x8, prune-weights, prune-channels, low-rank]
formats: [tflite, onnx]
data: {train: train.npz, evaluation: test.npz, metric: top-1}
devices: [local]
rounds: 5
launch: {iterations: 100, min_time_s: 0.4, warmup_iterations: 20, warmup_time_s: 0.1}
"""


def load_digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return (images, labels) for training and for testing: float32 (N, 8, 8, 1) in [0, 1], int64 (N,)."""
    try:
        from sklearn import datasets, model_selection
    except ImportError:
        raise MissingExtraError("scikit-learn", "The demo's data set", ["demo"]) from None
    digits = datasets.load_digits()
    images = (digits.images[..., None] / 16.0).astype(np.float32)
    labels = digits.target.astype(np.int64)
    train_x, test_x, train_y, test_y = model_selection.train_test_split(
        images, labels, test_size=TEST_SHARE, random_state=SEED, stratify=labels
    )
    return (train_x, train_y), (test_x, test_y)


def residual_network() -> keras.Model:
    """Return the untrained network: two residual stages on 8x8 images, about 175,000 parameters."""
    import keras
    from keras import layers

    def convolution(tensor: object, filters: int, name: str, strides: int = 1, size: int = 3) -> object:
        tensor = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False, name=f"{name}_conv")(
            tensor
        )
        return layers.BatchNormalization(name=f"{name}_bn")(tensor)

    def block(tensor: object, filters: int, name: str, strides: int = 1) -> object:
        inner = layers.ReLU(name=f"{name}_a_relu")(convolution(tensor, filters, f"{name}_a", strides))
        inner = convolution(inner, filters, f"{name}_b")
        if strides != 1:
            tensor = convolution(tensor, filters, f"{name}_shortcut", strides, size=1)
        return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([inner, tensor]))

    image = keras.Input((8, 8, 1), name="image")
    tensor = layers.ReLU(name="stem_relu")(convolution(image, 32, "stem"))
    tensor = block(tensor, 32, "block1")
    tensor = block(tensor, 64, "block2", strides=2)
    tensor = block(tensor, 64, "block3")
    tensor = layers.GlobalAveragePooling2D(name="pool")(tensor)
    digit = layers.Dense(10, activation="softmax", name="digit")(tensor)
    return keras.Model(image, digit, name="digits")


def train(folder: Path) -> float:
    """Train the network, write model, data and plan into `folder`; return the accuracy on the test images."""
    try:
        import keras
        import tensorflow as tf
    except ImportError:
        raise MissingExtraError("tensorflow", "The demo's training", ["demo", "tensorflow"]) from None
    (train_x, train_y), (test_x, test_y) = load_digits()
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = residual_network()
    steps = EPOCHS * -(-len(train_x) // BATCH_SIZE)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(train_x, train_y, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    accuracy = float(model.evaluate(test_x, test_y, verbose=0, return_dict=True)["accuracy"])
    model.save(folder / "model.keras")
    np.savez(folder / "train.npz", x=train_x, y=train_y)
    np.savez(folder / "test.npz", x=test_x, y=test_y)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return accuracy


def main() -> None:
    """Train into the folder named on the command line and print the accuracy."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a network this small is slower on a GPU
    try:
        sys.stdout.write(f"{train(Path(sys.argv[1])):.4f}\n")
    except MissingExtraError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
