"""Deploy files to a device, look at what is there, go back, remove.

A deployment is built beside the one in use and becomes it by one rename, so that a cut at any point leaves the one in
use as it was; what a cut left behind is collected later.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import DeviceError, InputError, nearest
from pocketbench.harness.deploy.commands import hashes, make_directories, read_file, remove_trees, run_or_fail
from pocketbench.harness.deploy.garbage import collect_garbage, current_record, deployment_names
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.objects import check_sources, missing_files, place_objects
from pocketbench.harness.deploy.plan import (
    RECORD_NAME,
    Deployment,
    DeploymentFile,
    DeploymentPlan,
    Record,
    check_name,
    new_deployment_id,
    read_record,
)
from pocketbench.harness.deploy.space import check_space
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = [
    "Deployment",
    "DeploymentFile",
    "DeploymentPlan",
    "DeploymentStatus",
    "deploy",
    "remove",
    "rollback",
    "status",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """What stands under a name. `deployment_id` is None where nothing is in use; `problem` says why it cannot be."""

    name: str
    deployment_id: str | None
    previous_id: str | None
    files: tuple[str, ...]
    size_bytes: int | None
    problem: str | None


def deploy(
    transport: Transport, directory: PurePosixPath, plan: DeploymentPlan, *, check: Callable[[Deployment], None]
) -> Deployment:
    """Place the files of `plan`, let `check` try them, then switch to them; the ones in use before are kept.

    `check` gets the new deployment before anything uses it and raises where it is not right. Where the plan is
    already in use and undamaged, nothing is written and only `check` runs. Raises InputError before anything is
    written where a file of this computer is not what the plan says, DeploymentError where the device cannot.
    """
    layout = Layout(directory)
    check_sources(plan.files)
    in_use = _usable_record(transport, layout, plan.name)
    if in_use is not None and in_use.digest == plan.digest and _intact(transport, layout, in_use):
        deployment = layout.deployment(in_use)
        check(deployment)
        _log.info("%s: %s is in use already", transport.address, plan.name)
        return deployment

    missing = missing_files(transport, layout, plan.files)
    check_space(transport, directory, sum(file.source.stat().st_size for file in missing))
    deployment_id = new_deployment_id(plan, datetime.now(UTC))
    record = Record.of(plan, deployment_id, _previous_id(in_use, plan))
    deployment = layout.deployment(record)
    try:
        _build(transport, layout, plan, record, missing)
        check(deployment)
    except Exception as error:  # whatever it is: it goes on, after the new files are taken away again
        _discard(transport, deployment, error)
        raise
    # From here on nothing is taken away: where the answer to the switch is lost, the new one may be in use.
    _switch(transport, layout, record)
    _collect(transport, layout)
    return deployment


def status(transport: Transport, directory: PurePosixPath) -> list[DeploymentStatus]:
    """What is deployed in `directory`, by name."""
    layout = Layout(directory)
    return [_status(transport, layout, name) for name in deployment_names(transport, layout)]


def rollback(transport: Transport, directory: PurePosixPath, name: str) -> Deployment:
    """Switch `name` back to the deployment before the one in use, after its files were verified."""
    layout = Layout(directory)
    record = _record_in_use(transport, layout, name)
    if record.previous_id is None:
        raise InputError(f"expected a deployment of {name!r} before the one in use, got none: deploy the older file.")
    path = layout.record(name, record.previous_id)
    data = read_file(transport, path)
    if data is None:
        raise InputError(
            f"expected the deployment of {name!r} before the one in use, got none: it was collected after an "
            "earlier rollback. Deploy the older file."
        )
    previous = read_record(data, name, record.previous_id, f"{transport.address}, {path}")
    if not _intact(transport, layout, previous):
        raise DeploymentError(
            f"{transport.address}: expected the files of {name} {previous.deployment_id} as they were deployed, "
            "got damaged or missing ones: the one in use stays. Deploy the older file."
        )
    _switch(transport, layout, previous)
    return layout.deployment(previous)


def remove(transport: Transport, directory: PurePosixPath, name: str) -> None:
    """Remove every deployment of `name`, with the objects and results that nothing else needs."""
    layout = Layout(directory)
    check_name(name, "deployment")
    _known(transport, layout, name)
    # The link first: from here on nothing is in use under this name, whatever happens.
    remove_trees(transport, [layout.current(name)])
    remove_trees(transport, [layout.named(name), layout.work(name)])
    collect_garbage(transport, layout)


def _previous_id(in_use: Record | None, plan: DeploymentPlan) -> str | None:
    """What a rollback is to lead to: something else than `plan`, which may be in use with damaged files."""
    if in_use is None:
        return None
    return in_use.previous_id if in_use.digest == plan.digest else in_use.deployment_id


def _build(
    transport: Transport, layout: Layout, plan: DeploymentPlan, record: Record, missing: list[DeploymentFile]
) -> None:
    root = layout.root(record.name, record.deployment_id)
    make_directories(transport, [root])
    with tempfile.TemporaryDirectory(prefix="pocketbench-") as folder:
        # The record first: from here on no collection takes the objects away that it names.
        source = Path(folder) / RECORD_NAME
        source.write_bytes(record.to_bytes())
        transport.push(source, root / RECORD_NAME)
    if missing:
        place_objects(transport, layout, missing, root)
    for file in plan.files:
        target = layout.object(file.sha256)
        if file.mode == 0o755:
            # The same content may have been placed without it.
            run_or_fail(transport, ["chmod", "755", str(target)], f"make {file.name} executable")
        # Relative, so that the directory may be moved as a whole: deployments/NAME/ID/FILE
        link = PurePosixPath("../../..") / target.relative_to(layout.directory)
        run_or_fail(transport, ["ln", "-s", str(link), str(root / file.name)], f"link {file.name}")


def _switch(transport: Transport, layout: Layout, record: Record) -> None:
    """Make `record` the one in use: a link beside it, renamed onto `current` (see Layout for why)."""
    root = layout.root(record.name, record.deployment_id)
    link = root / ".current"
    remove_trees(transport, [link])  # left by an earlier switch to the same one that was cut
    run_or_fail(transport, ["ln", "-s", f"{record.deployment_id}/{RECORD_NAME}", str(link)], "prepare the switch")
    run_or_fail(transport, ["mv", "-f", str(link), str(layout.current(record.name))], f"switch to {root}")
    _log.info("%s: %s is %s", transport.address, record.name, record.deployment_id)


def _discard(transport: Transport, deployment: Deployment, error: Exception) -> None:
    try:
        remove_trees(transport, [deployment.root])
    except DeviceError as second:
        # The first error is the one to tell; a later deployment collects what stays.
        error.add_note(f"{deployment.root} could not be removed: {second}")


def _collect(transport: Transport, layout: Layout) -> None:
    try:
        collect_garbage(transport, layout)
    except DeviceError as error:
        # The new deployment stands; the next one collects again.
        _log.warning("old files stay for now: %s", error)


def _usable_record(transport: Transport, layout: Layout, name: str) -> Record | None:
    """The record in use; None where there is none, or a damaged one that this deployment is to replace."""
    try:
        return current_record(transport, layout, name)
    except DeploymentError as error:
        _log.warning("%s", error)
        return None


def _intact(transport: Transport, layout: Layout, record: Record) -> bool:
    """True where every file, through its link, has the content that the record says."""
    deployment = layout.deployment(record)
    known = hashes(transport, list(deployment.files.values()))
    return all(known.get(deployment.files[file.name]) == file.sha256 for file in record.files)


def _record_in_use(transport: Transport, layout: Layout, name: str) -> Record:
    check_name(name, "deployment")
    record = current_record(transport, layout, name)
    if record is None:
        _known(transport, layout, name)
        raise InputError(f"expected {name!r} to be deployed, got an unfinished deployment: deploy it again.")
    return record


def _known(transport: Transport, layout: Layout, name: str) -> None:
    names = deployment_names(transport, layout)
    if name not in names:
        hint = nearest(name, names) if names else "nothing is deployed there"
        raise InputError(f"expected the name of a deployment on {transport.address}, got {name!r}; {hint}.")


def _status(transport: Transport, layout: Layout, name: str) -> DeploymentStatus:
    try:
        record = current_record(transport, layout, name)
    except DeploymentError as error:
        return DeploymentStatus(name, None, None, (), None, str(error))
    if record is None:
        return DeploymentStatus(name, None, None, (), None, "an unfinished deployment; deploy it again")
    size = sum({file.sha256: file.size_bytes for file in record.files}.values())
    names = tuple(file.name for file in record.files)
    return DeploymentStatus(name, record.deployment_id, record.previous_id, names, size, None)
