"""Files to and from an emulated phone: complete or not there, with bytes, mode and awkward names."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from tests.devices.phone import Phone

HOME = PurePosixPath("/data/local/tmp")
TIMEOUT_S = 60.0
AWKWARD = ["a b", "it's", '"', "$(touch made)", "`touch made`", "new\nline", "\\", "*", "-n", "~", "ü", "a,420", "a;b"]


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_a_pushed_file_has_its_bytes_and_mode(transport, data, tmp_path, mode):
    (tmp_path / "source").write_bytes(bytes(range(256)) * 10_000)

    transport.push(tmp_path / "source", HOME / "target", mode=mode)

    assert (data / "target").read_bytes() == (tmp_path / "source").read_bytes()
    assert (data / "target").stat().st_mode & 0o777 == mode
    assert [path.name for path in data.iterdir()] == ["target"]


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 20) + 1], ids=str)
def test_a_file_of_any_size_goes_and_comes(transport, tmp_path, size):
    (tmp_path / "source").write_bytes(os.urandom(size))

    transport.push(tmp_path / "source", HOME / "file")
    transport.pull(HOME / "file", tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()


def test_awkward_names_are_names(transport, data, tmp_path):
    for name in AWKWARD:
        (tmp_path / "source").write_text(name)
        transport.push(tmp_path / "source", HOME / name)
        transport.pull(HOME / name, tmp_path / "back")
        assert (tmp_path / "back").read_text() == name

    assert sorted(path.name for path in data.iterdir()) == sorted(AWKWARD)


def test_a_push_replaces_by_rename_so_that_a_reader_keeps_the_old_file(today, data, tmp_path):
    (tmp_path / "source").write_bytes(b"new")
    (data / "target").write_bytes(b"old")

    with (data / "target").open("rb") as reader:
        today.push(tmp_path / "source", HOME / "target")
        assert reader.read() == b"old"

    assert (data / "target").read_bytes() == b"new"


def test_a_file_of_the_kernel_can_be_pulled(today, tmp_path):
    today.pull(PurePosixPath("/proc/version"), tmp_path / "version")

    assert (tmp_path / "version").read_text() == Path("/proc/version").read_text()


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        pytest.param("missing", "target", "No such file or directory", id="no-source"),
        pytest.param("folder", "target", "Is a directory", id="source-is-a-folder"),
        pytest.param("file", "folder", "/data/local/tmp/folder: Is a directory", id="target-is-a-folder"),
        pytest.param("file", "file/target", "couldn't create file: ", id="parent-is-a-file"),
        pytest.param("file", "x" * 256, "File nam", id="name-too-long"),
        pytest.param("file", "x/" * 520 + "x", "a path of 1085 bytes, where a phone takes 1024", id="path-too-long"),
    ],
)
def test_a_push_that_fails_says_why_and_leaves_nothing(transport, data, tmp_path, source, target, words):
    for folder in (tmp_path, data):
        (folder / "file").write_bytes(b"x")
        (folder / "folder").mkdir()

    with pytest.raises(TransportError) as caught:
        transport.push(tmp_path / source, HOME / target)

    assert str(caught.value).startswith(f"pixel: expected to copy {tmp_path / source} to {HOME / target}, got: ")
    assert words in str(caught.value)
    assert sorted(path.name for path in data.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        pytest.param("missing", "target", "open failed: No such file or directory", id="no-source"),
        pytest.param("folder", "target", "read failed: Is a directory", id="source-is-a-folder"),
        pytest.param("file", "folder", "Is a directory", id="target-is-a-folder"),
        pytest.param("file", "missing/target", "No such file or directory", id="no-parent"),
    ],
)
def test_a_pull_that_fails_says_why_and_leaves_nothing(transport, data, tmp_path, source, target, words):
    here = tmp_path / "here"
    for folder in (here, data):
        (folder / "folder").mkdir(parents=True)
        (folder / "file").write_bytes(b"x")

    with pytest.raises(TransportError) as caught:
        transport.pull(HOME / source, here / target)

    assert str(caught.value) == f"pixel: expected to copy {HOME / source} to {here / target}, got: {words}."
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder"]


def test_a_full_disk_leaves_the_old_file_and_says_so(transport, tmp_path):
    (tmp_path / "small").write_bytes(b"old")
    (tmp_path / "big").write_bytes(bytes(3 << 20))
    transport.push(tmp_path / "small", PurePosixPath("/mnt/target"))

    with pytest.raises(TransportError, match=r"got: write failed: No space left on device\. Make room there\."):
        transport.push(tmp_path / "big", PurePosixPath("/mnt/target"))

    assert transport.run(["ls", "-A", "/mnt"], timeout_s=TIMEOUT_S).stdout == b"target\n"
    transport.pull(PurePosixPath("/mnt/target"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"old"


def test_a_file_that_arrives_with_other_bytes_is_not_used(phone, reach, data, tmp_path):
    (tmp_path / "source").write_bytes(b"right")
    (data / "target").write_bytes(b"old")
    digest = phone.system / "bin/sha256sum"
    digest.write_text("#!/bin/sh\necho wrong | /usr/bin/sha256sum\n")
    digest.chmod(0o755)

    with pytest.raises(TransportError, match="got: another SHA-256 than that of the file"):
        reach(phone).push(tmp_path / "source", HOME / "target")

    assert [(path.name, path.read_bytes()) for path in data.iterdir()] == [("target", b"old")]


def test_a_phone_without_sha256sum_gets_its_files(tmp_path, reach, data):
    with Phone(tmp_path / "phone") as phone:
        # Before Android 8: a PATH with nothing but what the copy needs.
        for name in ("chmod", "mv", "rm"):
            (phone.system / "bin" / name).symlink_to(f"/usr/bin/{name}")
        shell = phone.system / "bin/sh"
        shell.unlink()
        shell.write_text('#!/bin/sh\nPATH=/system/bin exec /bin/sh "$@"\n')
        shell.chmod(0o755)
        (tmp_path / "source").write_bytes(b"x" * 100_000)
        transport = reach(phone)
        assert transport.run(["sha256sum"], timeout_s=TIMEOUT_S).exit_code == 127

        transport.push(tmp_path / "source", HOME / "target", mode=0o755)

    assert (data / "target").read_bytes() == b"x" * 100_000
    assert (data / "target").stat().st_mode & 0o777 == 0o755
