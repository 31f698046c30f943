"""Which build a device runs: this computer's own, the pinned one, or either with a C library carried along."""

from __future__ import annotations

from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import host_platform, local_engine
from pocketbench.harness.engines.glibc import fetch_glibc
from pocketbench.harness.engines.supply import ensure_engine, fetch_platform
from pocketbench.harness.engines.target import Target

PI_OS_BOOKWORM = Target("linux-aarch64", (2, 36), 16384, None, (3, 4, 30))
PI_OS_BULLSEYE = Target("linux-aarch64", (2, 31), 4096, None, (3, 4, 28))
PHONE = Target("android-arm64", None, 4096, 34, ())


@pytest.fixture(scope="module")
def home(device_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Engines from the package index, fetched once for all tests that measure on arm64."""
    home = tmp_path_factory.mktemp("home")
    (device_cache / "engines").mkdir(exist_ok=True)
    (home / "engines").symlink_to(device_cache / "engines")
    return home


def silent(_: str) -> None:
    pass


def test_this_computer_and_its_kind_run_the_installed_package(tmp_path: Path):
    here = Target(host_platform(), (2, 99), 4096, None, (3, 4, 99))

    assert ensure_engine("onnxruntime", here, home=tmp_path, say=silent) == local_engine("onnxruntime")
    assert not (tmp_path / "engines").exists()


@pytest.mark.parametrize("name", ["litert", "onnxruntime"])
def test_a_current_board_runs_the_official_build_alone(name: str, home: Path):
    build = ensure_engine(name, PI_OS_BOOKWORM, home=home, say=silent)

    assert (build.platform, build.loader, build.libraries) == ("linux-aarch64", None, ())
    assert build.runner_platform == "linux-aarch64"


def test_an_old_board_gets_a_newer_c_library_where_the_engine_needs_it(home: Path):
    build = ensure_engine("litert", PI_OS_BULLSEYE, home=home, say=silent)

    assert build.loader is not None
    assert build.loader.name == "ld-linux-aarch64.so.1"
    assert {"libc.so.6", "libstdc++.so.6"} <= {path.name for path in build.libraries}
    assert "+glibc-" in build.engine_id  # a result tells the two apart
    assert ensure_engine("onnxruntime", PI_OS_BULLSEYE, home=home, say=silent).loader is None


def test_a_phone_runs_what_is_built_for_it_else_a_board_s_build_with_its_c_library(home: Path):
    onnxruntime = ensure_engine("onnxruntime", PHONE, home=home, say=silent)
    litert = ensure_engine("litert", PHONE, home=home, say=silent)

    assert (onnxruntime.platform, onnxruntime.loader) == ("android-arm64", None)
    assert onnxruntime.runner_platform == "android-arm64"
    assert litert.platform == "android-arm64"
    assert litert.loader is not None
    assert litert.runner_platform == "linux-aarch64"


def test_the_android_build_suits_pages_of_16_kib(home: Path):
    ensure_engine("onnxruntime", Target("android-arm64", None, 16384, 35, ()), home=home, say=silent)


def test_pages_that_no_build_suits_are_refused(home: Path):
    with pytest.raises(InputError, match="aligned to pages of 16 KiB and the device has pages of 64 KiB"):
        ensure_engine("onnxruntime", Target("android-arm64", None, 65536, 35, ()), home=home, say=silent)


def test_a_platform_is_fetched_once_for_offline_use(home: Path):
    fetch_platform("linux-aarch64", home=home, say=silent)
    said: list[str] = []

    builds = fetch_platform("linux-aarch64", home=home, say=said.append)

    assert [build.name for build in builds] == ["litert", "onnxruntime"]
    assert said == []


def test_a_platform_that_is_none_is_refused_with_the_nearest(tmp_path: Path):
    with pytest.raises(InputError, match="did you mean 'linux-aarch64'"):
        fetch_platform("linux-arm64", home=tmp_path, say=silent)


def test_the_carried_c_library_is_the_same_however_often_it_is_asked_for(tmp_path: Path):
    first, again = (fetch_glibc("linux-aarch64", tmp_path, silent) for _ in range(2))

    assert first == again
    assert first.loader.read_bytes().startswith(b"\x7fELF")
