"""The runner and both engines on this computer, and engines that do not load or compute something else."""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import sha256_of
from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.checkup import engines as checkup_engines
from pocketbench.harness.checkup.device import check_device, exit_code
from pocketbench.harness.checkup.engines import engine_answers, runner_starts
from pocketbench.harness.checkup.golden import golden_models
from pocketbench.harness.checkup.visit import Visit
from pocketbench.harness.deploy.deployment import status
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.devices.target import read_target
from pocketbench.harness.engines.catalogue import ENGINE_NAMES, host_platform, local_engine
from pocketbench.harness.engines.supply import ensure_engine
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.local import LocalTransport
from tests.checkup.fake_device import HOLDER, FakeDevice
from tests.checkup.golden_models import write_all


@pytest.fixture
def device(tmp_path):
    return Device("local", "local:", "this-computer", PurePosixPath(tmp_path / "device"))


@pytest.fixture
def visit(device):
    return Visit(device, LocalTransport(), load_profile("this-computer"))


def test_this_computer_from_the_first_question_to_the_last(device):
    profile = load_profile("this-computer")
    rows = list(check_device(device, LocalTransport(), profile, engines=local_engine, holder=HOLDER))
    found = {row.question: row for row in rows}

    assert exit_code(rows) == 0, rows
    assert len(found) == len(rows)
    for question in ("reachable", "clock", "monotonic clock", "storage", "executable directory", "runner"):
        assert found[question].status in ("ok", "warning"), found[question]
    for question in ("LiteRT float32", "LiteRT int8", "ONNX Runtime float32", "ONNX Runtime int8"):
        assert found[question].status == "ok"
        assert "answers right; loads in" in found[question].found
    assert found["sensor load"].status == "ok"
    names = [row.name for row in status(LocalTransport(), device.directory)]
    assert names == sorted(names)
    assert all(name.startswith("device-check-") for name in names)
    assert len(names) == 5


def test_a_second_check_sends_nothing(visit):
    sent: list[object] = []
    list(engine_answers(visit, "litert", local_engine, sent.append))
    assert sent
    sent.clear()

    rows = list(engine_answers(visit, "litert", local_engine, sent.append))

    assert [row.status for row in rows] == ["ok", "ok"]
    assert sent == []


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_an_engine_that_computes_something_else(visit, tmp_path, monkeypatch, engine, precision):
    models = golden_models(engine)
    index = ("float32", "int8").index(precision)
    with np.load(models[index].golden) as archive:
        arrays = {name: archive[name] for name in archive.files}
    # A little more than one step of the quantized output.
    arrays["output_0"][0, 1] += 2 if arrays["output_0"].dtype == np.int8 else 0.101
    np.savez(tmp_path / "other.npz", **arrays)
    changed = dataclasses.replace(models[index], golden=tmp_path / "other.npz")
    given = (changed, models[1]) if index == 0 else (models[0], changed)
    monkeypatch.setattr(checkup_engines, "golden_models", lambda name: given)

    rows = list(engine_answers(visit, engine, local_engine, None))

    assert [row.status for row in rows] == (["fail"] if index == 0 else ["ok", "fail"])
    assert "of the golden inference" in rows[-1].found
    assert "pocketbench engine list" in str(rows[-1].remedy)


def test_an_engine_that_does_not_load_says_so_in_its_own_words(visit, tmp_path):
    library = tmp_path / "libLiteRt.so"
    library.write_bytes(b"not a library")

    def broken(name):
        return dataclasses.replace(local_engine(name), library=library, sha256=sha256_of(library))

    rows = list(engine_answers(visit, "litert", broken, None))

    assert [row.status for row in rows] == ["fail"]
    assert "stage engine_load" in rows[0].found
    assert "file too short" in rows[0].found or "invalid ELF header" in rows[0].found
    assert "pocketbench engine" in str(rows[0].remedy)


def test_an_engine_that_cannot_be_had(visit):
    def none(name):
        raise InputError(f"expected a build of {name} for android-arm64, got none: use another device.")

    (row,) = engine_answers(visit, "litert", none, None)

    assert row.status == "not known"
    assert "use another device" in row.found


@pytest.mark.parametrize(
    ("code", "text", "remedy"),
    [
        (127, "sh: 1: ./pocketbench-runner: not found", "its loader is not there (the GNU C library's)"),
        (159, "Bad system call", "seccomp"),
        (126, "Permission denied", "executable directory"),
    ],
)
def test_what_mends_a_runner_that_does_not_start(visit, code, text, remedy):
    class Refuses(LocalTransport):
        def run(self, argv, *, timeout_s, stdin=b""):
            if argv[-1] == "--help":
                return Completed(tuple(argv), code, b"", text.encode(), 0.0, code - 128 if code > 128 else None)
            return super().run(argv, timeout_s=timeout_s, stdin=stdin)

    (row,) = runner_starts(dataclasses.replace(visit, transport=Refuses()), host_platform())

    assert row.status == "fail"
    assert text in row.found
    assert remedy in str(row.remedy)


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("/lib/aarch64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by ./libLiteRt.so)", "GLIBC_2.34"),
        ("/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by …)", "GLIBCXX_3.4.30"),
        ("libstdc++.so.6: cannot open shared object file: No such file or directory", "libstdc++.so.6 on the device"),
        ("something else", "use another build of LiteRT"),
    ],
)
def test_what_mends_a_library_that_does_not_load(message, remedy):
    assert remedy in checkup_engines._load_remedy(message, local_engine("litert"))


def test_a_device_that_nothing_of_ours_runs_on():
    device = Device("old", "ssh://pi@board", "generic-linux", PurePosixPath("/home/pi/x"))
    old = FakeDevice(scripts={"uname -s -m; divide": "Linux armv6l\n"})

    def engines(name):  # as the command line does
        return ensure_engine(name, read_target(old), home=Path("/nonexistent"), say=print)

    rows = list(check_device(device, old, load_profile("generic-linux"), engines=engines, holder=HOLDER))
    found = {row.question: row for row in rows}

    for question in ("runner", "LiteRT", "ONNX Runtime"):
        assert found[question].status == "fail"
        assert "Linux armv6l" in found[question].found
    assert exit_code(rows) == 3


def test_a_runner_that_does_not_start(visit, tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF of another processor")
    monkeypatch.setattr(checkup_engines, "runner_binary", lambda platform: program)
    (row,) = runner_starts(visit, "linux-x86_64")

    assert row.status == "fail"
    assert "the one for linux-x86_64 does not start" in row.found
    assert "Exec format error" in row.found
    assert "executable directory" in str(row.remedy)


def test_the_golden_models_are_what_their_script_makes(tmp_path):
    write_all(tmp_path)

    for engine in ENGINE_NAMES:
        for model in golden_models(engine):
            with np.load(model.golden) as shipped, np.load(tmp_path / model.golden.name) as made:
                assert shipped.files == made.files
                for name in shipped.files:
                    np.testing.assert_array_equal(shipped[name], made[name])
                    assert shipped[name].dtype == made[name].dtype
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 12_000


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_old_engines_can_read_the_onnx_models(precision):
    path = next(model.model for model in golden_models("onnxruntime") if model.precision == precision)
    model = onnx.load(path)

    assert model.ir_version <= 8
    assert [(entry.domain, entry.version <= 17) for entry in model.opset_import] == [("", True)]
