"""ELF headers of real libraries, and of files that are damaged or hostile."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import local_engine
from pocketbench.harness.engines.compatibility import libc_misfit, libc_of
from pocketbench.harness.engines.elf import read_elf, read_elf_file
from pocketbench.harness.engines.target import Target
from pocketbench.harness.runner.binaries import runner_binary
from tests.engines.libraries import build_library


def test_an_engine_tells_what_it_needs_and_offers():
    elf = read_elf_file(local_engine("onnxruntime").library, wanted=["OrtGetApiBase", "no_such_function"])

    assert elf.exports == {"OrtGetApiBase"}
    assert "libc.so.6" in elf.needed
    assert libc_of(elf) is not None
    assert str(libc_of(elf)).startswith("glibc 2.")


def test_what_a_device_lacks_is_named():
    elf = read_elf_file(local_engine("litert").library)

    assert "it needs glibc 2." in str(libc_misfit(elf, Target("linux-x86_64", (2, 5), 4096, None)))
    assert "it needs glibc and the device has another C library" in str(
        libc_misfit(elf, Target("linux-x86_64", None, 4096, None))
    )
    assert libc_misfit(elf, Target("linux-x86_64", (2, 99), 4096, None, (3, 4, 99))) is None


@pytest.mark.parametrize(
    ("info", "other", "found"), [(0x12, 0, True), (0x22, 3, True), (0x02, 0, False), (0x12, 2, False)]
)
def test_only_what_dlsym_would_find_is_an_export(info: int, other: int, found: bool, tmp_path: Path):
    """Global or weak and not hidden; a library may have others in its table."""
    data = bytearray(build_library(tmp_path / "library.so", ("wanted",), libc="none").read_bytes())
    # The table that the loader reads comes before the one for debuggers.
    symbol = next(at for at in range(0, len(data) - 24, 8) if _is_global_function(bytes(data[at : at + 24])))
    data[symbol + 4 : symbol + 6] = bytes((info, other))

    assert (read_elf(bytes(data), "library.so", ["wanted"]).exports == {"wanted"}) is found


def _is_global_function(entry: bytes) -> bool:
    name, info, other, section, _, size = struct.unpack("<IBBHQQ", entry)
    return (info, other) == (0x12, 0) and 0 < section < 20 and 0 < name < 100 and 0 < size < 100


SMALL = runner_binary("android-arm64").read_bytes()


def test_a_program_for_android_is_told_from_one_for_linux():
    android, linux = (read_elf_file(runner_binary(platform)) for platform in ("android-arm64", "linux-aarch64"))

    assert (android.is_android, android.machine, android.alignment_bytes) == (True, "aarch64", 16384)
    assert (linux.is_android, linux.has_interpreter) == (False, True)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"PK\x03\x04", SMALL[:100], b"\x7fELF\x01\x01" + SMALL[6:]])
def test_what_is_no_library_of_ours_is_refused(content: bytes):
    with pytest.raises(InputError, match=r"expected .*"):
        read_elf(content, "library.so")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=30), st.integers(1, len(SMALL))
)
def test_no_damage_is_more_than_refused(changes: list[tuple[int, int]], length: int):
    data = bytearray(SMALL[:length])
    for position, value in changes:
        if position < len(data):
            data[position] = value
    with contextlib.suppress(InputError):
        read_elf(bytes(data), "library.so", wanted=["main"])
