"""The list of all builds, which of them each platform is given, and removing one."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines import pinned, supply
from pocketbench.harness.engines.added import AddedBuild, list_added
from pocketbench.harness.engines.adding import add_engine
from pocketbench.harness.engines.catalogue import ENGINE_NAMES, EngineBuild, host_platform, local_engine
from pocketbench.harness.engines.inventory import ListedBuild, list_builds, remove_build
from pocketbench.harness.engines.pinned import PINS, Pin
from pocketbench.harness.engines.supply import ensure_engine
from pocketbench.harness.engines.target import PLATFORMS, Target
from tests.engines.conftest import LibraryMaker

PIN = next(pin for pin in PINS if (pin.name, pin.platform) == ("onnxruntime", "android-arm64"))


def add(file: Path, cache: Path, **options: Any) -> AddedBuild:
    (build,) = add_engine(file, cache=cache, say=lambda text: None, **options)
    return build


def put_as_fetched(pin: Pin, cache: Path) -> Path:
    folder = cache / pin.engine_id
    folder.mkdir(parents=True)
    (folder / Path(pin.member).name).write_bytes(b"library")
    return folder


def listed(cache: Path) -> dict[tuple[str, str], ListedBuild]:
    return {(build.engine_id, build.source): build for build in list_builds(cache)[0]}


def test_a_new_home_has_this_computer_s_and_all_that_can_be_fetched(cache: Path):
    builds, missing = list_builds(cache)

    assert missing == []
    assert not cache.exists()  # looking makes nothing
    assert {build.engine_id for build in builds if build.source == "installed"} == {
        local_engine(name).engine_id for name in ENGINE_NAMES
    }
    assert {build.engine_id for build in builds if build.source == "can be fetched"} == {pin.engine_id for pin in PINS}
    installed = listed(cache)[local_engine("onnxruntime").engine_id, "installed"]
    assert installed.sha256 == hashlib.sha256(local_engine("onnxruntime").library.read_bytes()).hexdigest()
    assert installed.size_bytes == local_engine("onnxruntime").library.stat().st_size
    assert str(installed.libc).startswith("glibc 2.")


def test_each_platform_is_given_one_build_of_each_engine(cache: Path):
    builds, _ = list_builds(cache)

    used = [(build.name, platform) for build in builds for platform in build.used_for]
    assert sorted(used) == sorted((name, platform) for name in ENGINE_NAMES for platform in PLATFORMS)
    assert listed(cache)[PIN.engine_id, "can be fetched"].used_for == ("android-arm64",)


def test_what_was_fetched_says_so(cache: Path):
    folder = put_as_fetched(PIN, cache)

    build = listed(cache)[PIN.engine_id, "fetched"]

    assert build.library == folder / "libonnxruntime.so"
    assert build.used_for == ("android-arm64",)
    assert (PIN.engine_id, "can be fetched") not in listed(cache)


def test_an_added_build_takes_the_place_of_the_pinned_one(library: LibraryMaker, cache: Path):
    added = add(library(machine="aarch64", libc="bionic"), cache)

    builds = listed(cache)

    assert builds[added.engine_id, "added"].used_for == ("android-arm64",)
    assert builds[PIN.engine_id, "can be fetched"].used_for == ()
    assert builds[added.engine_id, "added"].library == cache / added.engine_id / "libonnxruntime.so"


@pytest.mark.parametrize("is_added", [False, True])
def test_the_list_says_what_a_device_is_given(
    is_added: bool, library: LibraryMaker, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    """For each platform: ensure_engine, with a device that can load anything, and downloads that are not made."""
    if is_added:
        for machine, libc in (("aarch64", "bionic"), ("aarch64", "glibc"), ("x86_64", "glibc")):
            add(library(machine=machine, libc=libc), cache)
    small = library(libc="bionic")
    monkeypatch.setattr(
        supply,
        "fetch_pinned",
        lambda pin, *_: EngineBuild(pin.engine_id, pin.name, pin.version, pin.platform, small, pin.library_sha256),
    )
    builds = list_builds(cache)[0]

    for platform in PLATFORMS:
        for name in ENGINE_NAMES:
            device = Target(platform, (2, 99), 4096, 35, (3, 4, 99))
            given = ensure_engine(name, device, home=cache.parent, say=lambda text: None)
            (chosen,) = [build for build in builds if build.name == name and platform in build.used_for]
            assert chosen.engine_id == given.engine_id
            assert (chosen.source == "added") is ("+added-" in given.engine_id)


def test_a_missing_package_of_this_computer_is_named_and_nothing_takes_its_place(
    cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    builds, missing = list_builds(cache)

    assert len(missing) == 1
    assert "ONNX Runtime of this computer is not available: expected the package 'onnxruntime'" in missing[0]
    used = [build for build in builds if host_platform() in build.used_for]
    assert [build.name for build in used] == ["litert"]


def test_elsewhere_than_on_linux_the_list_is_of_what_can_be_fetched(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    builds, missing = list_builds(cache)

    assert len(missing) == 2
    assert {build.source for build in builds} == {"can be fetched"}
    assert {platform for build in builds for platform in build.used_for} == set(PLATFORMS)


def test_an_added_build_is_forgotten_with_its_files(library: LibraryMaker, cache: Path):
    kept = add(library(machine="aarch64", libc="bionic"), cache)
    added = add(library(), cache)

    remove_build(added.engine_id, cache)

    assert list_added(cache) == (kept,)
    assert {path.name for path in cache.iterdir()} == {kept.engine_id, "added.json", ".added.lock"}


def test_a_build_whose_files_are_gone_can_be_removed(library: LibraryMaker, cache: Path):
    added = add(library(), cache)
    (cache / added.engine_id).rename(cache / "elsewhere")

    remove_build(added.engine_id, cache)

    assert list_added(cache) == ()


def test_a_fetched_build_is_removed_and_can_be_fetched_again(cache: Path):
    put_as_fetched(PIN, cache)

    remove_build(PIN.engine_id, cache)

    assert list(cache.iterdir()) == []
    assert (PIN.engine_id, "can be fetched") in listed(cache)


def test_what_was_not_added_or_fetched_is_not_removed(library: LibraryMaker, cache: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"got '\.\./\.\.'; there is none"):
        remove_build("../..", cache)
    added = add(library(), cache)
    with pytest.raises(InputError, match=rf"did you mean '{added.engine_id.replace('+', '.')}'"):
        remove_build(added.engine_id[:-1], cache)
    with pytest.raises(InputError, match="which is in an installed Python package: remove that with pip"):
        remove_build(local_engine("litert").engine_id, cache)
    with pytest.raises(InputError, match="expected a build that was added or fetched"):
        remove_build(PIN.engine_id, cache)

    assert list_added(cache) == (added,)


def test_a_pin_of_another_engine_is_no_other_s(cache: Path, monkeypatch: pytest.MonkeyPatch):
    """Two engines for one platform, of which only one was fetched."""
    other = replace(PIN, name="litert", library_sha256="0" * 64)
    monkeypatch.setattr(pinned, "PINS", (*PINS, other))
    monkeypatch.setattr("pocketbench.harness.engines.inventory.PINS", (*PINS, other))
    put_as_fetched(PIN, cache)

    assert listed(cache)[other.engine_id, "can be fetched"].used_for == ("android-arm64",)
    assert listed(cache)[PIN.engine_id, "fetched"].used_for == ("android-arm64",)
