"""The builds that the user added, in the folder `engines` of the home:

    added.json                                               what is there
    onnxruntime-1.30.0-android-arm64+added-0123456789ab/     the libraries of a build

One build per engine and platform. The file is replaced whole, after the folder of a new build is in place: whoever
reads it finds the old build or the new one.

Format history of added.json:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict, load_yaml
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild, EngineName, library_digest
from pocketbench.harness.transports.whole_file import whole_file

__all__ = ["VERSION_PATTERN", "AddedBuild", "AddedLibrary", "NewBuild", "added_build", "forget", "list_added", "store"]

VERSION_PATTERN = r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}"
_FILE, _LOCK = "added.json", ".added.lock"
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Version = Annotated[str, StringConstraints(pattern=rf"^{VERSION_PATTERN}$")]


class AddedLibrary(Strict):
    """A file in the folder of a build."""

    name: Annotated[str, StringConstraints(pattern=r"^lib[A-Za-z0-9_.+-]{1,110}$")]
    sha256: _Sha256
    size_bytes: int


class AddedBuild(Strict):
    """One entry of added.json. `source` is the name of the file that the user gave, for people only."""

    engine: EngineName
    version: _Version
    platform: Literal["android-arm64", "android-x86_64", "linux-aarch64", "linux-x86_64"]
    libc: str
    source: str
    library: AddedLibrary
    libraries: tuple[AddedLibrary, ...] = ()

    @property
    def engine_id(self) -> str:
        """Names all that measures: the library by its hash, and those beside it by one over theirs."""
        name = f"{self.engine}-{self.version}-{self.platform}+added-{self.library.sha256[:12]}"
        if not self.libraries:
            return name
        beside = "".join(f"{library.name} {library.sha256}\n" for library in self.libraries)
        return f"{name}+with-{hashlib.sha256(beside.encode()).hexdigest()[:12]}"

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(library.size_bytes for library in (self.library, *self.libraries))


class _File(Strict):
    version: Literal[1]
    builds: tuple[AddedBuild, ...]


@dataclass(frozen=True, slots=True)
class NewBuild:
    """A build to store, and the folder that has its files, which is taken from there."""

    build: AddedBuild
    folder: Path


def list_added(cache: Path) -> tuple[AddedBuild, ...]:
    """What was added, by engine and platform."""
    path = cache / _FILE
    return load_yaml(path, _File).builds if path.exists() else ()


def added_build(name: EngineName, platform: str, cache: Path) -> tuple[EngineBuild, str] | None:
    """The build that was added for exactly `platform`, and the file that it came from; None where there is none.

    InputError where its files are not what they were when they were added.
    """
    build = next((one for one in list_added(cache) if (one.engine, one.platform) == (name, platform)), None)
    if build is None:
        return None
    main, *beside = (_verified(build, library, cache) for library in (build.library, *build.libraries))
    return (
        EngineBuild(build.engine_id, build.engine, build.version, platform, main, build.library.sha256, tuple(beside)),
        build.source,
    )


def store(new: Sequence[NewBuild], cache: Path, *, replace: bool) -> None:
    """Keep builds in place of those for the same engine and platform, which InputError refuses without `replace`."""
    with _locked(cache):
        before = list_added(cache)
        slots = {(one.build.engine, one.build.platform) for one in new}
        taken = [build for build in before if (build.engine, build.platform) in slots]
        if taken and not replace:
            raise InputError(
                f"expected no build of {DISPLAY_NAMES[taken[0].engine]} for {taken[0].platform} yet, got "
                f"{taken[0].engine_id}, which was added: add with --replace, or remove it first."
            )
        with tempfile.TemporaryDirectory(prefix=".old-", dir=cache) as scrap:
            for one in new:
                target = cache / one.build.engine_id
                if target.exists():  # the same files again, which may have been damaged
                    target.rename(Path(scrap) / f"{target.name}.same")
                one.folder.rename(target)
            kept = [build for build in before if build not in taken]
            _write(cache, [*kept, *(one.build for one in new)])
            current = {one.build.engine_id for one in new}
            for build in taken:
                if build.engine_id not in current and (cache / build.engine_id).exists():
                    (cache / build.engine_id).rename(Path(scrap) / build.engine_id)


def forget(engine_id: str, cache: Path) -> bool:
    """Remove the build that was added under `engine_id`; False where there is none."""
    with _locked(cache):
        builds = list_added(cache)
        if engine_id not in {build.engine_id for build in builds}:
            return False
        _write(cache, [build for build in builds if build.engine_id != engine_id])
    return True


def _verified(build: AddedBuild, library: AddedLibrary, cache: Path) -> Path:
    path = cache / build.engine_id / library.name
    try:
        digest = library_digest(path)
    except OSError as error:
        digest = str(error.strerror)
    if digest != library.sha256:
        raise InputError(
            f"expected {path} with sha256 {library.sha256} as it was added, got {digest}: add it again with "
            f"--replace, or run `pocketbench engine remove {build.engine_id}`."
        )
    return path


def _write(cache: Path, builds: Sequence[AddedBuild]) -> None:
    in_order = sorted(builds, key=lambda build: (build.engine, build.platform))
    content = {"version": 1, "builds": [build.model_dump(mode="json") for build in in_order]}
    with whole_file(cache / _FILE) as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """Keep other pocketbench processes from changing the file between our reading and writing it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
