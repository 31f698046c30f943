"""A variant with the real runner and engines: tried on the device before it is switched to."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.deployment import status
from pocketbench.harness.deploy.variant import deploy_variant, deployment_name
from pocketbench.harness.engines.catalogue import engine_for_format, host_platform, local_engine
from pocketbench.harness.errors import DeploymentError, RunnerError
from pocketbench.harness.runner.binaries import runner_binary
from tests.runner.tiny_models import dense_onnx, dense_tflite


@pytest.fixture(params=["tflite", "onnx"])
def variant_file(request, tmp_path):
    path = tmp_path / f"dense.{request.param}"
    return dense_tflite(path) if request.param == "tflite" else dense_onnx(path)


@pytest.fixture
def place(transport, directory, tmp_path):
    def place(file, golden=None, **options):
        engine = local_engine(engine_for_format(file.suffix[1:]))
        return deploy_variant(
            transport,
            directory,
            variant_file=file,
            golden=golden,
            engine=engine,
            runner=runner_binary(host_platform()),
            name=file.stem,
            **options,
        )

    return place


def in_use(directory):
    return Path(directory) / "deployments/dense/current"


def test_a_variant_that_answers_right_is_switched_to_and_measured(place, directory, variant_file, tmp_path, transport):
    first = place(variant_file)  # without a golden inference it has to load and to say what it is
    data = np.random.default_rng(0).random((1, 64), np.float32)
    (output,) = first.runner_client.infer([data], timeout_s=60)
    golden = tmp_path / "golden.npz"
    np.savez(golden, input_0=data, output_0=output)
    transport.streams.clear()
    second = place(variant_file, golden)
    assert second.deployment == first.deployment
    assert transport.sent == []
    assert second.runner_client.describe().inputs[0].shape == (1, 64)


def test_a_carried_loader_starts_the_runner_with_the_libraries_beside_it(transport, directory, tmp_path):
    """This computer's own loader and C library, by copies: what the process has mapped says whose they are."""
    engine = local_engine("onnxruntime")
    runner = runner_binary(host_platform())
    loader, libraries = carried(tmp_path / "glibc", runner, engine.library)
    deployed = deploy_variant(
        transport,
        directory,
        variant_file=dense_onnx(tmp_path / "dense.onnx"),
        golden=None,
        engine=replace(engine, loader=loader, libraries=libraries),
        runner=runner,
        name="dense",
    )
    root = deployed.deployment.root
    (output,) = deployed.runner_client.infer([np.ones((1, 64), np.float32)], timeout_s=60)
    assert output.shape == (1, 1, 32) or output.shape == (1, 32)
    launches = [call[1:5] for call in transport.calls if "--engine" in call]
    assert set(launches) == {(str(root / loader.name), "--library-path", str(root), str(root / "pocketbench-runner"))}
    listed = transport.run([*launches[0][:3], "--list", str(root / engine.library.name)], timeout_s=30).stdout.decode()
    assert f"libc.so.6 => {root}/libc.so.6" in listed


def carried(folder, *programs):
    """Copies of the loader and of the libraries that `programs` need here."""
    folder.mkdir()
    lines = [subprocess.run(["ldd", str(p)], check=True, capture_output=True, text=True).stdout for p in programs]
    found = {name: Path(name) for name in re.findall(r"(/\S+) \(0x", "".join(lines))}
    copies = [Path(shutil.copyfile(path, folder / Path(name).name)) for name, path in found.items()]
    (loader,) = [path for path in copies if path.name.startswith("ld-linux")]
    return loader, tuple(path for path in copies if path != loader)


def test_a_wrong_answer_is_not_switched_to(place, directory, variant_file, tmp_path):
    golden = tmp_path / "golden.npz"
    np.savez(golden, input_0=np.ones((1, 64), np.float32), output_0=np.full((1, 32), 1e6, np.float32))
    with pytest.raises(DeploymentError, match=r"local:, dense: expected the output .* instead of 1e\+06"):
        place(variant_file, golden)
    assert not in_use(directory).exists()


def test_an_engine_that_refuses_the_file_leaves_the_one_in_use(place, directory, variant_file, tmp_path):
    first = place(variant_file)
    variant_file.write_bytes(b"no model at all")
    with pytest.raises(RunnerError):
        place(variant_file)
    assert in_use(directory).resolve().parent == Path(first.deployment.root)


def test_names_that_are_not_safe_are_made_so(place, directory, tmp_path, transport):
    file = dense_onnx(tmp_path / "a $(touch hacked); 'model'.onnx")
    place(file)
    (row,) = status(transport, directory)
    assert row.name.startswith("a-touch-hacked-model-")
    assert not Path("hacked").exists()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("int8-tflite", "int8-tflite"),
        ("..", "model-01234567"),
        ("ä b", "b-01234567"),
        ("x" * 200, "x" * 80 + "-01234567"),
    ],
)
def test_the_name_of_a_deployment(given, name):
    assert deployment_name(given, "0123456789abcdef") == name


def test_what_does_not_fit_is_refused_before_anything_is_written(place, directory, tmp_path, transport):
    with pytest.raises(InputError, match="expected the format"):
        place(tmp_path / "model.onnx.txt")
    with pytest.raises(InputError, match="No such file"):
        place(tmp_path / "missing.onnx")
    engine = local_engine("litert")
    with pytest.raises(InputError, match=r"expected the engine 'onnxruntime' for x\.onnx, got 'litert'"):
        deploy_variant(
            transport,
            directory,
            variant_file=tmp_path / "x.onnx",
            golden=None,
            engine=engine,
            runner=tmp_path / "r",
            name="x",
        )
    with pytest.raises(InputError, match="golden"):
        place(dense_onnx(tmp_path / "dense.onnx"), tmp_path / "golden.npz")
    assert not Path(directory).exists()
