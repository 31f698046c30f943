"""Deploy files to a device, look at what is there, go back, remove.

A deployment takes three commands: one asks what is there (survey.sh), one receives what is missing and makes the
deployment beside the one in use (place.sh), and after `check` has tried it, one switches to it and collects
(switch.sh). Where nothing changed there is one.

A cut at any byte leaves the deployment in use as it was. What arrives lies in incoming/ and is used by nothing. A
deployment comes into being complete, by one rename, after its objects were hashed and written to the disk, and into
use by another rename. What a cut leaves behind is gone on with or collected.

Two hosts may deploy at once. Everything that is in flight has a random name. Whatever changes what others rely on
(placing, switching, collecting) is one script under one lock on the device, and each looks again at what it relies
on after it has the lock:

- placing finds every object that it links to, or gives up (an object that the survey saw was collected since): the
  host looks again and sends it. From then on the links protect the objects: collecting keeps what is linked to.
- switching finds every file of its deployment, and `current` as the survey saw it, or gives up: the host looks again,
  so that the other host's deployment becomes the one before, and is not lost.
- collecting keeps deployments in use, the ones before them, and young ones, which may be being tried. Young is said by
  the device's clock on both sides, never by a host's. Where that clock jumps in between, a deployment that is being
  tried may be collected: then switching to it is refused, as said. No clock decides whether files are right.

The lock is the kernel's (flock), so that it ends with whoever held it. What is being received is locked in the same
way, so that nobody takes over what somebody is still sending. Where a device has no flock, nothing is ever collected
or taken over, and both rules hold for want of anybody to break them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.device_scripts import (
    CHANGED,
    INCOMPLETE,
    UNKNOWN_NAME,
    failure,
    run_script,
)
from pocketbench.harness.deploy.garbage import ages, warn_unless_collected
from pocketbench.harness.deploy.hashing import check_source, expected_hashes, right_objects
from pocketbench.harness.deploy.lacking import check_room, find_lacking, missing_objects, to_be_executable
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import (
    RECORD_NAME,
    Deployment,
    DeploymentFile,
    DeploymentPlan,
    Record,
    check_name,
    new_deployment_id,
)
from pocketbench.harness.deploy.progress import Progress, ProgressCallback
from pocketbench.harness.deploy.space import QUOTA_BYTES
from pocketbench.harness.deploy.status import DeploymentStatus, status, unknown_name
from pocketbench.harness.deploy.survey import Survey, survey
from pocketbench.harness.deploy.transfer import (
    DeviceChangedError,
    Shipment,
    deliver,
    discard,
)
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = [
    "Deployment",
    "DeploymentFile",
    "DeploymentPlan",
    "DeploymentStatus",
    "Progress",
    "deploy",
    "remove",
    "rollback",
    "status",
]

_log = logging.getLogger(__name__)
# Each further one means that another host was faster in between.
_ATTEMPTS = 4


def deploy(
    transport: Transport,
    directory: PurePosixPath,
    plan: DeploymentPlan,
    *,
    check: Callable[[Deployment], None],
    progress: ProgressCallback | None = None,
    quota_bytes: int = QUOTA_BYTES,
) -> Deployment:
    """Place the files of `plan`, let `check` try them, then switch to them; the ones in use before are kept.

    `check` gets the new deployment before anything uses it and raises where it is not right. Where the plan is
    already in use and undamaged, nothing is written and only `check` runs. `progress` hears what was sent, from the
    thread that sends. Raises InputError before anything is written where a file of this computer is not what the plan
    says, DeploymentError where the device cannot or our directory would exceed `quota_bytes`.
    """
    layout = Layout(directory)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _deploy(transport, layout, plan, check, progress, quota_bytes)
        except DeviceChangedError as error:
            if attempt == _ATTEMPTS:
                raise
            _log.info("%s (attempt %d)", error, attempt)
    raise AssertionError("the last attempt returns or raises")


def rollback(transport: Transport, directory: PurePosixPath, name: str) -> Deployment:
    """Switch `name` back to the deployment before the one in use, after its files were hashed."""
    layout = Layout(directory)
    check_name(name, "deployment")
    in_use = survey(transport, layout, name)
    if in_use.problem:
        raise DeploymentError(in_use.problem)
    if in_use.record is None:
        raise unknown_name(transport, directory, name)
    previous_id = in_use.record.previous_id
    if previous_id is None:
        raise InputError(f"expected a deployment of {name!r} before the one in use, got none: deploy the older file.")
    seen = survey(transport, layout, name, previous_id)
    if seen.problem:
        raise DeploymentError(seen.problem)
    if seen.record is None:
        raise InputError(
            f"expected the deployment of {name!r} before the one in use, got none: it was collected after an "
            "earlier rollback. Deploy the older file."
        )
    if not _is_right(transport, layout, seen, seen.record):
        raise DeploymentError(
            f"{transport.address}: expected the files of {name} {previous_id} as they were deployed, "
            "got damaged or missing ones: the one in use stays. Deploy the older file."
        )
    _switch(transport, layout, seen.record, in_use.current)
    return layout.deployment(seen.record)


def remove(transport: Transport, directory: PurePosixPath, name: str) -> None:
    """Remove every deployment of `name`, with the objects and results that nothing else needs."""
    layout = Layout(directory)
    check_name(name, "deployment")
    completed = run_script(transport, "remove", layout.directory, name, *ages())
    if completed.exit_code == UNKNOWN_NAME:
        raise unknown_name(transport, directory, name)
    if b"removed" not in completed.stdout.splitlines():
        raise failure(transport, completed, f"remove {name}")
    warn_unless_collected(transport, completed)


def _deploy(
    transport: Transport,
    layout: Layout,
    plan: DeploymentPlan,
    check: Callable[[Deployment], None],
    progress: ProgressCallback | None,
    quota_bytes: int,
) -> Deployment:
    seen = survey(transport, layout, plan.name)
    if seen.problem:
        _log.warning("%s", seen.problem)
    lacking = find_lacking(transport, layout, seen, plan)
    in_use = seen.record
    if in_use is not None and in_use.digest == plan.digest and not lacking and seen.links_stand() and seen.has_work:
        deployment = layout.deployment(in_use)
        check(deployment)
        _log.info("%s: %s is in use already", transport.address, plan.name)
        return deployment

    for file in plan.files:
        check_source(file)
    missing = missing_objects(plan, lacking)
    check_room(transport, layout, seen, missing, quota_bytes)
    record = Record.of(plan, new_deployment_id(plan, datetime.now(UTC)), _previous_id(in_use, plan))
    shipment = Shipment(
        record=record,
        missing=missing,
        hash_command=seen.hash_command,
        expected=expected_hashes(lacking, seen.hash_command),
        executable=to_be_executable(seen, plan, lacking),
    )
    deliver(transport, layout, seen, shipment, progress)
    deployment = layout.deployment(record)
    try:
        check(deployment)
    except Exception as error:  # whatever it is: it goes on, after the new deployment is taken away again
        if not discard(transport, layout, deployment.root):
            raise _changed(transport, record, "it was removed while it was tried") from error
        raise
    # From here on nothing is taken away: where the answer to the switch is lost, the new one may be in use.
    _switch(transport, layout, record, seen.current)
    return deployment


def _previous_id(in_use: Record | None, plan: DeploymentPlan) -> str | None:
    """What a rollback is to lead to: something else than `plan`, which may be in use with damaged files."""
    if in_use is None:
        return None
    return in_use.previous_id if in_use.digest == plan.digest else in_use.deployment_id


def _is_right(transport: Transport, layout: Layout, seen: Survey, record: Record) -> bool:
    """True where every file of `record` is there with its content, hashed now.

    Without sha256sum there is nothing to compare with here: then the objects must be as they were when they came.
    """
    if not seen.links_stand():
        return False
    wanted = {file.sha256: file.size_bytes for file in record.files}
    if not seen.can_hash_by_name:
        return all(seen.objects[sha256].verified for sha256 in wanted)
    expected = {sha256: sha256 for sha256 in wanted}
    return right_objects(transport, layout, "sha256sum", expected, sum(wanted.values())) == expected.keys()


def _switch(transport: Transport, layout: Layout, record: Record, expected: str) -> None:
    """Make `record` the one in use where `current` still is `expected`, then collect (see Layout for `current`)."""
    name, deployment_id = record.name, record.deployment_id
    completed = run_script(transport, "switch", layout.directory, name, deployment_id, expected, *ages())
    if completed.exit_code == CHANGED:
        raise _changed(transport, record, "another deployment was switched to")
    if completed.exit_code == INCOMPLETE:
        raise _changed(transport, record, "files of it were removed")
    if b"switched" not in completed.stdout.splitlines():
        raise failure(transport, completed, f"switch {name} to {deployment_id}/{RECORD_NAME}")
    warn_unless_collected(transport, completed)
    _log.info("%s: %s is %s", transport.address, name, deployment_id)


def _changed(transport: Transport, record: Record, what: str) -> DeviceChangedError:
    return DeviceChangedError(
        f"{transport.address}: expected nobody else to change {record.name} while {record.deployment_id} was made, got "
        f"a change: {what}. Deploy again."
    )
