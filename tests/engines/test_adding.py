"""`engine add` of a library: what it is told to be, and what is refused before anything is kept."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.added import AddedBuild, list_added
from pocketbench.harness.engines.adding import add_engine
from pocketbench.harness.engines.catalogue import host_platform, local_engine
from tests.engines.conftest import LibraryMaker
from tests.engines.libraries import CLASSIC, EXPORTS

LITERT = EXPORTS["litert"]


def add(file: Path, cache: Path, **options: Any) -> tuple[AddedBuild, list[str]]:
    said: list[str] = []
    (build,) = add_engine(file, cache=cache, say=said.append, **options)
    return build, said


@pytest.mark.parametrize("name", ["litert", "onnxruntime"])
def test_the_installed_libraries_are_recognised_with_their_version(name: str, cache: Path):
    installed = local_engine(name)

    build, said = add(installed.library, cache)

    assert (build.engine, build.version, build.platform) == (name, installed.version, host_platform())
    assert build.engine_id == f"{name}-{installed.version}-{host_platform()}+added-{installed.sha256[:12]}"
    assert build.engine_id != installed.engine_id
    assert (cache / build.engine_id / build.library.name).read_bytes() == installed.library.read_bytes()
    assert list_added(cache) == (build,)
    assert said == []


@pytest.mark.parametrize(
    ("machine", "libc", "platform"),
    [
        ("aarch64", "bionic", "android-arm64"),
        ("aarch64", "glibc", "linux-aarch64"),
        ("x86_64", "bionic", "android-x86_64"),
        ("x86_64", "glibc", "linux-x86_64"),
    ],
)
def test_a_library_is_for_what_it_is_built_for(
    machine: str, libc: str, platform: str, library: LibraryMaker, cache: Path
):
    build, _ = add(library(machine=machine, libc=libc), cache)

    assert (build.platform, build.libc) == (platform, {"bionic": "bionic", "glibc": "glibc 2.17"}[libc])


def test_a_glibc_library_may_be_for_android_and_what_that_costs_is_said(library: LibraryMaker, cache: Path):
    build, said = add(library(machine="aarch64"), cache, platform="android-arm64")

    assert (build.platform, build.libc) == ("android-arm64", "glibc 2.17")
    assert "glibc, which is carried along" in said[0]


@pytest.mark.parametrize(
    ("name", "symbols", "given", "version"),
    [
        pytest.param("libonnxruntime.so", "VERS_1.2.3", None, "1.2.3", id="of its symbols"),
        pytest.param("libonnxruntime.so.4.5.6", "VERS_1.2.3", "1.2.3", "1.2.3", id="of its symbols, and given"),
        pytest.param("libonnxruntime.so.1.32.0", None, None, "1.32.0", id="in its name"),
        pytest.param("libonnxruntime.so.1.32.0", None, "1.32.1-rc1", "1.32.1-rc1", id="given, not that in its name"),
        pytest.param("libonnxruntime.so", "VERS_1.0", None, "unknown", id="not said"),
    ],
)
def test_the_version(
    name: str, symbols: str | None, given: str | None, version: str, library: LibraryMaker, cache: Path
):
    build, _ = add(library(name, version=symbols), cache, version=given)

    assert build.version == version


def test_a_version_is_not_believed_against_the_library(library: LibraryMaker, cache: Path):
    with pytest.raises(InputError, match=r"expected version 1\.2\.3, which .* is, got --version 1\.3"):
        add(library(version="VERS_1.2.3"), cache, version="1.3")


@pytest.mark.parametrize("version", ["", "../1", "1.0\n", "v" * 33, "1 0"])
def test_a_version_that_could_not_name_a_folder_is_refused(version: str, library: LibraryMaker, cache: Path):
    with pytest.raises(InputError, match="expected a version of up to 32 letters"):
        add(library(), cache, version=version)


def test_pages_of_4_kib_are_accepted_with_the_devices_that_cannot_load_them(library: LibraryMaker, cache: Path):
    _, said = add(library(machine="aarch64", libc="bionic", pages=4096), cache)

    assert len(said) == 1
    assert "aligned to pages of 4 KiB, so devices with pages of 16 KiB refuse it: newer phones" in said[0]
    assert add(library(machine="aarch64", libc="bionic"), cache, replace=True)[1] == []


@pytest.mark.parametrize(
    ("options", "arguments", "words"),
    [
        pytest.param(
            {"machine": "x86_64"},
            {"platform": "linux-aarch64"},
            r"expected a library for linux-aarch64, got 'libonnxruntime\.so', which is for x86_64",
            id="architecture",
        ),
        pytest.param(
            {"machine": "riscv64"}, {}, r"expected a library for aarch64 or x86_64.*ELF machine 243", id="machine"
        ),
        pytest.param(
            {"machine": "aarch64", "libc": "bionic"},
            {"platform": "linux-aarch64"},
            "built for Android's C library: add it for android-arm64",
            id="bionic on Linux",
        ),
        pytest.param({"libc": "musl"}, {}, "got 'libonnxruntime.so', which is built for musl", id="musl"),
        pytest.param({"libc": "none"}, {}, "which names no C library", id="no C library"),
        pytest.param({"pages": 1024}, {}, "aligned to pages of 4096 bytes or more, got .* with 1024", id="small pages"),
        pytest.param(
            {"needs": ("libgomp.so.1",)},
            {},
            r"every library that 'libonnxruntime\.so' needs, got no 'libgomp\.so\.1'",
            id="another library",
        ),
        pytest.param(
            {"machine": "aarch64", "libc": "bionic", "needs": ("libEGL.so", "libc++_shared.so")},
            {},
            r"got no 'libc\+\+_shared\.so'",
            id="the NDK's C++ library",
        ),
        pytest.param(
            {"exports": LITERT[:-7]},
            {},
            rf"without {', '.join(LITERT[-7:-2])} and 2 more: take a newer build",
            id="functions",
        ),
        pytest.param(
            {"exports": (*CLASSIC, "TfLiteOther")}, {}, r"only the older one of TensorFlow Lite", id="classic"
        ),
        pytest.param({"exports": CLASSIC}, {"engine": "litert"}, "take libLiteRt.so", id="classic as LiteRT"),
        pytest.param(
            {"exports": ("main",)},
            {},
            r"exports LiteRtRunCompiledModel \(LiteRT\) or OrtGetApiBase \(ONNX Runtime\), got 'libonnxruntime\.so'",
            id="no engine",
        ),
        pytest.param(
            {"exports": ("other",), "imports": EXPORTS["onnxruntime"]}, {}, "is it another engine's", id="a user of one"
        ),
        pytest.param({}, {"engine": "litert"}, r"exports LiteRtRunCompiledModel \(LiteRT\), got", id="another engine"),
        pytest.param(
            {"exports": (*EXPORTS["onnxruntime"], *LITERT)},
            {},
            "expected one engine, got .* with LiteRT, ONNX Runtime: say which with --engine",
            id="both",
        ),
        pytest.param({}, {"engine": "tensorrt"}, "expected an engine", id="unknown engine"),
        pytest.param({}, {"platform": "android"}, "did you mean 'android-arm64'", id="unknown platform"),
    ],
)
def test_a_library_that_will_not_do_is_refused_and_nothing_is_kept(
    options: dict[str, Any], arguments: dict[str, Any], words: str, library: LibraryMaker, cache: Path
):
    with pytest.raises(InputError, match=words):
        add(library(**options), cache, **arguments)

    assert kept(cache) == []


def test_of_a_library_with_both_the_one_asked_for_is_added(library: LibraryMaker, cache: Path):
    both = library(exports=(*EXPORTS["onnxruntime"], *LITERT))

    assert [add(both, cache, engine=name)[0].engine for name in ("litert", "onnxruntime")] == ["litert", "onnxruntime"]


def test_what_is_no_library_is_refused(library: LibraryMaker, cache: Path, tmp_path: Path):
    whole = library().read_bytes()
    for content, words in (
        (b"", "which is empty"),
        (b"#!/bin/sh\n", r"expected a shared library \(ELF\)"),
        (b"\x7fELF\x01" + whole[5:], "expected a 64-bit little-endian library"),
        (b"\x7fELF\x02\x02" + whole[6:], "expected a 64-bit little-endian library"),
        (whole[:200], "which is damaged"),
        (whole[:16] + b"\x02\0" + whole[18:], r"of another ELF type \(2\)"),
    ):
        (tmp_path / "engine.so").write_bytes(content)
        with pytest.raises(InputError, match=words):
            add(tmp_path / "engine.so", cache)
    assert kept(cache) == []


def test_what_is_no_file_is_refused(cache: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.so")
    for path in (tmp_path / "nothing.so", tmp_path, tmp_path / "pipe.so"):
        with pytest.raises(InputError, match="which is no file"):
            add(path, cache)


def test_a_library_that_is_too_large_is_refused_unread(cache: Path, tmp_path: Path):
    with (tmp_path / "huge.so").open("wb") as file:
        file.write(b"\x7fELF\x02\x01")
        file.truncate((1 << 30) + 1)  # sparse

    with pytest.raises(InputError, match="expected a library of at most 1073741824 bytes"):
        add(tmp_path / "huge.so", cache)


def test_a_home_that_cannot_be_written_is_named(library: LibraryMaker, tmp_path: Path):
    (tmp_path / "home").write_text("a file")

    with pytest.raises(InputError, match=r"and keep it in .*home/engines, got: Not a directory"):
        add(library(), tmp_path / "home" / "engines")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"lib\x1b[31m\nred.so", "lib?[31m?red.so"),
        ("lib\N{ROCKET}ü.so".encode(), "lib\N{ROCKET}ü.so"),
        (b"lib\xff.so", "lib?.so"),
        (b"l" * 200 + b".so", "l" * 100),
    ],
)
def test_any_name_is_kept_as_far_as_it_can_be_shown(
    name: bytes, shown: str, library: LibraryMaker, cache: Path, tmp_path: Path
):
    odd = tmp_path / os.fsdecode(name)
    odd.write_bytes(library().read_bytes())

    build, _ = add(odd, cache)

    assert build.source == shown
    assert list_added(cache) == (build,)


def test_litert_is_known_by_its_hash_where_it_is_a_pinned_one(cache: Path):
    build, _ = add(local_engine("litert").library, cache)

    assert build.version == importlib.metadata.version("ai-edge-litert")


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != ".added.lock") if cache.exists() else []
