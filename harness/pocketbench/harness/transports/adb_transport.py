"""A phone over ADB, whichever way its link goes. Nothing is needed there but what every Android has."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.adb_command import Deadline, Heard, PhoneCommand
from pocketbench.harness.transports.adb_errors import connection_lost, talking
from pocketbench.harness.transports.adb_link import AdbLink, LinkBrokenError
from pocketbench.harness.transports.adb_sync import SyncFailedError, SyncSession, sync_session
from pocketbench.harness.transports.base import Completed
from pocketbench.harness.transports.remote_shell import RemoteCommand, split_signal
from pocketbench.harness.transports.ssh_errors import clean_line
from pocketbench.harness.transports.ssh_output import TooMuchOutputError
from pocketbench.harness.transports.whole_file import whole_file

__all__ = ["AdbTransport"]

# A transfer may take as long as it moves at all.
_STALL_S = 60.0
_PLACE_TIMEOUT_S = 60.0
# A phone's storage and its sha256sum are faster than this.
_SLOWEST_HASH_BYTES_PER_S = 20e6

# $1 temporary file, $2 target, $3 mode, $4 SHA-256. Phones have sha256sum since Android 8 (toybox 0.7).
_PLACE = """\
trap 'rm -f "$1"' EXIT
if [ -d "$2" ]; then echo "$2: Is a directory" >&2; exit 1; fi
if command -v sha256sum > /dev/null; then
    got=$(sha256sum < "$1") || exit 1
    if [ "${got%% *}" != "$4" ]; then echo "another SHA-256 than that of the file" >&2; exit 1; fi
fi
chmod "$3" "$1" && mv -f "$1" "$2"
"""


class AdbTransport:
    """Runs commands on a phone and moves files, over a link that is made by the first call.

    After a break the call raises TransportError, and the next one connects again, perhaps another way: an adb server
    may have been started or ended. Threads may share it.
    """

    def __init__(self, device: str, address: str, connect: Callable[[], AdbLink]) -> None:
        """`device` is the registered name, for messages; `connect` makes a link, or raises TransportError."""
        self.address = address
        self._device = device
        self._connect = connect
        self._link: AdbLink | None = None
        self._connecting = threading.Lock()

    def way(self) -> str:
        """How the phone is reached, to show; connects where that has not been done."""
        return self._connected().way

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """Run `argv` in a process group of its own, so that a timeout or Ctrl-C ends its children too.

        The clock starts once the connection stands. More than 64 MiB on a stream are an error that ends the command.
        """
        command = RemoteCommand(tuple(argv))
        doing = f"running {argv[0]!r}"
        link = self._connected()
        start = time.monotonic()
        try:
            with self._on(link, doing):
                heard = PhoneCommand(link, command, stdin, Deadline(timeout_s)).run()
        except TimeoutError:
            raise DeviceTimeoutError(
                f"{self._device}: expected {argv[0]!r} to finish within {timeout_s:g} s, got no end: stopped it."
            ) from None
        exit_code, ended_by = split_signal(self._exit_code(link, command, heard, doing))
        stdout, stderr = command.output(heard.stdout), command.errors(heard.stderr)
        return Completed(tuple(argv), exit_code, stdout, stderr, time.monotonic() - start, ended_by)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """Copy `source` to `target` through a temporary file beside it and a rename.

        Before the rename the phone counts the bytes, and hashes them where it can. TransportError where the copy
        stands still for a minute.
        """
        temporary = target.with_name(f".pocketbench-{secrets.token_hex(8)}")
        with self._copying(source, target), source.open("rb") as reader:
            reader.read(0)  # a folder opens, and fails here
            hashing = _HashingReader(reader)
            try:
                with self._syncing(f"copying {source} to {target}") as session:
                    size = session.send(cast(BinaryIO, hashing), temporary)
                self._put_in_place(temporary, target, mode, size, hashing.digest.hexdigest())
            except SyncFailedError:
                self._discard(temporary)
                raise

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """Copy `source` to `target` through a temporary file beside it and a rename."""
        with (
            self._copying(source, target),
            whole_file(target) as writer,
            self._syncing(f"copying {source} to {target}") as session,
        ):
            session.receive(source, writer)

    def close(self) -> None:
        """End the connection; the next call would make a new one."""
        with self._connecting:
            if self._link is not None:
                self._link.close()
                self._link = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _connected(self) -> AdbLink:
        with self._connecting:
            if self._link is None or self._link.is_broken():
                if self._link is not None:
                    self._link.close()
                    self._link = None
                self._link = self._connect()
            return self._link

    def _give_up(self, link: AdbLink) -> None:
        """The link is of no use any more: the next call makes another one."""
        with self._connecting:
            if self._link is link:
                self._link = None
        link.close()

    @contextlib.contextmanager
    def _on(self, link: AdbLink, doing: str) -> Iterator[None]:
        """Do something on `link`; what happens to it becomes ours."""
        try:
            with talking(self._device, doing):
                yield
        except LinkBrokenError as error:
            self._give_up(link)
            raise connection_lost(self._device, doing, str(error)) from error
        except TooMuchOutputError as error:
            raise TransportError(
                f"{self._device}: expected less output while {doing}, got {error}: stopped it."
            ) from None

    @contextlib.contextmanager
    def _syncing(self, doing: str) -> Iterator[SyncSession]:
        link = self._connected()
        with self._on(link, doing):
            try:
                with sync_session(link, _STALL_S) as session:
                    yield session
            except TimeoutError:
                raise SyncFailedError(f"not a byte in {_STALL_S:g} s") from None

    def _exit_code(self, link: AdbLink, command: RemoteCommand, heard: Heard, doing: str) -> int:
        if heard.exit_code is None:
            if not link.answers():
                self._give_up(link)
                raise connection_lost(self._device, doing, "")
            raise TransportError(
                f"{self._device}: expected an exit code after {doing}, got none: something ended the shell there. If "
                "it happens again, the phone may be out of memory: close its apps, or restart it."
            )
        if command.process_id(heard.stdout) is None:
            said = clean_line(heard.stderr) or clean_line(heard.stdout) or f"nothing, and exit code {heard.exit_code}"
            raise TransportError(
                f"{self._device}: expected a shell that starts commands, got: {said}. Restart the phone."
            )
        return heard.exit_code

    @contextlib.contextmanager
    def _copying(self, source: object, target: object) -> Iterator[None]:
        try:
            yield
        except SyncFailedError as error:
            words = clean_line(str(error))
        except OSError as error:
            words = error.strerror or str(error)
        else:
            return
        remedy = " Make room there." if "No space left" in words else ""
        raise TransportError(f"{self._device}: expected to copy {source} to {target}, got: {words}.{remedy}")

    def _put_in_place(self, temporary: PurePosixPath, target: PurePosixPath, mode: int, size: int, digest: str) -> None:
        arguments = (str(temporary), str(target), f"{mode:o}", digest)
        timeout_s = _PLACE_TIMEOUT_S + size / _SLOWEST_HASH_BYTES_PER_S
        placed = self.run(("sh", "-c", _PLACE, "sh", *arguments), timeout_s=timeout_s)
        if placed.exit_code != 0:
            raise SyncFailedError(clean_line(placed.stderr) or f"exit code {placed.exit_code}")

    def _discard(self, temporary: PurePosixPath) -> None:
        with contextlib.suppress(TransportError):
            self.run(("rm", "-f", str(temporary)), timeout_s=_PLACE_TIMEOUT_S)


class _HashingReader(RawIOBase):
    """Reads a file and hashes what it read."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data
