"""A device directory on this computer, and transports that watch or break what goes on."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.plan import DeploymentFile, DeploymentPlan
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.local import LocalTransport


class Watched:
    """Counts and records every call; may answer one itself, or break off before or after the n-th."""

    def __init__(self, inner):
        self._inner = inner
        self.address = inner.address
        self.calls = []
        self.break_at = None
        self.break_after = False
        self.answer = lambda argv: None

    @property
    def pushed(self):
        return [call[1] for call in self.calls if call[0] == "push"]

    def _do(self, call, action):
        self.calls.append(call)
        breaks = self.break_at == len(self.calls)
        if breaks and not self.break_after:
            raise TransportError("the cable was pulled")
        result = action()
        if breaks:
            raise TransportError("the cable was pulled")
        return result

    def run(self, argv, *, timeout_s, stdin=b""):
        def act():
            answer = self.answer(argv)
            return answer or self._inner.run(argv, timeout_s=timeout_s, stdin=stdin)

        return self._do(("run", *argv), act)

    def push(self, source, target, *, mode=0o644):
        self._do(("push", source.name, target), lambda: self._inner.push(source, target, mode=mode))

    def pull(self, source, target):
        self._do(("pull", source, target), lambda: self._inner.pull(source, target))

    def close(self):
        self._inner.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


@pytest.fixture
def transport():
    with Watched(LocalTransport()) as watched:
        yield watched


@pytest.fixture
def directory(tmp_path):
    return PurePosixPath(tmp_path / "our device")


@pytest.fixture
def make_plan(tmp_path):
    """make_plan({"model": b"…"}): a plan with files of that content; names ending in .sh are executable."""

    def make(contents, name="digits"):
        files = []
        for index, (file_name, content) in enumerate(contents.items()):
            digest = hashlib.sha256(content).hexdigest()
            source = tmp_path / f"source-{digest[:8]}-{index}"
            source.write_bytes(content)
            files.append(DeploymentFile(file_name, source, digest, 0o755 if file_name.endswith(".sh") else 0o644))
        return DeploymentPlan(name, tuple(files))

    return make


def contents(directory: PurePosixPath, name: str = "digits") -> dict[str, bytes] | None:
    """What a user of the deployment in use reads through the links, None where nothing is in use."""
    current = Path(directory) / "deployments" / name / "current"
    if not current.exists():
        return None
    root = current.resolve().parent
    return {entry.name: entry.read_bytes() for entry in root.iterdir() if entry.is_symlink() and entry.exists()}


def objects(directory: PurePosixPath) -> set[str]:
    return {path.name for path in (Path(directory) / "objects").rglob("*") if path.is_file()}
