"""The folder that variants are written to: checked before any work is done, each variant put in place whole."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pocketbench.checked.errors import InputError, PocketbenchError

__all__ = ["check_folder", "check_space", "place_variant"]

# A Keras model is held as it is, trained, exported and quantized, and all of that once more in the cache.
_COPIES_PER_VARIANT = 4
_SHOWN = 5  # of variants, in an error
_SMALLEST_NEED_BYTES = 32 * 1024 * 1024


def check_folder(output: Path, names: Iterable[str], base_sha256: str) -> None:
    """Refuse a folder that cannot be written, that holds something else under the name of a variant, or variants of
    another model than that of `base_sha256` that would stay beside the new ones."""
    if output.exists() and not output.is_dir():
        raise InputError(f"expected a folder for the variants, got the file {output}.")
    existing = _existing(output)
    try:  # permissions alone do not tell: the file system may be read-only, or of a kind that takes no folders
        Path(tempfile.mkdtemp(prefix=".pocketbench-", dir=existing)).rmdir()
    except OSError as error:
        raise InputError(
            f"expected a folder that can be written for the variants, got {existing}: {error.strerror}: "
            "choose another output folder."
        ) from error
    wanted = list(names)
    for name in wanted:
        place = output / name
        known = (place / "variant.json").is_file() or (place.is_dir() and not any(place.iterdir()))
        if (place.exists() or place.is_symlink()) and not known:
            raise InputError(
                f"expected no variant or an earlier one at {place}, got something else: move it away, or choose "
                "another output folder."
            )
    if others := [name for name, sha256 in _variants_in(output) if name not in wanted and sha256 != base_sha256]:
        raise InputError(
            f"expected no variants of another model in {output}, got {', '.join(others[:_SHOWN])}: they would be "
            "measured side by side as if they were of one. Choose another output folder, or remove them."
        )


def _variants_in(output: Path) -> Iterator[tuple[str, object]]:
    """Name and hash of the base model of each variant; None for a manifest that cannot be read."""
    for path in sorted(output.glob("*/variant.json")):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            sha256 = manifest["base"]["sha256"]
        except (OSError, ValueError, KeyError, TypeError):
            sha256 = None
        yield path.parent.name, sha256


def check_space(
    folders: Iterable[Path],
    model_bytes: int,
    variants: int,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> None:
    """Refuse to start where a disk is too full for `variants` variants of a model of this size."""
    needed = max(_SMALLEST_NEED_BYTES, _COPIES_PER_VARIANT * variants * model_bytes)
    for folder in folders:
        free = free_bytes(_existing(folder))
        if free < needed:
            raise InputError(
                f"expected {needed / 1e6:.0f} MB of free space for {variants} variants at {folder}, "
                f"got {free / 1e6:.0f} MB: free some, or choose another folder."
            )


def place_variant(output: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Let `fill` write a new folder, then put it at output/name in place of an earlier one.

    A reader sees the earlier variant, or for a moment none, or the new one, but never half of one. Raises
    PocketbenchError where it cannot be written, most often for lack of space; the earlier one is then still there.
    """
    try:
        return _place(output, name, fill)
    except OSError as error:
        raise PocketbenchError(
            f"the variant {name!r} could not be written to {output}: {error.strerror or error}: free some space, or "
            "choose another output folder, and run it again (what is in the cache is not made again)."
        ) from error


def _place(output: Path, name: str, fill: Callable[[Path], None]) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    place = output / name
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=output))
    try:
        new = work / "new"
        new.mkdir()
        fill(new)
        if place.exists():
            place.rename(work / "old")
        new.rename(place)
    except BaseException:
        if (work / "old").exists() and not place.exists():
            (work / "old").rename(place)
        raise
    finally:
        shutil.rmtree(work)
    return place


def _existing(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
