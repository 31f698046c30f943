"""What is to be deployed, what is deployed, and the record of it on the device (`deployment.json`).

Format history of deployment.json:
    1  first version (pocketbench 0.1)
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import Strict
from pocketbench.harness.errors import DeploymentError

__all__ = [
    "RECORD_NAME",
    "Deployment",
    "DeploymentFile",
    "DeploymentPlan",
    "Record",
    "check_name",
    "is_name",
    "is_sha256",
    "new_deployment_id",
    "read_record",
]

RECORD_NAME = "deployment.json"
# Names become one component of a path on the device; this leaves nothing that a shell, a path or ls could take amiss.
_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"
_NAME = re.compile(_NAME_PATTERN[:-1] + r"\Z", re.ASCII)
_SHA256_PATTERN = r"^[0-9a-f]{64}$"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# When it was begun (UTC, this computer's clock: for people only), what it holds, and a token that no second one has.
_ID_PATTERN = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}-[0-9a-f]{8}$"
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_RECORD_LIMIT_BYTES = 1_000_000

Mode = Literal[0o644, 0o755]


@dataclass(frozen=True, slots=True)
class DeploymentFile:
    """A file of this computer and the name it gets; `sha256` is that of `source`."""

    name: str
    source: Path
    sha256: str
    mode: Mode = 0o644


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """A complete set of files under one name."""

    name: str
    files: tuple[DeploymentFile, ...]

    def __post_init__(self) -> None:
        check_name(self.name, "deployment")
        for file in self.files:
            check_name(file.name, "deployed file")
            if not is_sha256(file.sha256):
                raise InputError(f"expected a sha256 of 64 hexadecimal digits for {file.name}, got {file.sha256!r}.")
        names = [file.name for file in self.files]
        if not names or len(set(names)) != len(names) or RECORD_NAME in names:
            raise InputError(
                f"expected one or more files with different names, none of them {RECORD_NAME}, got {names!r}."
            )

    @property
    def digest(self) -> str:
        """Equal for two plans that place the same files in the same way."""
        content = sorted((file.name, file.sha256, file.mode) for file in self.files)
        return hashlib.sha256(json.dumps([self.name, content]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Deployment:
    """A placement on a device. `files` maps each name to where it lies there."""

    name: str
    deployment_id: str
    root: PurePosixPath
    files: Mapping[str, PurePosixPath]


class _RecordedFile(Strict):
    name: Annotated[str, StringConstraints(pattern=_NAME_PATTERN)]
    sha256: Annotated[str, StringConstraints(pattern=_SHA256_PATTERN)]
    size_bytes: Annotated[int, Field(ge=0)]
    mode: Mode


class Record(Strict):
    """`deployment.json`: what a deployment consists of, and which one it replaced."""

    schema_version: Literal[1] = 1
    name: Annotated[str, StringConstraints(pattern=_NAME_PATTERN)]
    deployment_id: Annotated[str, StringConstraints(pattern=_ID_PATTERN)]
    previous_id: Annotated[str, StringConstraints(pattern=_ID_PATTERN)] | None
    digest: Annotated[str, StringConstraints(pattern=_SHA256_PATTERN)]
    files: Annotated[tuple[_RecordedFile, ...], Field(min_length=1, max_length=1000)]

    @classmethod
    def of(cls, plan: DeploymentPlan, deployment_id: str, previous_id: str | None) -> Self:
        """The record of `plan` as the deployment `deployment_id`."""
        files = tuple(
            _RecordedFile(name=f.name, sha256=f.sha256, size_bytes=f.source.stat().st_size, mode=f.mode)
            for f in plan.files
        )
        return cls(
            name=plan.name, deployment_id=deployment_id, previous_id=previous_id, digest=plan.digest, files=files
        )

    def to_bytes(self) -> bytes:
        """As it is stored on the device.

        The files come last and nothing is spaced: collect.sh looks for `"previous_id":` in the first bytes.
        """
        return (json.dumps(self.model_dump(mode="json"), separators=(",", ":")) + "\n").encode()


def read_record(data: bytes, name: str, deployment_id: str | None, where: str) -> Record:
    """Read what a device gave as the record of `name`; DeploymentError where it is not one."""
    problem = f"{len(data)} bytes" if len(data) > _RECORD_LIMIT_BYTES else None
    if problem is None:
        try:
            record = Record.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
        else:
            if record.name == name and deployment_id in (None, record.deployment_id):
                return record
            problem = f"the record of {record.name} {record.deployment_id}"
    raise DeploymentError(f"{where}: expected the record of the deployment {name!r}, got {problem}: deploy it again.")


def check_name(name: str, what: str) -> None:
    """Raise InputError unless `name` is safe as one component of a path on a device."""
    if not is_name(name):
        raise InputError(
            f"expected a name for a {what} of at most 100 letters, digits and . _ + -, starting with a letter or "
            f"digit, got {name!r}: rename it."
        )


def is_name(text: str) -> bool:
    """True for a name that we would give to a deployment or a file."""
    return _NAME.match(text) is not None


def is_sha256(text: str) -> bool:
    """True for 64 hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def new_deployment_id(plan: DeploymentPlan, now: datetime) -> str:
    """An identifier that no other deployment has."""
    return f"{now.astimezone(UTC).strftime(_TIME_FORMAT)}-{plan.digest[:12]}-{secrets.token_hex(4)}"
