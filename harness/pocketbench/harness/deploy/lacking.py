"""What a device lacks for a plan, and whether there is room for it."""

from __future__ import annotations

from collections.abc import Sequence

from pocketbench.harness.deploy.garbage import collect_garbage
from pocketbench.harness.deploy.hashing import expected_hashes, right_objects
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import DeploymentFile, DeploymentPlan
from pocketbench.harness.deploy.space import check_quota, check_space
from pocketbench.harness.deploy.status import status
from pocketbench.harness.deploy.survey import Survey, survey
from pocketbench.harness.deploy.transfer import MissingObject, resumable_bytes
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["check_room", "find_lacking", "missing_objects", "to_be_executable"]

_READ_ONLY, _EXECUTABLE = 0o444, 0o555


def find_lacking(
    transport: Transport, layout: Layout, seen: Survey, plan: DeploymentPlan
) -> tuple[DeploymentFile, ...]:
    """Files, each content once, that the device does not have or has damaged; what is in doubt is hashed there."""
    files = {file.sha256: file for file in plan.files}
    doubtful = {
        sha256: placed for sha256 in files if (placed := seen.objects.get(sha256)) is not None and not placed.verified
    }
    right = right_objects(
        transport,
        layout,
        seen.hash_command,
        expected_hashes([files[sha256] for sha256 in doubtful], seen.hash_command),
        sum(placed.size_bytes for placed in doubtful.values()),
    )
    wrong = doubtful.keys() - right
    return tuple(file for sha256, file in files.items() if sha256 not in seen.objects or sha256 in wrong)


def missing_objects(plan: DeploymentPlan, lacking: Sequence[DeploymentFile]) -> tuple[MissingObject, ...]:
    """What is to be sent; executable where any file of that content is to be."""
    executable = _executable(plan)
    return tuple(
        MissingObject(
            file.sha256,
            file.source,
            file.source.stat().st_size,
            _EXECUTABLE if file.sha256 in executable else _READ_ONLY,
        )
        for file in lacking
    )


def to_be_executable(seen: Survey, plan: DeploymentPlan, lacking: Sequence[DeploymentFile]) -> tuple[str, ...]:
    """Objects that are to become executable: the same content may have been placed without it."""
    there = _executable(plan) - {file.sha256 for file in lacking}
    return tuple(sorted(sha256 for sha256 in there if not seen.objects[sha256].executable))


def check_room(
    transport: Transport, layout: Layout, seen: Survey, missing: tuple[MissingObject, ...], quota_bytes: int
) -> None:
    """Raise DeploymentError unless `missing` fits into the quota and the free space, if need be after collecting."""

    def check(now: Survey) -> None:
        needed = sum(item.size_bytes for item in missing) - resumable_bytes(now, missing)
        where = f"{transport.address}, {layout.directory}"
        check_quota(now.used_bytes, needed, quota_bytes, sizes_bytes, where)
        check_space(now.available_bytes, needed, where)

    def sizes_bytes() -> dict[str, int]:
        return {row.name: row.size_bytes or 0 for row in status(transport, layout.directory)}

    try:
        check(seen)
    except DeploymentError:
        if not seen.objects and not seen.partials:
            raise  # nothing of ours is there
        collect_garbage(transport, layout)
        check(survey(transport, layout, "-"))


def _executable(plan: DeploymentPlan) -> set[str]:
    return {file.sha256 for file in plan.files if file.mode == 0o755}
