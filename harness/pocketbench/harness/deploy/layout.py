"""Where things lie below our directory on a device:

    objects/<sha256>                      every file once, by content, read-only
    verified                              size, times, inode and mode of each object when its hash was last right
    deployments/<name>/<deployment id>/   links to objects, under the names they are used by, and deployment.json
    deployments/<name>/current            link to the deployment.json of the one in use
    incoming/<token>/                     what is arriving; after a cut, what had arrived
    work/<name>/                          what the runner writes
    lock                                  held by whoever places, switches or collects (flock)

`current` points to a file, not to the directory: `mv` onto a link to a directory would move into that directory, and
only some versions of `mv` have -T; onto a link to a file it is one rename(2), which every kernel does atomically.
Objects lie side by side, so that one `mv` places all that came; file systems index directories.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.plan import Deployment, Record

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below `directory`, which is absolute and has no character that df would write differently."""

    directory: PurePosixPath

    def __post_init__(self) -> None:
        text = str(self.directory)
        if not self.directory.is_absolute() or ".." in self.directory.parts or not text.isprintable() or "\\" in text:
            raise InputError(
                "expected an absolute directory on the device without '..', backslashes and control characters, "
                f"got {text!r}: register the device with another one."
            )

    def root(self, name: str, deployment_id: str) -> PurePosixPath:
        return self.directory / "deployments" / name / deployment_id

    def incoming(self, token: str) -> PurePosixPath:
        return self.directory / "incoming" / token

    def work(self, name: str) -> PurePosixPath:
        return self.directory / "work" / name

    def deployment(self, record: Record) -> Deployment:
        """The deployment that `record` describes."""
        root = self.root(record.name, record.deployment_id)
        return Deployment(
            record.name, record.deployment_id, root, {file.name: root / file.name for file in record.files}
        )
