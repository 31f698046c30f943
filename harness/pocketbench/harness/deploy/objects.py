"""Files by content on a device: only what is missing travels, and nothing is an object before its hash is right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.compression.manifest import sha256_of
from pocketbench.harness.deploy.commands import hashes, make_directories, run_or_fail
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import DeploymentFile
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["check_sources", "missing_files", "place_objects"]

_log = logging.getLogger(__name__)


def check_sources(files: Sequence[DeploymentFile]) -> None:
    """Raise InputError unless every file on this computer has the hash that the plan says."""
    for file in files:
        try:
            found = sha256_of(file.source)
        except OSError as error:
            raise InputError(f"expected a readable file to deploy, got {file.source}: {error.strerror}.") from error
        if found != file.sha256:
            raise InputError(
                f"expected {file.source} with sha256 {file.sha256}, got {found}: it was changed since; make it again."
            )


def missing_files(transport: Transport, layout: Layout, files: Sequence[DeploymentFile]) -> list[DeploymentFile]:
    """Those of `files`, each content once, that the device does not have or has damaged."""
    wanted = {file.sha256: file for file in files}
    known = hashes(transport, [layout.object(sha256) for sha256 in wanted])
    return [file for sha256, file in wanted.items() if known.get(layout.object(sha256)) != sha256]


def place_objects(
    transport: Transport, layout: Layout, missing: Sequence[DeploymentFile], incoming: PurePosixPath
) -> None:
    """Push `missing` into the directory `incoming`, verify them there, then rename them to where they belong."""
    arrived = {file.sha256: incoming / f".{file.sha256}" for file in missing}
    for file in missing:
        _log.debug("%s: pushing %s", transport.address, file.name)
        transport.push(file.source, arrived[file.sha256], mode=file.mode)
    known = hashes(transport, list(arrived.values()))
    for file in missing:
        got = known.get(arrived[file.sha256])
        if got != file.sha256:
            raise DeploymentError(
                f"{transport.address}: expected {file.name} to arrive with sha256 {file.sha256}, "
                f"got {got or 'no file'}: it is not used. Check the connection and the storage, then deploy again."
            )
    make_directories(transport, sorted({layout.object(file.sha256).parent for file in missing}))
    for file in missing:
        target = layout.object(file.sha256)
        run_or_fail(transport, ["mv", "-f", str(arrived[file.sha256]), str(target)], f"place {target}")
    _log.info("%s: %d files pushed", transport.address, len(missing))
