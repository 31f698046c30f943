"""Builds of an ONNX model: what is written, what fails, and what the cache spares."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx

from pocketbench.compression.build_plan import plan_variants
from pocketbench.compression.built_variant import write_variant
from pocketbench.compression.data import DataSpec
from pocketbench.compression.dataset import Dataset
from pocketbench.compression.graph import Broken
from pocketbench.compression.manifest import BaseModelFacts, read_manifest, sha256_of
from pocketbench.compression.model_files import model_sha256
from pocketbench.compression.recipes import load_recipe
from pocketbench.compression.reference import FileModel, run_samples
from pocketbench.compression.worker import Failed
from tests.compression.builds.conftest import RECIPES, Build, build
from tests.compression.tiny import classifier, write_onnx

FUNCTIONS = "python:tests.compression.builds.own_functions"


def test_every_recipe_becomes_a_variant_that_runs(built: Build):
    assert list(built.variants) == [f"{name}-onnx" for name in RECIPES]
    for name, variant in built.variants.items():
        manifest = variant.manifest
        assert manifest.failure is None
        assert read_manifest(variant.folder) == manifest
        assert {path.name for path in variant.folder.iterdir()} == {"golden.npz", f"{name}.onnx", "variant.json"}
        assert manifest.file is not None
        assert manifest.golden is not None
        assert manifest.file.sha256 == sha256_of(variant.folder / manifest.file.name)
        assert manifest.golden.sha256 == sha256_of(variant.folder / manifest.golden.name)
        assert [(facts.name, facts.shape, facts.dtype) for facts in manifest.inputs] == [
            ("image", (-1, 1, 8, 8), "float32")
        ]


def test_the_manifest_says_what_was_done(built: Build, folder: Path):
    manifest = built.variants["int8-onnx"].manifest

    assert (manifest.recipe, manifest.role, manifest.control, manifest.seed) == ("int8", "variant", None, 0)
    assert manifest.recipe_steps == ({"quantize": {"scheme": "int8", "calibration_samples": 128}},)
    assert [report.step for report in manifest.steps] == ["quantize"]
    assert manifest.steps[0].details["calibration_samples"] == 40
    assert manifest.base.sha256 == sha256_of(folder / "model.onnx")
    assert (manifest.base.name, manifest.base.source) == ("model.onnx", "onnx")
    assert manifest.base.parameters == 8 * 9 + 8 + 8 * 64 * 4 + 4
    assert {"pocketbench", "numpy", "onnx", "onnxruntime"} <= set(manifest.versions)
    assert not {"tensorflow", "keras", "ai-edge-litert"} & set(manifest.versions)
    assert manifest.gate is not None
    assert manifest.gate.samples == 40
    zero_points = 8 + 4  # one per output channel
    assert manifest.gate.dtype_counts["int8"] == 8 * 9 + 8 * 64 * 4 + zero_points


def test_quality_is_that_of_the_written_file(built: Build, folder: Path):
    with np.load(folder / "test.npz") as test:
        images, labels = test["x"], test["y"]
    for name, variant in built.variants.items():
        outputs = run_samples(FileModel(variant.folder / f"{name}.onnx"), [images])[0]

        quality = variant.manifest.host_quality
        assert quality is not None
        assert (quality.metric, quality.samples, quality.higher_is_better) == ("top-1", 40, True)
        assert quality.value == (outputs.argmax(axis=1) == labels).mean()


def test_a_manifest_holds_no_time_and_no_path(built: Build, folder: Path):
    for variant in built.variants.values():
        text = (variant.folder / "variant.json").read_text()

        assert [path for path in (str(folder), str(built.output), str(Path.home()), "/tmp") if path in text] == []
        assert re.search(r"20\d\d-\d\d|\d\d:\d\d|(?<![\d.])1[6-9]\d{8}\b", text) is None


def test_progress_rises_to_1_and_names_what_is_made(built: Build):
    done = [event.done for event in built.events]

    assert done == sorted(done)
    assert done[-1] == 1.0
    assert "making int8-onnx" in built.messages()
    assert {event.total for event in built.events} == {1.0}
    assert [event.done for event in built.events if event.message == "done"] == [1.0]


def test_the_same_build_without_a_cache_gives_the_same_bytes(
    built: Build, folder: Path, data: DataSpec, tmp_path: Path
):
    again = build(folder / "model.onnx", tmp_path / "elsewhere", data=data, workers=1)

    assert again.bytes() == built.bytes()


def test_a_cached_build_does_no_work_and_gives_the_same_bytes(
    built: Build, folder: Path, data: DataSpec, cached: Path, tmp_path: Path
):
    again = build(folder / "model.onnx", tmp_path / "again", data=data, cache=cached)

    assert again.bytes() == built.bytes()
    assert "making" not in again.messages()
    assert "exporting" not in again.messages()


def test_another_seed_or_other_data_is_not_found_in_the_cache(
    built: Build, folder: Path, data: DataSpec, cached: Path, tmp_path: Path
):
    seeded = build(folder / "model.onnx", tmp_path / "seeded", data=data, cache=cached, recipes=["int8"], seed=1)
    other = build(
        folder / "model.onnx",
        tmp_path / "other",
        data=DataSpec(train=str(folder / "test.npz"), evaluation=data.evaluation),
        cache=cached,
        recipes=["int8"],
    )

    assert "making int8-onnx" in seeded.messages()
    assert "making int8-onnx" in other.messages()
    assert other.variants["int8-onnx"].manifest.file != built.variants["int8-onnx"].manifest.file


def test_a_sample_that_only_calibration_sees_is_part_of_the_key(folder: Path, tmp_path: Path):
    images = np.random.default_rng(4).normal(size=(100, 1, 8, 8)).astype(np.float32)
    seen = Dataset((np.arange(100),), None).subset(64, 0).inputs[0]
    unseen = next(number for number in range(100) if number not in seen)
    files = []
    for name in ("one", "two"):
        np.savez(tmp_path / f"{name}.npz", x=images)
        data = DataSpec(calibration=str(tmp_path / f"{name}.npz"))
        made = build(folder / "model.onnx", tmp_path / name, data=data, cache=tmp_path / "cache", recipes=["int8"])
        files.append(made.variants["int8-onnx"].manifest.file)
        images[unseen] *= 50

    assert files[0] != files[1]


def test_a_damaged_entry_of_the_cache_is_made_again(folder: Path, data: DataSpec, tmp_path: Path, logged):
    first = build(folder / "model.onnx", tmp_path / "one", data=data, cache=tmp_path / "cache", recipes=["float16"])
    for path in (tmp_path / "cache").rglob("model.onnx"):
        path.write_bytes(b"half a mod")

    again = build(folder / "model.onnx", tmp_path / "two", data=data, cache=tmp_path / "cache", recipes=["float16"])

    assert again.bytes() == first.bytes()
    assert "making float16-onnx" in again.messages()
    assert "is damaged (model.onnx has changed): it is built again" in logged.text


def test_weights_in_a_file_beside_the_model_are_part_of_what_it_is(tmp_path: Path):
    hashes = []
    for seed in (0, 1):
        model = classifier(seed=seed)
        (tmp_path / "weights").unlink(missing_ok=True)  # onnx would append to it
        onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights", size_threshold=0)
        made = build(tmp_path / "model.onnx", tmp_path / "out", recipes=["float32"], cache=tmp_path / "cache")
        manifest = made.variants["float32-onnx"].manifest
        assert manifest.file is not None
        hashes.append((manifest.base.sha256, manifest.file.sha256))

    assert sha256_of(tmp_path / "model.onnx") not in {own for own, _ in hashes}
    assert len({own for own, _ in hashes}) == 2
    assert len({file for _, file in hashes}) == 2


def test_a_variant_that_fails_stands_with_its_reason_and_stops_no_other(tmp_path: Path):
    model = write_onnx(tmp_path, classifier(dense=False))

    made = build(model, tmp_path / "out", recipes=["int8-dynamic", "prune-channels", "int8", "float16"])

    failures = {name: variant.manifest.failure for name, variant in made.variants.items()}
    assert failures["float16-onnx"] is None
    assert {name: failure.stage for name, failure in failures.items() if failure} == {
        "int8-dynamic-onnx": "quantize",
        "prune-channels-onnx": "recipe",
        "int8-onnx": "data",
    }
    failed = made.variants["int8-dynamic-onnx"]
    assert failed.manifest.failure is not None
    assert "this model has none (it has Conv" in failed.manifest.failure.reason
    assert failed.manifest.file is None
    assert sorted(path.name for path in failed.folder.iterdir()) == ["failure.log", "variant.json"]
    assert "QuantizationError" in (failed.folder / "failure.log").read_text()
    assert read_manifest(failed.folder) == failed.manifest


def test_a_worker_that_crashes_is_a_failed_variant_with_its_stage(folder: Path, tmp_path: Path):
    data = DataSpec(evaluation=str(folder / "exact.npz"), metric=f"{FUNCTIONS}.crashes_unless_exact")

    made = build(folder / "model.onnx", tmp_path / "out", recipes=["float16", "float32"], data=data)

    failure = made.variants["float16-onnx"].manifest.failure
    assert failure is not None
    assert failure.stage == "quality"
    assert "crashed (SIGSEGV)" in failure.reason
    quality = made.variants["float32-onnx"].manifest.host_quality
    assert quality is not None
    assert quality.value == 1.0


def test_a_worker_that_hangs_is_a_failed_variant_with_its_stage(folder: Path, tmp_path: Path):
    data = DataSpec(evaluation=str(folder / "exact.npz"), metric=f"{FUNCTIONS}.hangs_unless_exact")

    made = build(folder / "model.onnx", tmp_path / "out", recipes=["float16"], data=data, time_limit_s=5.0)

    failure = made.variants["float16-onnx"].manifest.failure
    assert failure is not None
    assert (failure.stage, failure.reason[:20]) == ("quality", "did not end within 5")


def test_a_reason_names_no_folder_that_lives_as_long_as_the_build(tmp_path: Path):
    (tmp_path / "log").write_text("Traceback")
    (planned,) = plan_variants([load_recipe("float32")], ["onnx"], "onnx", DataSpec())
    failed = Failed("gate", f"expected an .onnx, got {tmp_path}/convert-1/model.onnx: no.")
    base = BaseModelFacts(name="model.onnx", sha256="0" * 64, source="onnx", parameters=1)

    made = write_variant(planned, Broken(failed, tmp_path / "log"), base, 0, tmp_path / "out", tmp_path)

    assert made.manifest.failure is not None
    assert made.manifest.failure.reason == (
        "expected an .onnx, got convert-1/model.onnx: no (what was printed is in failure.log beside the manifest)."
    )


def test_a_failed_variant_is_the_same_every_time(folder: Path, tmp_path: Path):
    data = DataSpec(evaluation=str(folder / "exact.npz"), metric=f"{FUNCTIONS}.crashes_unless_exact")
    made = [
        build(folder / "model.onnx", tmp_path / name, recipes=["float16"], data=data, cache=tmp_path / "cache")
        for name in ("one", "two")
    ]

    assert made[0].bytes()["float16-onnx/variant.json"] == made[1].bytes()["float16-onnx/variant.json"]


def test_a_build_replaces_earlier_variants_whole_and_leaves_others(folder: Path, tmp_path: Path):
    for name in ("float32-onnx", "mine-onnx"):
        (tmp_path / name).mkdir()
        same_model = {"old": True, "base": {"sha256": model_sha256(folder / "model.onnx")}}
        (tmp_path / name / "variant.json").write_text(json.dumps(same_model))
        (tmp_path / name / "old.onnx").touch()

    made = build(folder / "model.onnx", tmp_path, recipes=["float32"])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["float32-onnx", "mine-onnx"]
    assert not (tmp_path / "float32-onnx" / "old.onnx").exists()
    assert (tmp_path / "mine-onnx" / "old.onnx").exists()
    assert read_manifest(tmp_path / "float32-onnx") == made.variants["float32-onnx"].manifest


def test_a_model_of_a_fixed_batch_is_checked_in_whole_batches(tmp_path: Path):
    model = write_onnx(tmp_path, classifier(batch=80))  # more than the gate's 64 samples

    made = build(model, tmp_path / "out", recipes=["float32", "float16"])

    assert {variant.manifest.ok for variant in made.variants.values()} == {True}
    gate = made.variants["float16-onnx"].manifest.gate
    assert gate is not None
    assert gate.samples == 80


def test_own_recipes_are_taken_from_their_files(folder: Path, data: DataSpec, tmp_path: Path):
    (tmp_path / "few.yaml").write_text(
        "version: 1\nname: few\nsteps:\n  - quantize: {scheme: int8, calibration_samples: 3}\n"
    )

    made = build(folder / "model.onnx", tmp_path / "out", recipes=[tmp_path / "few.yaml"], data=data)

    assert made.variants["few-onnx"].manifest.steps[0].details["calibration_samples"] == 3
