from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.data import load_dataset
from pocketbench.compression.manifest import TensorFacts

IMAGE = TensorFacts(name="image", shape=(-1, 2, 3), dtype="float32")
LEFT = TensorFacts(name="left", shape=(-1, 2), dtype="float32")
RIGHT = TensorFacts(name="right", shape=(-1, 3), dtype="int32")


def save(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]  # its stub takes the arrays for `allow_pickle`
    return str(folder / "data.npz")


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("key", ["x", "image"])
@pytest.mark.parametrize("labels", ["y", "labels"])
def test_one_input_is_x_or_the_name_of_the_input(key: str, labels: str, tmp_path: Path):
    images, classes = floats(5, 2, 3), np.arange(5)

    dataset = load_dataset(save(tmp_path, **{key: images, labels: classes}), [IMAGE])

    assert np.array_equal(dataset.inputs[0], images)
    assert dataset.labels is not None
    assert np.array_equal(dataset.labels, classes)


def test_several_inputs_are_found_by_name_and_put_in_the_order_of_the_model(tmp_path: Path):
    left, right = floats(4, 2), np.arange(12, dtype=np.int32).reshape(4, 3)

    dataset = load_dataset(save(tmp_path, right=right, left=left), [LEFT, RIGHT])

    assert np.array_equal(dataset.inputs[0], left)
    assert np.array_equal(dataset.inputs[1], right)
    assert dataset.labels is None


def test_numbers_of_another_width_are_converted_where_they_fit(tmp_path: Path):
    source = save(tmp_path, left=floats(2, 2).astype(np.float64), right=np.full((2, 3), 7, np.int64))

    dataset = load_dataset(source, [LEFT, RIGHT])

    assert [array.dtype.name for array in dataset.inputs] == ["float32", "int32"]


def test_what_fits_any_size_of_an_open_dimension_is_taken(tmp_path: Path):
    steps = TensorFacts(name="steps", shape=(-1, -1, 3), dtype="float32")

    assert load_dataset(save(tmp_path, x=floats(2, 9, 3)), [steps]).inputs[0].shape == (2, 9, 3)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        pytest.param({"x": floats(4, 3, 2)}, ["(2, 3)", "'image'", "got (3, 2)"], id="shape"),
        pytest.param({"x": floats(4, 6)}, ["(2, 3)", "got (6)"], id="rank"),
        pytest.param({"x": np.ones((4, 2, 3), np.uint8)}, ["float32", "'image'", "got uint8", "astype"], id="dtype"),
        pytest.param({"x": floats(4, 2, 3) > 0}, ["float32", "got bool"], id="bool"),
        pytest.param({"x": np.full((4, 2, 3), "a")}, ["float32", "got <U1"], id="text"),
        pytest.param({"x": np.full((4, 2, 3), 1e300)}, ["float32 can hold", "got float64", "1e+300"], id="too large"),
        pytest.param({"x": floats(0, 2, 3)}, ["at least one", "'image': 0"], id="empty"),
        pytest.param({"x": np.float32(1)}, ["at least one"], id="scalar"),
        pytest.param(
            {"x": floats(4, 2, 3), "y": np.arange(3)}, ["same number", "'image': 4", "'the labels': 3"], id="counts"
        ),
        pytest.param(
            {"x": floats(1, 2, 3), "y": np.array(["cat"])}, ["labels that are numbers", "<U3"], id="text labels"
        ),
        pytest.param({"images": floats(4, 2, 3)}, ["'x'", "['image']", "got the keys ['images']"], id="key"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_sides(arrays: dict[str, np.ndarray], words: list[str], tmp_path: Path):
    source = save(tmp_path, **arrays)

    with pytest.raises(InputError) as caught:
        load_dataset(source, [IMAGE])

    message = str(caught.value)
    assert [word for word in [source, *words] if word not in message] == [], message


def test_integers_that_the_input_cannot_hold_are_refused(tmp_path: Path):
    source = save(tmp_path, left=floats(2, 2), right=np.full((2, 3), 2**40))

    with pytest.raises(InputError, match=r"int32 can hold .* 'right', got int64 from 1099511627776 to 1099511627776"):
        load_dataset(source, [LEFT, RIGHT])


def test_a_missing_key_of_several_inputs_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"\['left', 'right'\], got the keys \['left'\]"):
        load_dataset(save(tmp_path, left=floats(2, 2)), [LEFT, RIGHT])


def damaged(content: bytes) -> bytes:
    middle = len(content) // 3
    return content[:middle] + bytes(byte ^ 0x5A for byte in content[middle : middle + 200]) + content[middle + 200 :]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="truncated"),
        pytest.param(damaged, id="damaged"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: bytes(range(256)) * 4, id="random bytes"),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_archive_is_refused(save, change, tmp_path: Path):
    path = tmp_path / "data.npz"
    save(path, x=floats(50, 2, 3))
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(InputError, match=r"expected a .*\.npz file.*data\.npz"):
        load_dataset(str(path), [IMAGE])


def test_pickled_objects_are_refused_and_not_run(tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    np.savez(tmp_path / "data.npz", x=np.array([Trap()], dtype=object), allow_pickle=True)

    with pytest.raises(InputError, match="plain arrays"):
        load_dataset(str(tmp_path / "data.npz"), [IMAGE])
    assert not (tmp_path / "sprung").exists()


def test_a_single_array_under_the_name_of_an_archive_is_refused(tmp_path: Path):
    with (tmp_path / "data.npz").open("wb") as stream:
        np.save(stream, floats(4, 2, 3))

    with pytest.raises(InputError, match="a single array"):
        load_dataset(str(tmp_path / "data.npz"), [IMAGE])


@pytest.mark.parametrize(
    ("name", "found"),
    [pytest.param("nowhere.npz", "No such file", id="npz"), pytest.param("nowhere", "nothing there", id="no ending")],
)
def test_a_missing_source_is_named(name: str, found: str, tmp_path: Path):
    with pytest.raises(InputError, match=rf"{name}.*{found}"):
        load_dataset(str(tmp_path / name), [IMAGE])


def test_another_kind_of_file_is_named(tmp_path: Path):
    (tmp_path / "data.csv").write_text("1,2\n")

    with pytest.raises(InputError, match=r"data\.csv': another kind of file"):
        load_dataset(str(tmp_path / "data.csv"), [IMAGE])


def test_numbers_that_are_none_are_refused_with_their_count(tmp_path: Path):
    images = floats(4, 2, 3)
    images[1, 0, 0], images[3, 0, 0], images[3, 1, 1] = np.nan, np.inf, np.nan

    with pytest.raises(
        InputError, match="expected numbers for the model's input 'image', got NaN or infinity in 2 of 4"
    ):
        load_dataset(save(tmp_path, x=images), [IMAGE])
