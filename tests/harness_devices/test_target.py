"""Platform, C library and pages, from what real systems answer and from what none should."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.devices.target import UnsupportedDeviceError, parse_target, read_target
from pocketbench.harness.engines.catalogue import host_platform
from pocketbench.harness.engines.target import Target
from pocketbench.harness.transports.local import LocalTransport

# uname -s -m, API level, ABIs, C library, page size, ELF class of the shell, libstdc++
PI_OS = [
    "Linux aarch64",
    "",
    "",
    "glibc 2.36",
    "KernelPageSize:       16 kB",
    "2",
    "/lib/x.so\nGLIBCXX_3.4.29\nGLIBCXX_3.4.30",
]
PIXEL = ["Linux aarch64", "34", "arm64-v8a", "", "KernelPageSize:        4 kB", "2", ""]
EMULATOR = ["Linux x86_64", "33", "x86_64,arm64-v8a", "", "", "2", ""]
ALPINE = ["Linux x86_64", "", "", "musl libc (x86_64)", "KernelPageSize:        4 kB", "2", ""]
UBUNTU = ["Linux x86_64", "", "", "ldd (Ubuntu GLIBC 2.31-0ubuntu9.16) 2.31", "", "2", "/usr/lib/libstdc++.so.6"]


def changed(answers: list[str], index: int, text: str) -> list[str]:
    return [*answers[:index], text, *answers[index + 1 :]]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(PI_OS, Target("linux-aarch64", (2, 36), 16384, None, (3, 4, 30)), id="Raspberry Pi OS"),
        pytest.param(PIXEL, Target("android-arm64", None, 4096, 34, ()), id="phone"),
        pytest.param(EMULATOR, Target("android-x86_64", None, 4096, 33, ()), id="emulator prefers its own processor"),
        pytest.param(ALPINE, Target("linux-x86_64", None, 4096, None, ()), id="musl"),
        pytest.param(
            UBUNTU, Target("linux-x86_64", (2, 31), 4096, None, None), id="libstdc++ that could not be searched"
        ),
    ],
)
def test_what_real_systems_answer(answers: list[str], expected: Target):
    assert parse_target(answers, "ssh://board") == expected


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        pytest.param(changed(PI_OS, 0, "Linux armv7l"), "install the 64-bit Raspberry Pi OS", id="32-bit kernel"),
        pytest.param(changed(PI_OS, 5, "1"), "32-bit programs on a 64-bit kernel", id="32-bit system"),
        pytest.param(changed(PIXEL, 2, "armeabi-v7a,armeabi"), "64-bit programs", id="32-bit phone"),
        pytest.param(changed(PI_OS, 0, "Darwin arm64"), "expected Linux on aarch64 or x86_64", id="another system"),
        pytest.param([], "got no answer", id="silence"),
    ],
)
def test_devices_without_a_runner_are_refused(answers: list[str], words: str):
    with pytest.raises(UnsupportedDeviceError, match=words):
        parse_target(answers, "ssh://board")


def test_this_computer_is_what_it_is():
    target = read_target(LocalTransport())

    assert target.platform == host_platform()
    assert target.glibc is not None
    assert target.glibc >= (2, 17)
    assert target.android_api is None


@given(st.lists(st.text(string.printable, max_size=60), max_size=9))
def test_no_answer_is_more_than_refused(answers: list[str]):
    try:
        target = parse_target(answers, "ssh://board")
    except UnsupportedDeviceError:
        return
    assert target.platform in ("linux-aarch64", "linux-x86_64", "android-arm64", "android-x86_64")
