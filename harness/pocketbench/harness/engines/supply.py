"""The build of an engine that a device runs: found, or fetched where it is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import (
    DISPLAY_NAMES,
    ENGINE_NAMES,
    EngineBuild,
    EngineName,
    engine_name,
    host_platform,
    local_engine,
)
from pocketbench.harness.engines.compatibility import libc_misfit, page_misfit
from pocketbench.harness.engines.elf import read_elf_file
from pocketbench.harness.engines.glibc import fetch_glibc
from pocketbench.harness.engines.pinned import pin_of
from pocketbench.harness.engines.target import Target, check_platform, linux_platform
from pocketbench.harness.engines.wheels import fetch_pinned

__all__ = ["engines_folder", "ensure_engine", "fetch_platform"]


def engines_folder(home: Path) -> Path:
    """Where fetched builds are kept."""
    return home / "engines"


def ensure_engine(name: str, target: Target, *, home: Path, say: Callable[[str], None]) -> EngineBuild:
    """The build of the engine `name` for `target`; what is missing is fetched, and `say` told so.

    This computer's own packages where the device is of its kind; else the pinned build for the platform. Where the
    device's C library does not serve it, and for glibc builds on Android, a newer one is carried along. Raises
    InputError where no build can be had.
    """
    name = engine_name(name)
    build = _own(name, target) or _pinned(name, target, home, say)
    elf = read_elf_file(build.library)
    if misfit := page_misfit(elf, target):
        raise InputError(
            f"expected a build of {DISPLAY_NAMES[name]} that {target.platform} can load, got one where {misfit}."
        )
    if libc_misfit(elf, target) is None:
        return build
    return _carried(build, home, say)


def fetch_platform(platform: str, *, home: Path, say: Callable[[str], None]) -> list[EngineBuild]:
    """Fetch what devices of `platform` may need: the pinned builds, and the C library to carry along with them."""
    check_platform(platform)
    linux = linux_platform(platform)
    pins = [pin_of(name, platform) or pin_of(name, linux) for name in ENGINE_NAMES]
    builds = [fetch_pinned(pin, engines_folder(home), say) for pin in pins if pin is not None]
    fetch_glibc(linux, engines_folder(home), say)
    return builds


def _own(name: EngineName, target: Target) -> EngineBuild | None:
    """The library of this computer's package, where the device is of this computer's kind."""
    return local_engine(name) if target.platform == host_platform() else None


def _pinned(name: EngineName, target: Target, home: Path, say: Callable[[str], None]) -> EngineBuild:
    pin = pin_of(name, target.platform) or pin_of(name, linux_platform(target.platform))
    if pin is None:
        raise InputError(f"expected a build of {DISPLAY_NAMES[name]} for {target.platform}, got none.")
    build = fetch_pinned(pin, engines_folder(home), say)
    return replace(build, platform=target.platform)


def _carried(build: EngineBuild, home: Path, say: Callable[[str], None]) -> EngineBuild:
    bundle = fetch_glibc(linux_platform(build.platform), engines_folder(home), say)
    return replace(
        build,
        engine_id=f"{build.engine_id}+glibc-{bundle.digest[:12]}",
        libraries=(*build.libraries, *bundle.libraries),
        loader=bundle.loader,
    )
