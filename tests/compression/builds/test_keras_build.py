"""A build of a Keras model in both formats, with training and controls: what ONNX models cannot show."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import DataSpec
from pocketbench.compression.manifest import read_manifest
from pocketbench.compression.models import inspect_model
from pocketbench.compression.recipes import recipe_names
from pocketbench.compression.tensorflow import import_keras
from tests.compression.builds.conftest import Build, build
from tests.compression.tiny import CLASSES, save_keras_classifier

pytestmark = pytest.mark.slow  # the build that most of them look at takes over ten seconds

ROOT = Path(__file__).parents[3]
SAMPLES = 64


def recipe_of_the_docs(folder: Path) -> Path:
    """The first recipe in docs/recipes.md, as a user would copy it."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8"), re.DOTALL)
    path = folder / "small-int8.yaml"
    path.write_text(blocks[0], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def keras_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    save_keras_classifier(folder / "model.keras")
    random = np.random.default_rng(1)
    images = random.normal(size=(SAMPLES, 8, 8, 1)).astype(np.float32)
    np.savez(folder / "data.npz", x=images, y=random.integers(0, CLASSES, SAMPLES))
    np.savez(folder / "inputs.npz", x=images)
    return folder


@pytest.fixture(scope="module")
def keras_data(keras_folder: Path) -> DataSpec:
    return DataSpec(train=str(keras_folder / "data.npz"), evaluation=str(keras_folder / "data.npz"))


@pytest.fixture(scope="module")
def keras_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def keras_build(keras_folder: Path, keras_data: DataSpec, keras_cache: Path) -> Build:
    """Every recipe there is and the one of the docs, in both formats."""
    return build(
        keras_folder / "model.keras",
        keras_folder / "variants",
        recipes=[*recipe_names(), recipe_of_the_docs(keras_folder)],
        formats=["tflite", "onnx"],
        data=keras_data,
        cache=keras_cache,
    )


def test_every_recipe_is_made_in_both_formats_with_one_control(keras_build: Build):
    failures = {name: made.manifest.failure for name, made in keras_build.variants.items() if made.manifest.failure}
    assert failures == {}
    names = [f"{name}-{kind}" for name in [*recipe_names(), "small-int8", "control"] for kind in ("tflite", "onnx")]
    assert sorted(keras_build.variants) == sorted(names)


def test_each_variant_that_was_trained_names_the_control_of_its_format(keras_build: Build):
    controls = {name: made.manifest.control for name, made in keras_build.variants.items()}

    trained = ("prune-weights", "prune-channels", "low-rank", "small-int8")
    assert {name for name, control in controls.items() if control} == {
        f"{name}-{kind}" for name in trained for kind in ("tflite", "onnx")
    }
    assert all(control is None or control == f"control-{name.rpartition('-')[2]}" for name, control in controls.items())
    assert keras_build.variants["control-onnx"].manifest.role == "control"
    assert [report.step for report in keras_build.variants["control-onnx"].manifest.steps] == ["finetune"]


def test_what_variants_share_is_made_once(keras_build: Build):
    """The base model and the control are each run once and exported once per format."""
    started = Counter(
        part
        for message in dict.fromkeys(keras_build.messages().splitlines())
        for part in message.split(", ")
        if "(" not in part
    )

    assert {part for part in started if part.startswith("training")} == {
        f"training {name}" for name in ("prune-weights", "prune-channels", "low-rank", "control")
    }
    assert "exporting control to onnx" in started


def test_a_recipe_shares_its_training_with_the_one_that_quantizes_after_it(keras_build: Build):
    """small-int8 of the docs is prune-channels and then int8."""
    pruned = keras_build.variants["prune-channels-onnx"].manifest
    both = keras_build.variants["small-int8-onnx"].manifest

    assert both.steps[:2] == pruned.steps
    assert both.parameters == pruned.parameters
    assert both.parameters is not None
    assert both.base.parameters is not None
    assert both.parameters < both.base.parameters


def test_a_pruned_file_stores_its_zeros_as_such_where_the_format_can(keras_build: Build):
    manifest = keras_build.variants["prune-weights-tflite"].manifest
    dense = keras_build.variants["float32-tflite"].manifest

    assert manifest.file is not None
    assert dense.file is not None
    assert manifest.file.size_bytes < dense.file.size_bytes
    assert manifest.file.size_gzip_bytes < dense.file.size_gzip_bytes / 2


def test_manifests_of_keras_models_hold_no_time_and_no_path(keras_build: Build, keras_folder: Path):
    for made in keras_build.variants.values():
        text = (made.folder / "variant.json").read_text()

        assert str(keras_folder) not in text
        assert re.search(r"20\d\d-\d\d|\d\d:\d\d|(?<![\d.])1[6-9]\d{8}\b", text) is None
        assert read_manifest(made.folder) == made.manifest


def test_a_cached_build_trains_and_exports_nothing(
    keras_build: Build, keras_folder: Path, keras_data: DataSpec, keras_cache: Path, tmp_path: Path
):
    again = build(
        keras_folder / "model.keras",
        tmp_path,
        recipes=["prune-channels", "int8"],
        formats=["onnx", "tflite"],
        data=keras_data,
        cache=keras_cache,
    )

    assert {part for part in again.messages().splitlines() if part not in ("reading the data", "done")} == set()
    expected = keras_build.bytes()
    assert again.bytes() == {name: expected[name] for name in again.bytes()}


def test_the_same_seed_gives_the_same_bytes_without_a_cache(
    keras_build: Build, keras_folder: Path, keras_data: DataSpec, tmp_path: Path
):
    again = build(
        keras_folder / "model.keras",
        tmp_path / "other order",
        recipes=["low-rank", "prune-channels", "float32"],
        formats=["onnx", "tflite"],
        data=keras_data,
    )

    expected = keras_build.bytes()
    assert again.bytes() == {name: expected[name] for name in again.bytes()}
    assert "control-onnx/control-onnx.onnx" in again.bytes()


def test_training_without_labels_fails_those_that_train_and_no_other(keras_folder: Path, tmp_path: Path):
    data = DataSpec(train=str(keras_folder / "inputs.npz"))

    made = build(
        keras_folder / "model.keras", tmp_path, recipes=["float16", "prune-channels"], formats=["tflite"], data=data
    )

    assert sorted(made.variants) == ["float16-tflite", "prune-channels-tflite"]
    assert made.variants["float16-tflite"].manifest.ok
    failure = made.variants["prune-channels-tflite"].manifest.failure
    assert failure is not None
    assert failure.stage == "data"
    assert "got inputs only: add them as 'y'" in failure.reason


def test_a_fixed_batch_and_a_dict_of_inputs(tmp_path: Path):
    """What is exported has a batch of 1 whatever the model's is, and its inputs are in the order of the model's."""
    keras = import_keras()
    layers = keras.layers
    a, b = keras.Input(batch_shape=(16, 4), name="a"), keras.Input(batch_shape=(16, 3), name="b")
    both = layers.Concatenate()([a, b])
    model = keras.Model({"b": b, "a": a}, [layers.Dense(2, name="z")(both), layers.Dense(1, name="y")(a)])
    model.save(tmp_path / "odd.h5")

    made = build(tmp_path / "odd.h5", tmp_path / "out", recipes=["float32"], formats=["tflite", "onnx"])

    assert {variant.manifest.failure for variant in made.variants.values()} == {None}
    for variant in made.variants.values():
        manifest = variant.manifest
        assert [(facts.name, facts.shape) for facts in manifest.inputs] == [("a", (1, 4)), ("b", (1, 3))]
        assert [(facts.name, facts.shape) for facts in manifest.outputs] == [("z", (1, 2)), ("y", (1, 1))]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_half_a_model_is_refused(suffix: str, share: float, tmp_path: Path):
    save_keras_classifier(tmp_path / f"whole{suffix}")
    content = (tmp_path / f"whole{suffix}").read_bytes()
    (tmp_path / f"half{suffix}").write_bytes(content[: int(len(content) * share)])

    with pytest.raises(InputError, match=rf"half\{suffix}"):
        inspect_model(tmp_path / f"half{suffix}")


def test_an_open_size_is_refused(tmp_path: Path):
    keras = import_keras()
    image = keras.Input((None, None, 3), name="image")
    keras.Model(image, keras.layers.GlobalAveragePooling2D()(image)).save(tmp_path / "open.keras")

    with pytest.raises(
        InputError, match=r"every dimension of the input 'image' but the batch to be fixed .* got \(None"
    ):
        inspect_model(tmp_path / "open.keras")
