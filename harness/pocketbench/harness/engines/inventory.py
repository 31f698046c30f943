"""All builds of the engines: of this computer, added, fetched, and those that can be fetched."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.engines.added import forget, list_added
from pocketbench.harness.engines.catalogue import (
    DISPLAY_NAMES,
    ENGINE_NAMES,
    EngineName,
    host_platform,
    local_engine,
)
from pocketbench.harness.engines.compatibility import libc_of
from pocketbench.harness.engines.elf import read_elf_file
from pocketbench.harness.engines.pinned import PINS, pin_of
from pocketbench.harness.engines.target import PLATFORMS, linux_platform
from pocketbench.harness.engines.wheels import fetched

__all__ = ["ListedBuild", "Source", "list_builds", "remove_build"]

Source = Literal["installed", "added", "fetched", "can be fetched"]


@dataclass(frozen=True, slots=True)
class ListedBuild:
    """A build, and the platforms whose devices would be given it. `library` is None where it is not here yet."""

    engine_id: str
    name: EngineName
    version: str
    platform: str
    source: Source
    libc: str | None
    sha256: str
    size_bytes: int
    library: Path | None
    used_for: tuple[str, ...] = ()


def list_builds(cache: Path) -> tuple[list[ListedBuild], list[str]]:
    """Every build by engine and platform, the preferred first; and why an engine of this computer is missing."""
    missing: list[str] = []
    builds = [*_added(cache), *_installed(missing), *_pinned(cache)]
    for platform in PLATFORMS:
        for name in ENGINE_NAMES:
            chosen = _chosen(builds, name, platform)
            if chosen is not None:
                builds[chosen] = replace(builds[chosen], used_for=(*builds[chosen].used_for, platform))
    return sorted(builds, key=lambda build: (build.name, build.platform)), missing


def remove_build(engine_id: str, cache: Path) -> None:
    """Forget a build that was added or fetched; InputError for another."""
    builds, _ = list_builds(cache)
    known = {build.engine_id: build.source for build in builds if build.source in ("added", "fetched")}
    if engine_id not in known:
        if any(build.engine_id == engine_id and build.source == "installed" for build in builds):
            raise InputError(
                f"expected a build that was added or fetched, got {engine_id!r}, which is in an installed Python "
                "package: remove that with pip."
            )
        hint = nearest(engine_id, known) if known else "there is none"
        raise InputError(f"expected a build that was added or fetched, got {engine_id!r}; {hint}.")
    if known[engine_id] == "added":
        forget(engine_id, cache)
    with tempfile.TemporaryDirectory(prefix=".old-", dir=cache) as scrap:
        if (cache / engine_id).exists():
            (cache / engine_id).rename(Path(scrap) / engine_id)


def _chosen(builds: list[ListedBuild], name: EngineName, platform: str) -> int | None:
    """The place of what `supply.ensure_engine` takes for an ordinary device of `platform`."""
    pin = pin_of(name, platform) or pin_of(name, linux_platform(platform))
    wanted = [("added", platform), ("installed", platform)]
    if pin is not None and platform != _this_computer():
        wanted += [("fetched", pin.platform), ("can be fetched", pin.platform)]
    places = {(build.source, build.platform): place for place, build in enumerate(builds) if build.name == name}
    return next((places[one] for one in wanted if one in places), None)


def _this_computer() -> str | None:
    """Its platform, None where nothing can be measured on it."""
    try:
        return host_platform()
    except InputError:
        return None


def _added(cache: Path) -> Iterator[ListedBuild]:
    for build in list_added(cache):
        yield ListedBuild(
            engine_id=build.engine_id,
            name=build.engine,
            version=build.version,
            platform=build.platform,
            source="added",
            libc=build.libc,
            sha256=build.library.sha256,
            size_bytes=build.size_bytes,
            library=cache / build.engine_id / build.library.name,
        )


def _installed(missing: list[str]) -> Iterator[ListedBuild]:
    for name in ENGINE_NAMES:
        try:
            build = local_engine(name)
        except InputError as error:
            missing.append(f"{DISPLAY_NAMES[name]} of this computer is not available: {error}")
            continue
        yield ListedBuild(
            engine_id=build.engine_id,
            name=name,
            version=build.version,
            platform=build.platform,
            source="installed",
            libc=libc_of(read_elf_file(build.library)),
            sha256=build.sha256,
            size_bytes=build.library.stat().st_size,
            library=build.library,
        )


def _pinned(cache: Path) -> Iterator[ListedBuild]:
    for pin in PINS:
        build = fetched(pin, cache)
        yield ListedBuild(
            engine_id=pin.engine_id,
            name=pin.name,
            version=pin.version,
            platform=pin.platform,
            source="fetched" if build else "can be fetched",
            libc=pin.libc,
            sha256=pin.library_sha256,
            size_bytes=pin.library_bytes,
            library=build.library if build else None,
        )
