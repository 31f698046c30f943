"""The runner as a file: for four platforms, old C libraries and nothing but the C library, always the same bytes."""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.runner import build as build_module
from pocketbench.harness.runner.binaries import runner_binary
from pocketbench.harness.runner.build import PLATFORMS, BuildError, build, fingerprint, is_current, symbols
from tests.runner.elf import needs_of

SOURCES = Path(build_module.__file__).parent / "src"
LOADERS = {"linux-aarch64": "/lib/ld-linux-aarch64.so.1", "linux-x86_64": "/lib64/ld-linux-x86-64.so.2"}


ANDROID = [platform for platform in PLATFORMS if platform.startswith("android-")]
OLDEST_API = 24  # Android 7.0


def test_there_is_one_for_each_platform_that_we_promise():
    assert sorted(PLATFORMS) == ["android-arm64", "android-x86_64", "linux-aarch64", "linux-x86_64"]


@pytest.mark.parametrize("platform", LOADERS)
def test_it_needs_the_c_library_and_dlopen_of_2012(platform):
    needs = needs_of(runner_binary(platform))

    assert needs.machine == platform.removeprefix("linux-")
    assert needs.interpreter == LOADERS[platform]
    assert set(needs.libraries) <= {"libc.so.6", "libdl.so.2"}
    assert needs.versions
    for version in needs.versions:
        assert version.startswith("GLIBC_")
        assert tuple(map(int, version.removeprefix("GLIBC_").split("."))) <= (2, 17), version


@pytest.mark.parametrize("platform", ANDROID)
def test_for_android_it_needs_nothing_that_is_newer_than_android_7(platform):
    needs = needs_of(runner_binary(platform))
    listed = {symbol.name: symbol for symbol in symbols(SOURCES)}

    assert needs.libraries == ("libc.so", "libdl.so")
    assert needs.versions == ()
    assert {"__libc_init", "__errno", "dlopen"} <= needs.imports
    assert needs.imports - listed.keys() == set()
    assert [name for name in needs.imports if not 21 <= listed[name].api <= OLDEST_API] == []


def test_the_list_of_androids_symbols_holds_what_is_used_and_nothing_else():
    used = {platform: needs_of(runner_binary(platform)).imports for platform in ANDROID}

    listed = [symbol.name for symbol in symbols(SOURCES)]
    assert len(set(listed)) == len(listed)
    assert set().union(*used.values()) == set(listed)


@pytest.mark.parametrize("platform", ANDROID)
def test_for_android_it_has_the_form_that_androids_loader_asks_for(platform):
    binary = runner_binary(platform)
    needs = needs_of(binary)

    assert needs.machine == {"android-arm64": "aarch64", "android-x86_64": "x86_64"}[platform]
    assert needs.interpreter == "/system/bin/linker64"
    assert needs.notes == (("Android", 1, struct.pack("<I", OLDEST_API)),)
    assert needs.faults == ()
    assert binary.stat().st_size < 100_000


@pytest.mark.parametrize("platform", ANDROID)
def test_for_android_it_starts_under_kernels_with_pages_of_16_kib(platform):
    needs = needs_of(runner_binary(platform))

    assert needs.alignment >= 16384
    # The loader protects whole pages: what is writable must not begin on the last of them.
    assert needs.read_only_end is not None
    assert needs.read_only_end % 16384 == 0


@pytest.mark.parametrize("name", ["getrandom", "sysconf"])
def test_a_function_that_is_not_on_the_list_is_an_error(name, tmp_path):
    shutil.copytree(SOURCES, tmp_path / "src")
    code = f"long {name}(int); long unlisted(void); long unlisted(void) {{ return {name}(0); }}\n"
    (tmp_path / "src" / "unlisted.c").write_text(code)

    with pytest.raises(BuildError, match=f"undefined symbol: {name}"):
        build("android-arm64", tmp_path / "src", tmp_path / "runner")

    assert not (tmp_path / "runner").exists()


def test_the_aarch64_file_starts_under_kernels_with_pages_of_16_and_64_kib():
    assert needs_of(runner_binary("linux-aarch64")).alignment >= 65536


@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_builds_give_identical_bytes(platform, tmp_path, monkeypatch):
    # Other folders, another user's environment and an empty compiler cache: nothing of it may get into the file.
    for number in (1, 2):
        shutil.copytree(SOURCES, tmp_path / f"copy-{number}")
        monkeypatch.setenv("ZIG_LOCAL_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        monkeypatch.setenv("TZ", f"UTC-{number}")
        build(platform, tmp_path / f"copy-{number}", tmp_path / f"out-{number}" / "runner")

    first, second = ((tmp_path / f"out-{number}" / "runner").read_bytes() for number in (1, 2))
    assert first == second
    assert first == runner_binary(platform).read_bytes()
    for place in (tmp_path, Path.home(), Path(sys.prefix), SOURCES):
        assert str(place).encode() not in first


def test_a_changed_source_is_noticed_and_a_complete_build_is_current(tmp_path):
    sources, binary = tmp_path / "src", tmp_path / "bin" / "runner"
    shutil.copytree(SOURCES, sources)
    assert not is_current(sources, binary)

    build("linux-x86_64", sources, binary)
    assert is_current(sources, binary)
    assert binary.stat().st_mode & 0o777 == 0o755

    for changed in ("clock.h", "android/start.c", "android/bionic.h", "android/symbols.txt"):
        before = fingerprint(sources)
        (sources / changed).write_text((sources / changed).read_text() + "\n")
        assert fingerprint(sources) != before
    assert not is_current(sources, binary)


def test_a_build_that_fails_leaves_the_old_file_and_quotes_the_compiler(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.c").write_text("int main(void) { int unused; return 0; }\n")
    (tmp_path / "runner").write_bytes(b"old")

    with pytest.raises(BuildError, match="unused variable"):
        build("linux-x86_64", tmp_path / "src", tmp_path / "runner")

    assert (tmp_path / "runner").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runner", "src"]


def test_a_missing_compiler_is_named_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ziglang", None)

    with pytest.raises(BuildError, match=r"needs the package 'ziglang'.* run `pip install ziglang==0.17.1`"):
        build("linux-x86_64", SOURCES, tmp_path / "runner")


def test_a_platform_that_it_is_not_built_for_is_refused():
    with pytest.raises(InputError, match=r"got 'linux-aarch46'.*'linux-aarch64'"):
        runner_binary("linux-aarch46")
