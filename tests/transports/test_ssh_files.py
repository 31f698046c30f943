"""Files over SSH: complete or not there, whatever they are called and whenever the connection breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.sshd import Sshd
from tests.transports.ssh_client import Client, client_in

NAMES = ["plain", "a b", "it's", '"', "$(touch made)", "`touch made`", "new\nline", "\\", "-n", "*", "ü", "!x"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def transport(client: Client, server: Sshd) -> Iterator[SshTransport]:
    with client.reach(server) as transport:
        yield transport


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder of the board, which is this computer."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_any_name_will_do(transport, tmp_path, there, name):
    (tmp_path / "source").write_bytes(b"x" * 1000)

    transport.push(tmp_path / "source", PurePosixPath(there / name))
    transport.pull(PurePosixPath(there / name), tmp_path / "back")

    assert [path.name for path in there.iterdir()] == [name]
    assert (tmp_path / "back").read_bytes() == b"x" * 1000


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_a_pushed_file_has_its_bytes_and_mode(transport, tmp_path, there, mode):
    (tmp_path / "source").write_bytes(bytes(range(256)) * 20_000)

    transport.push(tmp_path / "source", PurePosixPath(there / "target"), mode=mode)

    assert (there / "target").read_bytes() == (tmp_path / "source").read_bytes()
    assert (there / "target").stat().st_mode & 0o777 == mode
    assert len(list(there.iterdir())) == 1


def test_an_empty_file_is_a_file(transport, tmp_path, there):
    (tmp_path / "source").write_bytes(b"")

    transport.push(tmp_path / "source", PurePosixPath(there / "target"))
    transport.pull(PurePosixPath(there / "target"), tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == b""


def test_a_push_replaces_by_rename_so_that_a_reader_keeps_the_old_file(transport, tmp_path, there):
    (tmp_path / "source").write_bytes(b"new")
    (there / "target").write_bytes(b"old")

    with (there / "target").open("rb") as reader:
        transport.push(tmp_path / "source", PurePosixPath(there / "target"))
        assert reader.read() == b"old"

    assert (there / "target").read_bytes() == b"new"


def test_a_file_of_the_kernel_without_a_size_is_pulled(transport, tmp_path):
    transport.pull(PurePosixPath("/proc/version"), tmp_path / "version")

    assert (tmp_path / "version").read_text() == Path("/proc/version").read_text()


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        pytest.param("missing", "target", "No such file or directory", id="no-source"),
        pytest.param("folder", "target", "Is a directory", id="source-is-a-folder"),
        pytest.param("file", "missing/target", "(No such file or directory|nonexistent)", id="no-parent"),
        pytest.param("file", "folder", "Is a directory", id="target-is-a-folder"),
        pytest.param("file", "file/target", "(Not a directory|nonexistent)", id="parent-is-a-file"),
    ],
)
def test_a_transfer_that_fails_says_why_and_leaves_nothing(transport, there, source, target, words):
    (there / "file").write_bytes(b"x")
    (there / "folder").mkdir()
    (there / "folder" / "kept").write_bytes(b"x")

    for transfer in (
        lambda: transport.push(there / source, PurePosixPath(there / target)),
        lambda: transport.pull(PurePosixPath(there / source), there / target),
    ):
        with pytest.raises(
            TransportError, match=f"kitchen-pi: expected to copy {there / source} to {there / target}, got: .*{words}"
        ):
            transfer()
    assert sorted(path.name for path in there.rglob("*")) == ["file", "folder", "kept"]


def test_a_source_that_grows_meanwhile_is_refused(transport, tmp_path, there):
    """What arrives is compared with the size that the file had when it was opened."""
    source = tmp_path / "source"
    source.write_bytes(bytes(30 << 20))
    stop = threading.Event()

    def grow() -> None:
        with source.open("ab") as file:
            while not stop.is_set():
                file.write(b"more")
                file.flush()

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        with pytest.raises(TransportError, match=r"got: \d+ of \d+ bytes arrived"):
            transport.push(source, PurePosixPath(there / "target"))
    finally:
        stop.set()
        thread.join()
    assert list(there.iterdir()) == []


def test_a_server_that_is_killed_in_the_middle_of_a_push_leaves_the_old_file(client, tmp_path, there):
    """Its `cat` sees the end of its input, as if all had come: the size tells that it has not."""
    (there / "target").write_bytes(b"old")
    (tmp_path / "source").write_bytes(bytes(300 << 20))
    with Sshd(tmp_path / "sshd") as server, client.reach(server) as transport:
        transport.run(["true"], timeout_s=60)

        def kill_once_it_arrives() -> None:
            while not any(path.stat().st_size > 1 << 20 for path in there.iterdir()):
                time.sleep(0.001)
            # The sessions only: whoever writes the file lives on and sees its input end.
            server.stop_sessions()

        killer = threading.Thread(target=kill_once_it_arrives)
        killer.start()
        with pytest.raises(TransportError, match="kitchen-pi: expected the connection to last while copying"):
            transport.push(tmp_path / "source", PurePosixPath(there / "target"))
        killer.join()

        wait_for(lambda: [path.name for path in there.iterdir()] == ["target"])
        assert (there / "target").read_bytes() == b"old"
        transport.push(tmp_path / "user/.ssh/config", PurePosixPath(there / "target"))  # connects again
        assert (there / "target").read_bytes() != b"old"


def test_a_server_that_is_killed_in_the_middle_of_a_pull_leaves_the_old_file(client, tmp_path, there):
    (there / "source").write_bytes(bytes(300 << 20))
    (tmp_path / "into").mkdir()
    (tmp_path / "into/target").write_bytes(b"old")
    with Sshd(tmp_path / "sshd") as server, client.reach(server) as transport:
        transport.run(["true"], timeout_s=60)

        def kill_once_it_arrives() -> None:
            while not any(path.stat().st_size > 1 << 20 for path in (tmp_path / "into").iterdir()):
                time.sleep(0.001)
            server.stop_sessions()

        killer = threading.Thread(target=kill_once_it_arrives)
        killer.start()
        with pytest.raises(TransportError, match="kitchen-pi: expected the connection to last while copying"):
            transport.pull(PurePosixPath(there / "source"), tmp_path / "into/target")
        killer.join()

    assert [(path.name, path.read_bytes()) for path in (tmp_path / "into").iterdir()] == [("target", b"old")]


def test_noise_of_a_login_script_is_not_pulled(client, tmp_path, there):
    (there / "source").write_bytes(bytes(range(256)) * 4000)
    script = tmp_path / "forced"
    script.write_text('#!/bin/sh\nhead -c 3000000 /dev/urandom; eval "$SSH_ORIGINAL_COMMAND"\n')
    script.chmod(0o755)
    with Sshd(tmp_path / "sshd", [f"ForceCommand {script}"]) as server, client.reach(server) as transport:
        transport.pull(PurePosixPath(there / "source"), tmp_path / "target")

    assert (tmp_path / "target").read_bytes() == (there / "source").read_bytes()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
