"""Builds that were added are used instead of others, as long as their files are what they were."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.added import AddedBuild, list_added
from pocketbench.harness.engines.adding import add_engine
from pocketbench.harness.engines.catalogue import host_platform, local_engine
from pocketbench.harness.engines.glibc import fetch_glibc
from pocketbench.harness.engines.supply import engines_folder, ensure_engine, fetch_platform
from pocketbench.harness.engines.target import Target
from tests.engines.conftest import LibraryMaker
from tests.engines.libraries import EXPORTS, aar

PHONE = Target("android-arm64", None, 4096, 34, ())
HERE = Target(host_platform(), (2, 99), 4096, None, (3, 4, 99))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def home_with_glibc(home: Path, device_cache: Path) -> Path:
    """The C library to carry along is fetched once for all tests."""
    bundle = device_cache / "engines" / "glibc-linux-aarch64"
    bundle.parent.mkdir(exist_ok=True)
    fetch_glibc("linux-aarch64", bundle.parent, print)
    engines_folder(home).mkdir(parents=True)
    (engines_folder(home) / bundle.name).symlink_to(bundle)
    return home


def add(file: Path, home: Path, **options: Any) -> AddedBuild:
    (build,) = add_engine(file, cache=engines_folder(home), say=lambda text: None, **options)
    return build


def test_an_added_build_wins_over_this_computer_s_own_and_that_is_said(library: LibraryMaker, home: Path):
    added = add(library(machine=HERE.platform.removeprefix("linux-")), home)
    said: list[str] = []

    build = ensure_engine("onnxruntime", HERE, home=home, say=said.append)

    assert (build.engine_id, build.sha256, build.platform) == (added.engine_id, added.library.sha256, HERE.platform)
    assert build.library.read_bytes() == library(machine=HERE.platform.removeprefix("linux-")).read_bytes()
    assert said == [
        f"ONNX Runtime for {HERE.platform} is the build that was added from libonnxruntime.so: {added.engine_id}"
    ]
    assert ensure_engine("litert", HERE, home=home, say=said.append) == local_engine("litert")


def test_an_added_build_wins_over_the_pinned_one_for_its_platform_alone(library: LibraryMaker, home: Path):
    added = add(library(machine="aarch64", libc="bionic"), home)

    build = ensure_engine("onnxruntime", PHONE, home=home, say=print)

    assert (build.engine_id, build.loader, build.runner_platform) == (added.engine_id, None, "android-arm64")
    assert list_added(engines_folder(home))[0].platform == "android-arm64"


def test_a_glibc_build_for_android_comes_with_its_c_library(library: LibraryMaker, home_with_glibc: Path):
    added = add(library(machine="aarch64"), home_with_glibc, platform="android-arm64")

    build = ensure_engine("onnxruntime", PHONE, home=home_with_glibc, say=print)

    assert build.engine_id.startswith(f"{added.engine_id}+glibc-")
    assert build.loader is not None
    assert (build.platform, build.runner_platform) == ("android-arm64", "linux-aarch64")
    assert {path.name for path in build.libraries} >= {"libc.so.6", "libstdc++.so.6"}


def test_the_libraries_beside_it_are_part_of_the_build(library: LibraryMaker, home: Path, tmp_path: Path):
    android = {"machine": "aarch64", "libc": "bionic"}
    members = {
        "jni/arm64-v8a/libengine.so": library("libengine.so", needs=("libother.so",), **android),
        "jni/arm64-v8a/libother.so": library("libother.so", exports=("other",), pages=4096, **android),
    }
    add(aar(tmp_path / "engine.aar", members), home)

    build = ensure_engine("onnxruntime", PHONE, home=home, say=print)

    assert [path.name for path in (build.library, *build.libraries)] == ["libengine.so", "libother.so"]
    with pytest.raises(InputError, match=r"\+added-.*, where it is aligned to pages of 4 KiB and the device has"):
        ensure_engine("onnxruntime", Target("android-arm64", None, 16384, 35, ()), home=home, say=print)


def test_a_newer_glibc_than_the_carried_one_is_refused(library: LibraryMaker, home_with_glibc: Path):
    add(library(machine="aarch64", libc="glibc of the future"), home_with_glibc, platform="android-arm64")

    with pytest.raises(InputError, match=r"it needs glibc 2\.99 and that library has 2\.\d+\. Add an older build"):
        ensure_engine("onnxruntime", PHONE, home=home_with_glibc, say=print)


def test_a_build_for_a_newer_android_is_refused_not_given_a_c_library(library: LibraryMaker, home: Path):
    add(library(machine="aarch64", libc="bionic of Android 15"), home)

    with pytest.raises(InputError, match=r"it needs Android API 35 and the device has API 34\. Add one for an older"):
        ensure_engine("onnxruntime", PHONE, home=home, say=print)


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_build_that_is_not_what_was_added_is_not_used(damage: str, library: LibraryMaker, home: Path):
    added = add(library(machine="aarch64", libc="bionic"), home)
    assert ensure_engine("onnxruntime", PHONE, home=home, say=print).engine_id == added.engine_id
    stored = engines_folder(home) / added.engine_id / added.library.name
    if damage == "changed":
        stored.write_bytes(stored.read_bytes() + b"more")
    else:
        stored.unlink()

    with pytest.raises(InputError, match=r"expected .* with sha256 .* as it was added, got .*: add it again with"):
        ensure_engine("onnxruntime", PHONE, home=home, say=print)

    add(library(machine="aarch64", libc="bionic"), home, replace=True)
    assert ensure_engine("onnxruntime", PHONE, home=home, say=print).engine_id == added.engine_id


def test_a_second_build_takes_the_place_of_the_first_only_if_told(library: LibraryMaker, home: Path):
    first = add(library(), home)

    with pytest.raises(InputError, match=rf"got {first.engine_id.replace('+', '.')}, which was added: add with --rep"):
        add(library(version="VERS_1.2.3"), home)
    assert list_added(engines_folder(home)) == (first,)

    second = add(library(version="VERS_1.2.3"), home, replace=True)

    assert list_added(engines_folder(home)) == (second,)
    assert {path.name for path in engines_folder(home).iterdir()} == {second.engine_id, "added.json", ".added.lock"}


def test_an_archive_is_added_whole_or_not_at_all(library: LibraryMaker, home: Path, tmp_path: Path):
    first = add(library(machine="x86_64", libc="bionic"), home)
    members = {
        "jni/arm64-v8a/libonnxruntime.so": library(machine="aarch64", libc="bionic"),
        "jni/x86_64/libonnxruntime.so": library(machine="x86_64", libc="bionic", version="VERS_1.2.3"),
    }
    both = aar(tmp_path / "engine.aar", members)

    with pytest.raises(InputError, match="add with --replace"):
        add_engine(both, cache=engines_folder(home), say=print)
    assert list_added(engines_folder(home)) == (first,)

    builds = add_engine(both, cache=engines_folder(home), say=print, replace=True)

    assert list_added(engines_folder(home)) == tuple(builds)


def test_builds_that_are_added_at_once_are_all_kept(library: LibraryMaker, home: Path):
    files = [library(machine=machine, libc=libc) for machine in ("aarch64", "x86_64") for libc in ("bionic", "glibc")]
    threads = [threading.Thread(target=add, args=(file, home)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list_added(engines_folder(home))) == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "expected valid YAML"),
        ('{"version": 2, "builds": []}', r"added\.json:1: version: expected 1, got 2"),
        ('{"version": 1, "builds": [{"engine": "litert"}]}', "is missing"),
    ],
)
def test_a_list_that_was_damaged_is_named(content: str, words: str, home: Path):
    engines_folder(home).mkdir(parents=True)
    (engines_folder(home) / "added.json").write_text(content)

    with pytest.raises(InputError, match=words):
        ensure_engine("onnxruntime", HERE, home=home, say=print)


@pytest.mark.parametrize(("key", "value"), [("version", "../../x"), ("name", "lib/../../x"), ("name", "libx\n")])
def test_no_entry_of_the_list_leads_out_of_the_folder(key: str, value: str, library: LibraryMaker, home: Path):
    add(library(), home)
    path = engines_folder(home) / "added.json"
    content = json.loads(path.read_text())
    (content["builds"][0] if key == "version" else content["builds"][0]["library"])[key] = value
    path.write_text(json.dumps(content))

    with pytest.raises(InputError, match=rf"{key}: .*pattern"):
        list_added(engines_folder(home))


def test_what_was_added_is_not_fetched(library: LibraryMaker, home_with_glibc: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    both = {name: add(library(name, machine="aarch64", exports=EXPORTS[name]), home_with_glibc) for name in EXPORTS}

    builds = fetch_platform("linux-aarch64", home=home_with_glibc, say=print)

    assert [build.engine_id for build in builds] == [both["litert"].engine_id, both["onnxruntime"].engine_id]
