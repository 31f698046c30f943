"""The build of an engine that a device runs: added, found, or fetched where it is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.added import added_build
from pocketbench.harness.engines.catalogue import (
    DISPLAY_NAMES,
    ENGINE_NAMES,
    EngineBuild,
    EngineName,
    engine_name,
    host_platform,
    local_engine,
)
from pocketbench.harness.engines.compatibility import is_bionic, libc_misfit, newest_version, page_misfit
from pocketbench.harness.engines.elf import Elf, read_elf_file
from pocketbench.harness.engines.glibc import GlibcBundle, fetch_glibc
from pocketbench.harness.engines.pinned import pin_of
from pocketbench.harness.engines.target import Target, check_platform, linux_platform
from pocketbench.harness.engines.wheels import fetch_pinned

__all__ = ["engines_folder", "ensure_engine", "fetch_platform"]


def engines_folder(home: Path) -> Path:
    """Where added and fetched builds are kept."""
    return home / "engines"


def ensure_engine(name: str, target: Target, *, home: Path, say: Callable[[str], None]) -> EngineBuild:
    """The build of the engine `name` for `target`; what is missing is fetched, and `say` told so.

    What the user added for the platform; else this computer's own package where the device is of its kind; else the
    pinned build. Where the device's C library does not serve it, and for glibc builds on Android, a newer one is
    carried along. Raises InputError where no build can be had.
    """
    name = engine_name(name)
    build = _added(name, target.platform, home, say) or _own(name, target) or _pinned(name, target, home, say)
    elf = read_elf_file(build.library)
    for library in (elf, *map(read_elf_file, build.libraries)):
        if misfit := page_misfit(library, target):
            raise InputError(
                f"expected a build of {DISPLAY_NAMES[name]} that {target.platform} can load, got {build.engine_id}, "
                f"where {misfit}: `pocketbench engine add` takes another."
            )
    misfit = libc_misfit(elf, target)
    if misfit and is_bionic(elf):
        raise InputError(
            f"expected a build of {DISPLAY_NAMES[name]} that the device's Android can load, got {build.engine_id}: "
            f"{misfit}. Add one for an older Android with `pocketbench engine add`."
        )
    # The carried loader also finds what has to lie beside the engine; a device's own looks elsewhere.
    if misfit or (build.libraries and not is_bionic(elf)):
        return _carried(build, elf, target, home, say)
    return build


def fetch_platform(platform: str, *, home: Path, say: Callable[[str], None]) -> list[EngineBuild]:
    """Fetch what devices of `platform` may need: builds that none was added for, and the C library to carry along."""
    check_platform(platform)
    linux = linux_platform(platform)
    builds = []
    for name in ENGINE_NAMES:
        pin = pin_of(name, platform) or pin_of(name, linux)
        if added := _added(name, platform, home, say):
            builds.append(added)
        elif pin is not None:
            builds.append(fetch_pinned(pin, engines_folder(home), say))
    fetch_glibc(linux, engines_folder(home), say)
    return builds


def _added(name: EngineName, platform: str, home: Path, say: Callable[[str], None]) -> EngineBuild | None:
    found = added_build(name, platform, engines_folder(home))
    if found is None:
        return None
    build, source = found
    say(f"{DISPLAY_NAMES[name]} for {platform} is the build that was added from {source}: {build.engine_id}")
    return build


def _own(name: EngineName, target: Target) -> EngineBuild | None:
    """The library of this computer's package, where the device is of this computer's kind."""
    return local_engine(name) if target.platform == host_platform() else None


def _pinned(name: EngineName, target: Target, home: Path, say: Callable[[str], None]) -> EngineBuild:
    pin = pin_of(name, target.platform) or pin_of(name, linux_platform(target.platform))
    if pin is None:
        raise InputError(
            f"expected a build of {DISPLAY_NAMES[name]} for {target.platform}, got none: "
            "`pocketbench engine add` takes one."
        )
    build = fetch_pinned(pin, engines_folder(home), say)
    return replace(build, platform=target.platform)


def _carried(build: EngineBuild, elf: Elf, target: Target, home: Path, say: Callable[[str], None]) -> EngineBuild:
    bundle = fetch_glibc(linux_platform(build.platform), engines_folder(home), say)
    if misfit := libc_misfit(elf, _with_bundle(target, bundle)):
        raise InputError(
            f"expected a build of {DISPLAY_NAMES[build.name]} that runs with the C library that is carried along, got "
            f"{build.engine_id}: {misfit.replace('the device', 'that library')}. Add an older build."
        )
    return replace(
        build,
        engine_id=f"{build.engine_id}+glibc-{bundle.digest[:12]}",
        libraries=(*build.libraries, *bundle.libraries),
        loader=bundle.loader,
    )


def _with_bundle(target: Target, bundle: GlibcBundle) -> Target:
    """The device as an engine sees it that is started with `bundle`."""
    versions = {path.name: read_elf_file(path).versions for path in bundle.libraries}
    return replace(
        target,
        glibc=newest_version(versions["libc.so.6"], "GLIBC"),
        glibcxx=newest_version(versions["libstdc++.so.6"], "GLIBCXX") or (),
    )
