"""What no deployment needs any more is removed; what might belong to one that is under way is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pocketbench.harness.deploy.commands import list_names, read_file, remove_trees
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Record, is_deployment_id, is_name, is_sha256, read_record, started_at
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["ABANDONED_AFTER", "Collected", "collect_garbage", "current_record", "deployment_names"]

_log = logging.getLogger(__name__)
# A deployment that was begun and not switched to may still be under way, from this computer or another one.
ABANDONED_AFTER = timedelta(hours=1)
_COMMAND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Collected:
    """How much was removed."""

    deployments: int
    objects: int


def deployment_names(transport: Transport, layout: Layout) -> list[str]:
    """Names that something is or was deployed under, sorted."""
    return sorted(name for name in list_names(transport, layout.deployments) if is_name(name))


def current_record(transport: Transport, layout: Layout, name: str) -> Record | None:
    """The record of the deployment in use, None where there is none; DeploymentError where it is damaged."""
    data = read_file(transport, layout.current(name))
    return None if data is None else read_record(data, name, None, f"{transport.address}, {layout.current(name)}")


def collect_garbage(
    transport: Transport, layout: Layout, *, now: datetime | None = None, abandoned_after: timedelta = ABANDONED_AFTER
) -> Collected:
    """Keep of every name the deployment in use, the one before it, and those begun within `abandoned_after`.

    Objects go when none of the kept ones names them. Where a kept one has no readable record (it is being made, or
    is damaged), no object is removed: it might need it.
    """
    now = now or datetime.now(UTC)
    removed = 0
    referenced: set[str] | None = set()
    for name in deployment_names(transport, layout):
        ids = [entry for entry in list_names(transport, layout.named(name)) if is_deployment_id(entry)]
        kept = [*_in_use(transport, layout, name, ids), *(i for i in ids if _is_young(i, now, abandoned_after))]
        garbage = [entry for entry in ids if entry not in kept]
        remove_trees(transport, [layout.root(name, entry) for entry in garbage])
        removed += len(garbage)
        if not kept:
            # Fails where it is not empty, as it should: somebody may have begun a deployment meanwhile.
            transport.run(["rmdir", str(layout.named(name))], timeout_s=_COMMAND_TIMEOUT_S)
        for entry in kept:
            hashes = _hashes_of(transport, layout, name, entry)
            referenced = None if hashes is None or referenced is None else referenced | hashes
    unreferenced = [] if referenced is None else [o for o in _objects(transport, layout) if o not in referenced]
    remove_trees(transport, [layout.object(sha256) for sha256 in unreferenced])
    _log.info("%s: %d deployments, %d objects collected", transport.address, removed, len(unreferenced))
    return Collected(removed, len(unreferenced))


def _in_use(transport: Transport, layout: Layout, name: str, ids: list[str]) -> list[str]:
    try:
        record = current_record(transport, layout, name)
    except DeploymentError as error:
        _log.warning("%s: nothing of it is collected", error)
        return ids
    return [] if record is None else [i for i in (record.deployment_id, record.previous_id) if i in ids and i]


def _is_young(deployment_id: str, now: datetime, abandoned_after: timedelta) -> bool:
    begun = started_at(deployment_id)
    return begun is not None and now - begun < abandoned_after


def _hashes_of(transport: Transport, layout: Layout, name: str, deployment_id: str) -> set[str] | None:
    path = layout.record(name, deployment_id)
    data = read_file(transport, path)
    if data is None:
        return None
    try:
        record = read_record(data, name, deployment_id, f"{transport.address}, {path}")
    except DeploymentError as error:
        _log.warning("%s: no object is collected", error)
        return None
    return {file.sha256 for file in record.files}


def _objects(transport: Transport, layout: Layout) -> Iterator[str]:
    for directory in list_names(transport, layout.objects):
        if len(directory) == 2 and set(directory) <= set("0123456789abcdef"):
            names = list_names(transport, layout.objects / directory)
            yield from (name for name in names if is_sha256(name) and name.startswith(directory))
