"""Pinned builds out of wheels: downloaded by the user's own pip, so that its index, mirror and proxy are used."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, EngineBuild
from pocketbench.harness.engines.pinned import Pin

__all__ = ["fetch_pinned", "fetched"]

# 28 MB over a slow line.
_TIMEOUT_S = 1800.0
_SHOWN_CHARACTERS = 400


def fetched(pin: Pin, cache: Path) -> EngineBuild | None:
    """The build where it was fetched before, None where it was not."""
    library = cache / pin.engine_id / Path(pin.member).name
    if not library.is_file():
        return None
    return EngineBuild(pin.engine_id, pin.name, pin.version, pin.platform, library, pin.library_sha256)


def fetch_pinned(pin: Pin, cache: Path, say: Callable[[str], None]) -> EngineBuild:
    """The build, downloaded into `cache` where it is not there; InputError where that cannot be done."""
    if build := fetched(pin, cache):
        return build
    label = f"{DISPLAY_NAMES[pin.name]} {pin.version} for {pin.platform}"
    say(f"fetching {label} ({pin.wheel_bytes / 1e6:.0f} MB)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as folder:
        wheel = _download(pin, Path(folder), label)
        unpacked = Path(folder) / "unpacked"
        unpacked.mkdir()
        _unpack(pin, wheel, unpacked / Path(pin.member).name)
        target = cache / pin.engine_id
        try:
            unpacked.rename(target)
        except OSError:
            if fetched(pin, cache) is None:  # else another process was faster, with the same bytes
                shutil.rmtree(target, ignore_errors=True)
                unpacked.rename(target)
    build = fetched(pin, cache)
    assert build is not None  # it was just put there
    return build


def _download(pin: Pin, folder: Path, label: str) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise InputError(
            f"expected pip in {sys.prefix} to fetch {label} with, got none: run `{sys.executable} -m ensurepip` "
            "(or `uv pip install pip`), then again."
        )
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{pin.requirement} --hash=sha256:{pin.wheel_sha256}\n", encoding="ascii")
    platforms = [argument for tag in pin.tags for argument in ("--platform", tag)]
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary=:all:", "--require-hashes", "--no-input", "--dest", str(folder)),
        *("--python-version", pin.python, "--implementation", "cp", "--abi", pin.abi, *platforms),
        *("--requirement", str(requirements)),
    ]
    try:
        completed = subprocess.run(
            command, capture_output=True, check=False, text=True, errors="replace", timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"expected pip to fetch {label} within {_TIMEOUT_S:g} s, got no end: try again.") from None
    wheels = sorted(folder.glob("*.whl"))
    if completed.returncode != 0 or len(wheels) != 1:
        said = " ".join(completed.stderr.split())[-_SHOWN_CHARACTERS:] or "no reason"
        raise InputError(
            f"expected pip to fetch {label} ({pin.requirement}), got: {said} Check the network and pip's index, then "
            "run `pocketbench engine fetch` again; what was fetched once is used without a network."
        )
    return wheels[0]


def _unpack(pin: Pin, wheel: Path, target: Path) -> None:
    """Only the library leaves the wheel, and only with the hash that is pinned."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(pin.member) as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                sink.write(chunk)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise InputError(f"expected {pin.member} in {wheel.name}, got: {error}. Fetch it again.") from error
    if digest.hexdigest() != pin.library_sha256:
        raise InputError(
            f"expected {pin.member} of {pin.requirement} with sha256 {pin.library_sha256}, got {digest.hexdigest()}: "
            "it is not used."
        )
