"""Which library measures: found in the installed package, named by version, platform and content."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import (
    DISPLAY_NAMES,
    ENGINE_NAMES,
    engine_for_format,
    host_platform,
    local_engine,
)

PACKAGES = {"litert": "ai_edge_litert", "onnxruntime": "onnxruntime"}
LIBRARIES = {"litert": "libLiteRt.so", "onnxruntime": "capi/libonnxruntime.so.1.2.3"}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Put a package of this name in front of the installed one."""

    def installed(name: str, *files: str):
        package = tmp_path / PACKAGES[name]
        package.mkdir()
        (package / "__init__.py").write_text("raise AssertionError('an engine is located, never imported')\n")
        for file in files:
            (package / file).parent.mkdir(parents=True, exist_ok=True)
            (package / file).write_bytes(b"library")
        monkeypatch.delitem(sys.modules, PACKAGES[name], raising=False)
        monkeypatch.syspath_prepend(str(tmp_path))
        return package

    return installed


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_the_installed_library_is_named_by_version_platform_and_content(name):
    build = local_engine(name)

    distribution = {"litert": "ai-edge-litert", "onnxruntime": "onnxruntime"}[name]
    assert build.library.read_bytes()[:4] == b"\x7fELF"
    assert build.version == importlib.metadata.version(distribution)
    assert build.sha256 == hashlib.sha256(build.library.read_bytes()).hexdigest()
    assert build.platform == host_platform()
    assert build.engine_id == f"{name}-{build.version}-{build.platform}-{build.sha256[:12]}"
    assert name in DISPLAY_NAMES


@pytest.mark.parametrize(("name", "package"), [("litert", "ai-edge-litert"), ("onnxruntime", "onnxruntime")])
def test_a_missing_package_is_named_with_what_to_install(monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)

    with pytest.raises(InputError, match=rf"'{package}'.* not installed: run `pip install {package}`"):
        local_engine(name)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_a_package_without_a_library_of_its_own_is_to_be_upgraded(installed, name):
    installed(name)

    with pytest.raises(InputError, match=r"older packages have no stand-alone library\): run `pip install --upgrade"):
        local_engine(name)


@pytest.mark.parametrize("name", ENGINE_NAMES)
def test_another_library_is_another_build(installed, name):
    before = local_engine(name)
    package = installed(name, LIBRARIES[name])

    build = local_engine(name)

    assert build.library == package / LIBRARIES[name]
    assert build.sha256 == hashlib.sha256(b"library").hexdigest()
    assert build.engine_id != before.engine_id


def test_a_library_that_changes_is_hashed_again(installed):
    package = installed("litert", LIBRARIES["litert"])
    first = local_engine("litert")

    (package / LIBRARIES["litert"]).write_bytes(b"another library")

    assert local_engine("litert").sha256 == hashlib.sha256(b"another library").hexdigest() != first.sha256


@pytest.mark.parametrize(("format", "engine"), [("tflite", "litert"), ("onnx", "onnxruntime")])
def test_each_format_has_its_engine(format, engine):  # noqa: A002 the word of the file and the tables
    assert engine_for_format(format) == engine


@pytest.mark.parametrize("name", ["pb", "", "ONNX"])
def test_another_format_is_refused(name):
    with pytest.raises(InputError, match=f"'onnx' or 'tflite', got '{name}'"):
        engine_for_format(name)


def test_another_engine_is_refused():
    with pytest.raises(InputError, match=r"an engine \(litert, onnxruntime\), got 'tensorrt'"):
        local_engine("tensorrt")


@pytest.mark.parametrize(
    ("machine", "expected"), [("x86_64", "linux-x86_64"), ("AMD64", "linux-x86_64"), ("aarch64", "linux-aarch64")]
)
def test_this_computer_is_one_of_our_platforms(monkeypatch, machine, expected):
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert host_platform() == expected


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64"), ("linux", "")])
def test_elsewhere_nothing_is_measured(monkeypatch, system, machine):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)

    with pytest.raises(InputError, match=r"expected a Linux computer with x86_64 or aarch64.*: measure on another"):
        host_platform()
