"""What is deployed on a device."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError, nearest
from pocketbench.harness.deploy.device_scripts import run_or_fail
from pocketbench.harness.deploy.hashing import right_objects
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import Record, is_name, read_record
from pocketbench.harness.deploy.survey import split_marked, survey
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Transport

__all__ = ["DeploymentStatus", "status", "uncollected_bytes", "unknown_name"]


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """What stands under a name. `deployment_id` is None where nothing is in use; `problem` says why it cannot be."""

    name: str
    deployment_id: str | None
    previous_id: str | None
    files: tuple[str, ...]
    size_bytes: int | None
    problem: str | None


@dataclass(slots=True)
class _Found:
    name: str
    record: bytes | None = None
    broken: bool = False


def status(transport: Transport, directory: PurePosixPath, *, verify: bool = False) -> list[DeploymentStatus]:
    """What is deployed in `directory`, by name. With `verify` each file in use is hashed, which may take minutes."""
    layout = Layout(directory)
    found = list(_find(transport, layout))
    records = {entry.name: _read(entry, f"{transport.address}, {directory}") for entry in found}
    damaged = _damaged(transport, layout, [r for r in records.values() if isinstance(r, Record)]) if verify else set()
    rows = []
    for entry in found:
        record = records[entry.name]
        if isinstance(record, str):
            rows.append(DeploymentStatus(entry.name, None, None, (), None, record))
            continue
        wrong = sorted(file.name for file in record.files if file.sha256 in damaged)
        problem = f"damaged: {', '.join(wrong)}; deploy it again" if wrong else None
        if entry.broken:
            problem = "a file is missing; deploy it again"
        size = sum({file.sha256: file.size_bytes for file in record.files}.values())
        names = tuple(file.name for file in record.files)
        rows.append(DeploymentStatus(entry.name, record.deployment_id, record.previous_id, names, size, problem))
    return rows


def uncollected_bytes(transport: Transport, directory: PurePosixPath, rows: Sequence[DeploymentStatus]) -> int | None:
    """Bytes that no deployment of `rows` nor the one before it needs, on a device where nothing is ever collected.

    None where it has flock, and collects.
    """
    layout = Layout(directory)
    seen = survey(transport, layout, "-")
    if "flock" in seen.tools:
        return None
    kept = [(row.name, kept_id) for row in rows for kept_id in (row.deployment_id, row.previous_id) if kept_id]
    records = [survey(transport, layout, *name_and_id).record for name_and_id in kept]
    needed = {file.sha256 for record in records if record is not None for file in record.files}
    return seen.used_bytes - sum(placed.size_bytes for sha256, placed in seen.objects.items() if sha256 in needed)


def unknown_name(transport: Transport, directory: PurePosixPath, name: str) -> InputError:
    """What to raise where nothing is in use under `name`."""
    names = [row.name for row in status(transport, directory)]
    if name in names:
        return InputError(f"expected {name!r} to be deployed, got an unfinished deployment: deploy it again.")
    hint = nearest(name, names) if names else "nothing is deployed there"
    return InputError(f"expected the name of a deployment on {transport.address}, got {name!r}; {hint}.")


def _find(transport: Transport, layout: Layout) -> Iterator[_Found]:
    mark = f"pocketbench-{secrets.token_hex(8)}"
    completed = run_or_fail(transport, "status", layout.directory, mark, purpose=f"look into {layout.directory}")
    found: dict[str, _Found] = {}
    entry = _Found("")
    for word, value, body in split_marked(completed.stdout, mark):
        if word == "name":
            entry = _Found(value)
            if is_name(value):
                found[value] = entry
        elif word == "broken":
            entry.broken = True
        elif word == "record":
            entry.record = body
    yield from (found[name] for name in sorted(found))


def _read(entry: _Found, where: str) -> Record | str:
    """The record, or what is wrong with it."""
    if entry.record is None:
        return "an unfinished deployment; deploy it again"
    try:
        return read_record(entry.record, entry.name, None, where)
    except DeploymentError as error:
        return str(error)


def _damaged(transport: Transport, layout: Layout, records: list[Record]) -> set[str]:
    """Objects of `records` that do not have the content of their name."""
    wanted = {file.sha256: file.size_bytes for record in records for file in record.files}
    seen = survey(transport, layout, "-")
    if not seen.can_hash_by_name:
        # Android 7: nothing here to compare another hash with; at least nobody wrote to them.
        return {sha256 for sha256 in wanted if (placed := seen.objects.get(sha256)) is None or not placed.verified}
    expected = {sha256: sha256 for sha256 in wanted}
    return set(wanted) - right_objects(transport, layout, "sha256sum", expected, sum(wanted.values()))
