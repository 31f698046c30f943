"""A model that was saved compiled is trained further with its own loss."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import DataSpec
from pocketbench.compression.saved_loss import saved_loss
from pocketbench.compression.tensorflow import import_keras
from tests.compression.builds.conftest import build

keras: Any = import_keras()
L = keras.layers


def small(loss: Any = None) -> Any:
    model = keras.Sequential([keras.Input((4,), name="x"), L.Dense(2, name="dense")])
    if loss is not None:
        model.compile("sgd", loss, metrics=["mae"])
    return model


def name_of(loss: Any) -> str:
    return str(getattr(loss, "name", None) or loss.__name__)


@pytest.mark.parametrize("suffix", ["keras", pytest.param("h5", marks=pytest.mark.filterwarnings("ignore:.*HDF5"))])
@pytest.mark.parametrize(
    ("loss", "name"),
    [
        pytest.param("mae", "mean_absolute_error", id="name"),
        pytest.param(keras.losses.mean_squared_error, "mean_squared_error", id="function"),
        pytest.param(keras.losses.BinaryCrossentropy(from_logits=True), "binary_crossentropy", id="object"),
    ],
)
def test_a_loss_of_keras_is_read(loss: Any, name: str, suffix: str, tmp_path: Path):
    path = tmp_path / f"model.{suffix}"
    small(loss).save(path)

    found = saved_loss(path)

    assert name_of(found) == name
    if name == "binary_crossentropy":
        assert found.get_config()["from_logits"]


def test_a_model_that_was_not_compiled_has_none(tmp_path: Path):
    small().save(tmp_path / "model.keras")

    assert saved_loss(tmp_path / "model.keras") is None


def test_several_losses_stay_several(tmp_path: Path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [L.Dense(1, name="a")(inputs), L.Dense(1, name="b")(inputs)])
    model.compile("sgd", ["mse", "mae"])
    model.save(tmp_path / "model.keras")

    assert [name_of(loss) for loss in saved_loss(tmp_path / "model.keras")] == [
        "mean_squared_error",
        "mean_absolute_error",
    ]


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param({"class_name": "function", "config": "my_loss", "module": "builtins"}, id="function"),
        pytest.param({"class_name": "Popen", "config": {"args": "true"}, "module": "subprocess"}, id="module"),
        pytest.param("nonsense", id="name"),
    ],
)
def test_another_loss_is_refused_and_nothing_of_it_runs(loss: Any, tmp_path: Path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"compile_config": {"loss": loss}}))

    with pytest.raises(InputError, match="a loss of Keras' own, got another"):
        saved_loss(path)


@pytest.mark.slow
def test_a_build_trains_variants_and_controls_with_it(tmp_path: Path):
    small("mae").save(tmp_path / "model.keras")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "train.npz", x=random.random((32, 4), np.float32), y=random.random((32, 2), np.float32))
    (tmp_path / "mine.yaml").write_text("version: 1\nname: mine\nsteps: [{finetune: {epochs: 1}}]\n")
    (tmp_path / "huber.yaml").write_text("version: 1\nname: huber\nsteps: [{finetune: {epochs: 2, loss: huber}}]\n")

    made = build(
        tmp_path / "model.keras",
        tmp_path / "variants",
        recipes=[tmp_path / "mine.yaml", tmp_path / "huber.yaml"],
        formats=["onnx"],
        data=DataSpec(train=str(tmp_path / "train.npz")),
    ).variants

    losses = {variant.manifest.name: variant.manifest.steps[0].details["loss"] for variant in made.values()}
    assert losses == {
        "mine-onnx": "mean_absolute_error",
        "huber-onnx": "huber",
        "control-1-epochs-onnx": "mean_absolute_error",
        "control-2-epochs-onnx": "huber",
    }
