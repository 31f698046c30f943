"""A device directory on this computer, transports that watch or break what goes on, and the tools of other devices."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.deploy.plan import DeploymentFile, DeploymentPlan
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.local import LocalTransport
from tests.needs import require_program

# Everything that the scripts call.
TOOLS = (
    *("b2sum", "cat", "chmod", "cmp", "cut", "date", "dd", "df", "env", "find", "flock", "grep", "gzip", "kill"),
    *(
        "ln",
        "ls",
        "mkdir",
        "mv",
        "readlink",
        "rm",
        "rmdir",
        "sed",
        "sha1sum",
        "sha256sum",
        "sleep",
        "sort",
        "stat",
        "sync",
    ),
    *("tail", "tar", "uniq", "wc", "xargs"),
)
# Debian builds the boxes without these; Android has them, and so has Alpine.
NOT_IN_THE_BOX = {"busybox": {"flock"}, "toybox": {"dd", "gzip"}}


class Watched:
    """Counts and records every call; may break off before or after the n-th, or change what comes or goes."""

    def __init__(self, inner):
        self._inner = inner
        self.address = inner.address
        self.calls = []
        self.streams = []
        self.break_at = None
        self.break_after = False
        self.alter = lambda completed: completed
        self.damage = lambda data: data

    @property
    def sent(self):
        """Names of the objects that came in tars."""
        return [name for stream in self.streams for name in objects_in(stream)]

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
            given = stdin
            if not isinstance(stdin, bytes):
                data = self.damage(stdin.read())
                self.streams.append(data)
                given = io.BytesIO(data)
            return self.alter(self._inner.run(argv, timeout_s=timeout_s, stdin=given))

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


class OtherTools(LocalTransport):
    """This computer with another shell and no commands but those in `folder`."""

    def __init__(self, shell, folder):
        self._shell, self._folder = shell, folder

    def run(self, argv, *, timeout_s, stdin=b""):
        if argv[0] == "sh":
            argv = (*self._shell, *argv[1:])
        env = str(self._folder / "env")
        return super().run([env, f"PATH={self._folder}", *map(str, argv)], timeout_s=timeout_s, stdin=stdin)


@pytest.fixture
def tools_in(tmp_path):
    """tools_in("busybox", without=("gzip",)): a transport with the commands of a box, or of this computer."""

    def make(box=None, shell=None, without=(), scripts=()):
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in TOOLS:
            source = None if box is None or tool in NOT_IN_THE_BOX[box] else box
            path = require_program(source or tool, f"apt-get install {source or 'coreutils'}")
            if tool not in without:
                (folder / tool).symlink_to(path)
        for name, text in dict(scripts).items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        shell = shell or ("dash",)
        return OtherTools((str(require_program(shell[0], f"apt-get install {shell[0]}")), *shell[1:]), folder)

    return make


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
    return {path.name for path in (Path(directory) / "objects").iterdir()}


def objects_in(stream: bytes) -> list[str]:
    """Names of the objects in what went to place.sh; none in what went to another script."""
    try:
        with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
            return [name[2:] for name in archive.getnames() if name.startswith("o/")]
    except tarfile.ReadError:
        return []


def is_tar(stream: bytes) -> bool:
    return stream[257:262] == b"ustar"
