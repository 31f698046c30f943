"""What a device has that decides which build of an engine can run there."""

from __future__ import annotations

from dataclasses import dataclass

from pocketbench.checked.errors import InputError, nearest

__all__ = ["ANDROID_ABIS", "PLATFORMS", "Target", "check_platform", "linux_platform"]

PLATFORMS = ("android-arm64", "android-x86_64", "linux-aarch64", "linux-x86_64")
ANDROID_ABIS = {"arm64-v8a": "android-arm64", "x86_64": "android-x86_64"}
_LINUX = {"android-arm64": "linux-aarch64", "android-x86_64": "linux-x86_64"}


@dataclass(frozen=True, slots=True)
class Target:
    """A device as engines see it.

    `glibc` is the version of the device's GNU C library, such as (2, 31), None where it has another one (Android,
    musl). `glibcxx` is the newest symbol version that its libstdc++ defines, (3, 4, 30) for GLIBCXX_3.4.30, () where
    it has no libstdc++, None where that is not known. `android_api` is the API level, None where it is not Android.
    """

    platform: str
    glibc: tuple[int, ...] | None
    page_size_bytes: int
    android_api: int | None
    glibcxx: tuple[int, ...] | None = None


def check_platform(platform: str) -> str:
    """`platform` where engines are known for it; InputError for another."""
    if platform not in PLATFORMS:
        raise InputError(f"expected a platform of a device, got {platform!r}; {nearest(platform, PLATFORMS)}.")
    return platform


def linux_platform(platform: str) -> str:
    """The Linux platform of the same processor: its programs run on Android with a C library carried along."""
    return _LINUX.get(platform, platform)
