"""Files are hashed while they arrive, the large ones in parts; whatever is wrong with one is found."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.arrival import (
    PART_BYTES,
    MissingObject,
    expected_lines,
    parts_listing,
    sizes_listing,
    wrong_objects,
)
from pocketbench.harness.deploy.deployment import deploy
from pocketbench.harness.errors import DeploymentError, TransportError
from tests.deploy.conftest import contents, is_tar
from tests.deploy.cutting import Cut
from tests.deploy.test_other_tools import DEVICES

LARGE = random.Random(7).randbytes(2 * PART_BYTES + 1_000_000)
EVEN = LARGE[:PART_BYTES] + LARGE[:PART_BYTES]
# Comes after them: a transfer that stops in the middle of it has brought all of the other.
LAST = LARGE[:200_000]


def accept(deployment):
    """A check that finds nothing wrong."""


@pytest.fixture
def missing(tmp_path):
    def make(content):
        sha256 = hashlib.sha256(content).hexdigest()
        (tmp_path / sha256).write_bytes(content)
        return MissingObject(sha256, tmp_path / sha256, len(content), 0o444)

    return make


def test_lists_for_the_device(missing):
    small, large, even = missing(b"small"), missing(LARGE), missing(EVEN)
    assert sizes_listing([small, large]) == f"5 {small.sha256}\n".encode()
    assert parts_listing([small, large, even]).decode().splitlines() == [
        f"{large.sha256} 0 {PART_BYTES}",
        f"{large.sha256} 1 {2 * PART_BYTES}",
        f"{large.sha256} 2 {len(LARGE)}",
        f"{even.sha256} 0 {PART_BYTES}",
        f"{even.sha256} 1 {2 * PART_BYTES}",
        f"{even.sha256} 2 {2 * PART_BYTES}",
    ]


@pytest.mark.parametrize(("command", "algorithm"), [("b2sum", "blake2b"), ("sha256sum", "sha256"), ("sha1sum", "sha1")])
def test_what_is_expected(missing, command, algorithm):
    def digest(data):
        return hashlib.new(algorithm, data).hexdigest()

    small, large = missing(b"small"), missing(LARGE)
    expected = expected_lines([small, large], command)
    parts = [LARGE[start : start + PART_BYTES] for start in (0, PART_BYTES, 2 * PART_BYTES)]
    assert expected == {
        small.sha256: {f"{digest(b'small')}  {small.sha256}"},
        large.sha256: {f"{digest(part)} {large.sha256} {number}" for number, part in enumerate(parts)},
    }
    lines = [line for of_object in expected.values() for line in of_object]
    assert wrong_objects("\n".join(lines), expected) == set()
    assert wrong_objects("\n".join(lines[1:]), expected) == {small.sha256}
    assert wrong_objects("\n".join(lines[:-1]), expected) == {large.sha256}


def test_a_file_that_was_changed_before_it_was_hashed_is_told(missing):
    item = missing(b"right")
    item.source.write_bytes(b"wrong")
    with pytest.raises(InputError, match="it was changed since"):
        expected_lines([item], "b2sum")


@pytest.fixture(params=list(DEVICES.values()), ids=list(DEVICES))
def device(request, tools_in):
    return tools_in(**request.param)


class Slow:
    """A link on which the rest of a transfer comes after a pause."""

    def __init__(self, inner, after, pause):
        self.address = inner.address
        self._inner, self._left, self._pause = inner, after, pause

    def run(self, argv, *, timeout_s, stdin=b""):
        return self._inner.run(
            argv, timeout_s=timeout_s, stdin=stdin if isinstance(stdin, bytes) else self._slow(stdin)
        )

    def _slow(self, stdin):
        outer = self

        class Stream:
            def read(self, size=-1):
                if outer._left <= 0:
                    outer._pause()
                    outer._left = 1 << 60
                chunk = stdin.read(size)
                outer._left -= len(chunk)
                return chunk

        return Stream()

    def push(self, source, target, *, mode=0o644):
        raise AssertionError("nothing is pushed by itself")

    def pull(self, source, target):
        raise AssertionError("nothing is pulled")

    def close(self):
        self._inner.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


@pytest.mark.parametrize("content", [LARGE, EVEN], ids=["odd", "even"])
def test_what_has_arrived_is_hashed_before_the_rest_comes(device, directory, make_plan, content):
    hashed: list[str] = []

    def wait():
        deadline = time.monotonic() + 60
        while len(hashed) < 2:
            assert time.monotonic() < deadline, "a part and a small file are hashed meanwhile"
            time.sleep(0.01)
            hashed[:] = [
                line for path in Path(directory).glob("incoming/*/*.got") for line in path.read_text().splitlines()
            ]

    plan = make_plan({"small": b"small", "model": content})
    deploy(Slow(device, PART_BYTES + 2_000_000, wait), directory, plan, check=accept)
    assert contents(directory) == {"small": b"small", "model": content}
    assert list(Path(directory).glob("incoming/*")) == []


@pytest.mark.parametrize("position", [0, PART_BYTES, len(LARGE) - 1], ids=["first", "second", "last"])
def test_damage_in_any_part_is_found(transport, directory, make_plan, position):
    def damage(data):
        if not is_tar(data):
            return data
        place = data.index(LARGE[:100]) + position
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    transport.damage = damage
    with pytest.raises(DeploymentError, match=r"expected model to arrive with the right b2sum, got another"):
        deploy(transport, directory, make_plan({"model": LARGE, "small": b"small"}), check=accept)
    assert contents(directory) is None
    assert list(Path(directory).glob("incoming/*")) == []


@pytest.mark.parametrize("position", [5, len(EVEN) - 5], ids=["first part", "last part"])
def test_damage_to_what_a_cut_left_is_found(transport, directory, make_plan, position):
    plan = make_plan({"model": EVEN, "last": LAST})
    with pytest.raises(TransportError):
        deploy(Cut(transport, directory, len(EVEN) + 100_000, kills=False), directory, plan, check=accept)
    (arrived,) = Path(directory).glob(f"incoming/*/o/{plan.files[0].sha256}")
    assert arrived.stat().st_size == len(EVEN)
    arrived.chmod(0o644)
    with arrived.open("r+b") as stream:
        stream.seek(position)
        stream.write(b"rot")
    deploy(transport, directory, plan, check=accept)
    assert contents(directory) == {"model": EVEN, "last": LAST}


def test_what_is_appended_to_a_file_of_full_parts_is_found(tools_in, directory, make_plan):
    """Each part that was sent is right; nothing is hashed before the end, as on a fast link."""
    device = tools_in(scripts={"sleep": f"exec {shutil.which('sleep')} 3"})
    plan = make_plan({"model": EVEN, "last": LAST})

    def append():
        (arrived,) = Path(directory).glob(f"incoming/*/o/{plan.files[0].sha256}")
        deadline = time.monotonic() + 60
        while arrived.stat().st_size < len(EVEN):
            assert time.monotonic() < deadline, "all of it arrives"
            time.sleep(0.01)
        os.truncate(arrived, len(EVEN) + 1)

    slow = Slow(device, len(EVEN) + 100_000, append)
    with pytest.raises(DeploymentError, match="expected model to arrive"):
        deploy(slow, directory, plan, check=accept)
    assert contents(directory) is None
