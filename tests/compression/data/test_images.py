from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import check_classes, load_dataset
from pocketbench.compression.manifest import TensorFacts

RGB = TensorFacts(name="image", shape=(-1, 4, 6, 3), dtype="float32")
COLOURS = {"cat": (255, 0, 0), "dog": (0, 0, 255)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two red cats and a blue dog, 8 pixels high and 12 wide."""
    for name, colour in COLOURS.items():
        (tmp_path / name).mkdir()
        Image.new("RGB", (12, 8), colour).save(tmp_path / name / "1.png")
    Image.new("RGB", (6, 4), COLOURS["cat"]).save(tmp_path / "cat" / "2.PNG")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "cat" / "._1.png").write_bytes(b"what another system leaves behind")
    return tmp_path


def test_classes_are_the_sorted_sub_folders_and_images_are_resized(folder: Path):
    dataset = load_dataset(str(folder), [RGB])

    assert dataset.inputs[0].shape == (3, 4, 6, 3)
    assert dataset.inputs[0].dtype == np.float32
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [0, 0, 1]
    assert dataset.inputs[0][0, 0, 0].tolist() == [1.0, 0.0, 0.0]
    assert dataset.inputs[0][2, 3, 5].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        pytest.param("0..1", 0.0, 1.0, id="unit"),
        pytest.param("-1..1", -1.0, 1.0, id="symmetric"),
        pytest.param("0..255", 0.0, 255.0, id="bytes"),
    ],
)
def test_scale_is_the_range_of_the_values(scale, low: float, high: float, folder: Path):
    values = load_dataset(str(folder), [RGB], scale=scale).inputs[0]

    assert (values.min(), values.max()) == (low, high)


def test_channels_come_first_where_the_model_wants_them_first(folder: Path):
    dataset = load_dataset(str(folder), [RGB.model_copy(update={"shape": (-1, 3, 4, 6)})])

    assert dataset.inputs[0].shape == (3, 3, 4, 6)
    assert dataset.inputs[0][0, :, 0, 0].tolist() == [1.0, 0.0, 0.0]


def test_one_channel_is_grayscale(folder: Path):
    values = load_dataset(str(folder), [RGB.model_copy(update={"shape": (-1, 4, 6, 1)})]).inputs[0]

    # ITU-R 601: 0.299 of red, 0.114 of blue
    assert values[0].mean() == pytest.approx(0.299, abs=0.005)
    assert values[2].mean() == pytest.approx(0.114, abs=0.005)


def test_an_unsigned_8_bit_input_gets_the_bytes(folder: Path):
    values = load_dataset(str(folder), [RGB.model_copy(update={"dtype": "uint8"})]).inputs[0]

    assert values.dtype == np.uint8
    assert values[0, 0, 0].tolist() == [255, 0, 0]


def test_an_empty_class_keeps_its_number(folder: Path):
    (folder / "bird").mkdir()

    labels = load_dataset(str(folder), [RGB]).labels

    assert labels is not None
    assert labels.tolist() == [1, 1, 2]


def test_folders_of_other_classes_are_refused_since_their_numbers_differ(folder: Path, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "dog").mkdir()

    check_classes({"train": str(folder), "evaluation": str(folder)})
    with pytest.raises(InputError, match=r"\(train\).*\(evaluation\), got \['cat'\] in one of them only"):
        check_classes({"train": str(folder), "evaluation": str(other)})


@pytest.mark.parametrize("files", [[], ["cat.png"]], ids=["nothing", "no sub-folder"])
def test_a_folder_without_images_by_class_is_refused(files: list[str], tmp_path: Path):
    for name in files:
        Image.new("RGB", (4, 4)).save(tmp_path / name)

    with pytest.raises(InputError, match=r"sub-folder per class below .* got no file ending in \.bmp"):
        load_dataset(str(tmp_path), [RGB])


def test_a_file_that_is_no_image_is_named(folder: Path):
    (folder / "dog" / "2.jpg").write_bytes(b"GIF, or so it says")

    with pytest.raises(InputError, match=r"an image that can be read, got .*dog/2\.jpg"):
        load_dataset(str(folder), [RGB])


def test_an_image_of_16_bits_is_refused_rather_than_clipped(folder: Path):
    Image.fromarray(np.full((8, 12), 40_000, np.uint16)).save(folder / "dog" / "deep.png")

    with pytest.raises(InputError, match=r"8 bits per channel .*deep\.png"):
        load_dataset(str(folder), [RGB])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        pytest.param([RGB, RGB], "one input .* got 2", id="two inputs"),
        pytest.param([RGB.model_copy(update={"shape": (-1, 16)})], r"image input .* got \(16,\)", id="vector"),
        pytest.param([RGB.model_copy(update={"shape": (-1, 5, 6, 5)})], r"1, 3 or 4", id="five channels"),
        pytest.param([RGB.model_copy(update={"shape": (-1, -1, -1, 3)})], "fixed size", id="open size"),
    ],
)
def test_a_model_that_takes_no_image_is_refused(inputs: list[TensorFacts], words: str, folder: Path):
    with pytest.raises(InputError, match=words):
        load_dataset(str(folder), inputs)
