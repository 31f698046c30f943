"""Which libraries a device's own system has, and the C library that a library is built for."""

from __future__ import annotations

from typing import Literal

from pocketbench.harness.engines.compatibility import is_bionic, is_glibc
from pocketbench.harness.engines.elf import Elf
from pocketbench.harness.engines.glibc import LIBRARIES, LOADERS

__all__ = ["SYSTEM_LIBRARIES", "LibcFamily", "libc_family"]

LibcFamily = Literal["bionic", "glibc", "musl"]

# What an application may use of Android (developer.android.com/ndk/guides/stable_apis), at whatever API level.
_ANDROID = """
libEGL.so libGLESv1_CM.so libGLESv2.so libGLESv3.so libOpenMAXAL.so libOpenSLES.so libaaudio.so libamidi.so
libandroid.so libbinder_ndk.so libc.so libcamera2ndk.so libdl.so libicu.so libjnigraphics.so liblog.so libm.so
libmediandk.so libnativehelper.so libnativewindow.so libneuralnetworks.so libstdc++.so libsync.so libvulkan.so libz.so
"""
SYSTEM_LIBRARIES: dict[LibcFamily, frozenset[str]] = {
    "bionic": frozenset(_ANDROID.split()),
    # Of a board only these are certain, and they are what is carried along where its own are too old.
    "glibc": frozenset((*LIBRARIES, *LOADERS.values())),
}


def libc_family(elf: Elf) -> LibcFamily | None:
    """The C library that `elf` is built for, None where nothing in it says so."""
    if is_bionic(elf):
        return "bionic"
    if is_glibc(elf):
        return "glibc"
    # musl's own name for it, and the one that Alpine gives it. Android's libc.so comes with symbol versions.
    return "musl" if any(name == "libc.so" or name.startswith("libc.musl-") for name in elf.needed) else None
