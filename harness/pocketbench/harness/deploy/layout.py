"""Where things lie below our directory on a device:

    objects/<aa>/<sha256>                 every file once, by content
    deployments/<name>/<deployment id>/   links to objects, under the names they are used by, and deployment.json
    deployments/<name>/current            link to the deployment.json of the one in use
    work/<name>/                          what the runner writes

`current` points to a file, not to the directory: `mv` onto a link to a directory would move into that directory, and
only some versions of `mv` have -T; onto a link to a file it is one rename(2), which every kernel does atomically.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.plan import RECORD_NAME, Deployment, Record

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below `directory`, which is absolute and has no character that sha256sum or df would write differently."""

    directory: PurePosixPath

    def __post_init__(self) -> None:
        text = str(self.directory)
        if not self.directory.is_absolute() or ".." in self.directory.parts or not text.isprintable() or "\\" in text:
            raise InputError(
                "expected an absolute directory on the device without '..', backslashes and control characters, "
                f"got {text!r}: register the device with another one."
            )

    @property
    def objects(self) -> PurePosixPath:
        return self.directory / "objects"

    @property
    def deployments(self) -> PurePosixPath:
        return self.directory / "deployments"

    def object(self, sha256: str) -> PurePosixPath:
        return self.objects / sha256[:2] / sha256

    def named(self, name: str) -> PurePosixPath:
        return self.deployments / name

    def current(self, name: str) -> PurePosixPath:
        return self.named(name) / "current"

    def root(self, name: str, deployment_id: str) -> PurePosixPath:
        return self.named(name) / deployment_id

    def record(self, name: str, deployment_id: str) -> PurePosixPath:
        return self.root(name, deployment_id) / RECORD_NAME

    def work(self, name: str) -> PurePosixPath:
        return self.directory / "work" / name

    def deployment(self, record: Record) -> Deployment:
        """The deployment that `record` describes."""
        root = self.root(record.name, record.deployment_id)
        return Deployment(
            record.name, record.deployment_id, root, {file.name: root / file.name for file in record.files}
        )
