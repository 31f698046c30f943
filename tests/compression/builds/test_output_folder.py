from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError, PocketbenchError
from pocketbench.compression.output_folder import check_folder, check_space, place_variant


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_that_can_be_written_stays_as_it_was(tmp_path: Path):
    check_folder(tmp_path / "not" / "there", ["float32-onnx"], "0" * 64)

    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param("file", "got the file", id="file"),
        pytest.param("file/below", "Not a directory", id="below a file"),
    ],
)
def test_a_file_in_the_place_of_the_folder_is_refused(place: str, words: str, tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(InputError, match=words):
        check_folder(tmp_path / place, [], "0" * 64)


def test_a_folder_that_takes_no_folders_is_refused():
    with pytest.raises(InputError, match="a folder that can be written for the variants, got /proc: "):
        check_folder(Path("/proc/pocketbench-variants"), [], "0" * 64)


def test_what_is_no_variant_is_not_replaced(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "variant.json").write_text("{}")
    check_folder(tmp_path, ["a", "b", "c"], "0" * 64)  # an empty folder, an earlier variant, nothing
    (tmp_path / "a" / "thesis.tex").write_text("years of work")

    with pytest.raises(InputError, match=r"an earlier one at .*/a, got something else: move it away"):
        check_folder(tmp_path, ["a", "b", "c"], "0" * 64)


def test_too_little_space_is_refused_with_both_numbers(tmp_path: Path):
    model_bytes = 100_000_000

    check_space([tmp_path / "new"], model_bytes, 2, free_bytes=lambda folder: 800_000_000)
    with pytest.raises(InputError, match=r"expected 800 MB of free space for 2 variants at .*new, got 799 MB"):
        check_space([tmp_path / "new"], model_bytes, 2, free_bytes=lambda folder: 799_000_000)
    with pytest.raises(InputError, match="expected 34 MB"):
        check_space([tmp_path], 1, 1, free_bytes=lambda folder: 1)


def test_a_variant_is_replaced_as_a_whole(tmp_path: Path):
    place_variant(tmp_path, "a", lambda folder: folder.joinpath("old.onnx").touch())
    place = place_variant(tmp_path, "a", lambda folder: folder.joinpath("new.onnx").touch())

    assert place == tmp_path / "a"
    assert names(place) == ["new.onnx"]
    assert names(tmp_path) == ["a"]


def test_the_earlier_variant_stays_where_the_new_one_cannot_be_filled(tmp_path: Path):
    place_variant(tmp_path, "a", lambda folder: folder.joinpath("old.onnx").touch())

    def fill(folder: Path) -> None:
        folder.joinpath("half.onnx").touch()
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        place_variant(tmp_path, "a", fill)
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["old.onnx"]


def test_the_earlier_variant_comes_back_where_the_new_one_cannot_take_its_place(tmp_path: Path):
    place_variant(tmp_path, "a", lambda folder: folder.joinpath("old.onnx").touch())

    with pytest.raises(PocketbenchError, match="the variant 'a' could not be written"):
        place_variant(tmp_path, "a", Path.rmdir)  # the new folder is gone when its turn comes
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["old.onnx"]


# In a process of its own: the limit holds for every file, also for the one that this process may print into.
FILL_A_DISK = """
import resource, signal, sys
from pathlib import Path
from pocketbench.compression.output_folder import place_variant
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
try:
    place_variant(Path(sys.argv[1]), "a", lambda folder: (folder / "model.onnx").write_bytes(bytes(4096)))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_disk_that_takes_no_more_is_told_in_a_sentence(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", FILL_A_DISK, str(tmp_path)]

    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert said.startswith("PocketbenchError the variant 'a' could not be written to ")
    assert "File too large: free some space" in said
    assert names(tmp_path) == []


def test_variants_of_another_model_do_not_stay_beside_the_new_ones(tmp_path: Path):
    for name, sha256 in (("mine", "1" * 64), ("other", "2" * 64)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "variant.json").write_text(json.dumps({"base": {"sha256": sha256}}))

    check_folder(tmp_path, ["other"], "1" * 64)  # replaced by the build
    check_folder(tmp_path, ["mine"], "2" * 64)
    with pytest.raises(InputError, match=r"expected no variants of another model in .* got other:"):
        check_folder(tmp_path, ["new"], "1" * 64)
