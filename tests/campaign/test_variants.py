"""Variants: folders with a manifest, files without one, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from pocketbench.checked.errors import InputError, PocketbenchError
from pocketbench.compression.build import build_variants
from pocketbench.compression.data import DataSpec
from pocketbench.compression.manifest import read_manifest, write_manifest
from pocketbench.harness.campaign.jobs import job_records, reference_name, variant_records
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.variants import LoadedVariant, load_variant, load_variants
from tests.runner.tiny_models import dense_onnx, dense_tflite


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """float32-onnx, float16-onnx, and int8-onnx, which failed as it has no data."""
    folder = tmp_path_factory.mktemp("built")
    build_variants(
        dense_onnx(folder / "dense.onnx"),
        recipes=["float16", "float32", "int8"],
        formats=["onnx"],
        data=DataSpec(),
        output=folder / "variants",
    )
    return folder / "variants"


def plan(**values: object) -> Plan:
    return Plan.model_validate({"version": 1, "name": "x", "model": "m.onnx", **values})


def test_a_folder_brings_what_its_manifest_says(built: Path):
    variant = load_variant(built / "float16-onnx")

    assert variant.name == "float16-onnx"
    assert variant.file == built / "float16-onnx" / "float16-onnx.onnx"
    assert variant.golden == built / "float16-onnx" / "golden.npz"
    assert variant.manifest is not None
    assert (variant.rtol, variant.atol) == (variant.manifest.golden.rtol, variant.manifest.golden.atol)  # type: ignore[union-attr]
    assert variant.inputs[0].shape == (1, 64)


def test_a_failed_variant_is_loaded_without_a_file(built: Path):
    variant = load_variant(built / "int8-onnx")

    assert variant.file is None
    assert variant.manifest is not None
    assert variant.manifest.failure is not None


def test_a_file_is_asked_itself(tmp_path: Path):
    variant = load_variant(dense_tflite(tmp_path / "dense.tflite"))

    assert (variant.name, variant.format, variant.golden) == ("dense.tflite", "tflite", None)
    assert variant.inputs[0].shape == (1, 64)
    assert variant.facts is not None
    assert variant.facts.size_bytes == (tmp_path / "dense.tflite").stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("missing.onnx", None, "which does not exist", id="missing"),
        pytest.param("model.txt", b"text", "expected a file that ends in .tflite or .onnx", id="extension"),
        pytest.param("random.tflite", bytes(range(256)) * 8, "random.tflite", id="random tflite"),
        pytest.param("random.onnx", bytes(range(256)) * 8, "random.onnx", id="random onnx"),
        pytest.param("empty.tflite", b"", "empty.tflite", id="empty"),
    ],
)
def test_what_is_no_variant_is_refused(name: str, content: bytes | None, expected: str, tmp_path: Path):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError) as error:
        load_variant(tmp_path / name)

    assert expected in str(error.value)


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_a_truncated_file_is_refused(suffix: str, tmp_path: Path):
    path = tmp_path / f"dense.{suffix}"
    (dense_tflite if suffix == "tflite" else dense_onnx)(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(InputError, match="dense"):
        load_variant(path)


def test_a_file_that_was_changed_is_not_what_its_manifest_says(built: Path, tmp_path: Path):
    folder = shutil.copytree(built / "float32-onnx", tmp_path / "float32-onnx")
    file = folder / "float32-onnx.onnx"
    file.write_bytes(file.read_bytes() + b"\0")

    with pytest.raises(InputError, match="changed since"):
        load_variant(folder)


def test_a_manifest_cannot_lead_out_of_its_folder(built: Path, tmp_path: Path):
    folder = shutil.copytree(built / "float32-onnx", tmp_path / "float32-onnx")
    manifest = json.loads((folder / "variant.json").read_text())
    manifest["file"]["name"] = "../../secret"
    (folder / "variant.json").write_text(json.dumps(manifest))

    with pytest.raises(InputError, match="secret"):
        load_variant(folder)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path):
    sources = []
    for folder in ("a", "b", "b/c"):
        (tmp_path / folder).mkdir()
        sources.append(dense_onnx(tmp_path / folder / "model.onnx"))
    sources.append(dense_onnx(tmp_path / "other.onnx"))

    names = [variant.name for variant in load_variants(sources)]

    assert names == ["a/model.onnx", "b/model.onnx", "c/model.onnx", "other.onnx"]


def test_the_reference_is_the_plans_or_float32_or_the_first(built: Path, tmp_path: Path):
    variants = [load_variant(built / name) for name in ("float16-onnx", "float32-onnx", "int8-onnx")]
    files = [load_variant(dense_tflite(tmp_path / "dense.tflite")), load_variant(dense_onnx(tmp_path / "dense.onnx"))]

    assert reference_name(plan(), variants) == "float32-onnx"
    assert reference_name(plan(reference="float16-onnx"), variants) == "float16-onnx"
    assert reference_name(plan(), files) == "dense.tflite"
    with pytest.raises(InputError, match="did you mean 'float16-onnx'"):
        reference_name(plan(reference="float-16-onnx"), variants)
    with pytest.raises(InputError, match="expected the name of a variant as reference, got 'int8-onnx'"):
        reference_name(plan(reference="int8-onnx"), variants)


def test_no_variant_at_all_is_an_error_with_every_reason(built: Path):
    with pytest.raises(PocketbenchError, match=r"int8-onnx: .*calibration"):
        reference_name(plan(), [load_variant(built / "int8-onnx")])


def test_records_of_variants_and_jobs(built: Path):
    variants: list[LoadedVariant] = [
        load_variant(built / name) for name in ("float16-onnx", "float32-onnx", "int8-onnx")
    ]

    records = {record.name: record for record in variant_records(variants, "float32-onnx")}
    jobs = job_records(plan(threads=[1, 4], cores=[0, 2]), variants, "float32-onnx")
    originals = [job for job in jobs if not job.is_aa_copy]

    assert records["float32-onnx"].role == "reference"
    assert records["float16-onnx"].role == "variant"
    assert records["int8-onnx"].status == "failed"
    assert "calibration" in (records["int8-onnx"].reason or "")
    assert records["int8-onnx"].size_bytes is None
    assert json.loads(records["float16-onnx"].steps)[0]["step"] == "quantize"
    assert len(originals) == 4  # the failed one has none
    assert {job.cores for job in jobs} == {"0,2"}
    own = next(job for job in jobs if job.variant == "float16-onnx" and job.threads == 4)
    assert own.reference == "float32-onnx on local, 4 threads, cores 0,2"
    assert not own.is_reference


def test_a_control_is_no_reference_by_default(built: Path):
    plain = load_variant(built / "float16-onnx")
    assert plain.manifest is not None
    control = replace(plain, name="control-onnx", manifest=plain.manifest.model_copy(update={"role": "control"}))

    assert reference_name(plan(), [control, plain]) == "float16-onnx"
    assert reference_name(plan(), [control]) == "control-onnx"


def test_a_control_keeps_its_variant_when_both_are_renamed(built: Path, tmp_path: Path):
    for run, names in (("one", ("float16-onnx", "float32-onnx")), ("two", ("float16-onnx", "float32-onnx"))):
        for name in names:
            shutil.copytree(built / name, tmp_path / run / name)
        manifest = read_manifest(tmp_path / run / "float16-onnx")
        write_manifest(manifest.model_copy(update={"control": "float32-onnx"}), tmp_path / run / "float16-onnx")

    both = load_variants([tmp_path / run / name for run in ("one", "two") for name in ("float16-onnx", "float32-onnx")])
    mixed = load_variants([tmp_path / "one" / "float32-onnx", tmp_path / "two" / "float16-onnx"])
    alone = load_variants([tmp_path / "two" / "float16-onnx"])

    assert {variant.name: variant.control for variant in both} == {
        "one/float16-onnx": "one/float32-onnx",
        "one/float32-onnx": None,
        "two/float16-onnx": "two/float32-onnx",
        "two/float32-onnx": None,
    }
    assert [variant.control for variant in mixed] == [None, None]
    assert [variant.control for variant in alone] == ["float32-onnx"]


def test_weights_in_files_beside_the_model_are_refused(tmp_path: Path):
    path = dense_onnx(tmp_path / "dense.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="dense.data", size_threshold=0)

    with pytest.raises(
        InputError, match=r"weights in dense\.data: make one of it with `pocketbench compress dense\.onnx"
    ):
        load_variant(path)


def test_a_folder_of_variants_is_told_from_one(built: Path):
    with pytest.raises(InputError, match=r"which holds several: give .*/\* instead"):
        load_variant(built)
