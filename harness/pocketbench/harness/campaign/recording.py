"""Where `--record` writes: a transcript for each device of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["transcript_paths"]

_SUFFIX = ".jsonl"


def transcript_paths(record: Path, devices: Sequence[str]) -> dict[str, Path]:
    """The file of each of `devices`: `record` itself where it ends in .jsonl, else NAME.jsonl in that new folder.

    InputError where the folder is there already or cannot be made, or where one file would have to serve several.
    """
    if record.suffix == _SUFFIX:
        if len(devices) > 1:
            raise InputError(
                f"expected a folder to record {len(devices)} devices into, got the file {record}: leave out {_SUFFIX}."
            )
        return {devices[0]: record}
    try:
        record.mkdir(mode=0o700)
    except OSError as error:
        raise InputError(
            f"expected to make a new folder to record into, got {record}: {error.strerror}. Name one that is not there "
            f"yet, in a folder that can be written, or for one device a new file that ends in {_SUFFIX}."
        ) from error
    return {name: record / f"{name}{_SUFFIX}" for name in devices}
