"""A board over SSH. Nothing is needed there but an SSH server and a POSIX shell with cat, chmod, mv, rm and wc."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

import paramiko

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.base import Completed, program_name
from pocketbench.harness.transports.remote_shell import RemoteCommand, kill_group, split_signal
from pocketbench.harness.transports.ssh_config import find_route
from pocketbench.harness.transports.ssh_errors import clean_line, connection_lost, opening_channel
from pocketbench.harness.transports.ssh_exchange import BrokenError, Exchange, ExpiredError, Patience, close_channel
from pocketbench.harness.transports.ssh_host_keys import own_known_hosts
from pocketbench.harness.transports.ssh_link import SshLink
from pocketbench.harness.transports.ssh_output import FileOutput, KeptOutput, TooMuchOutputError
from pocketbench.harness.transports.ssh_secrets import Ask, NobodyToAsk, Secrets
from pocketbench.harness.transports.whole_file import whole_file

__all__ = ["SshTransport"]

_CHANNEL_TIMEOUT_S = 30.0
_KILL_TIMEOUT_S = 10.0
# A transfer may take as long as it moves at all; an SD card that is full of writes stands still for some seconds.
_STALL_S = 60.0
# How long a command that is to be ended may take to say which process it is.
_MARK_GRACE_S = 5.0

# OpenSSH says no more than "Connect failed" (RFC 4254's reason 2) where its MaxSessions, 10 by default, are open.
_MORE_SESSIONS = (
    "the server allows no more at once: raise MaxSessions in its sshd_config, or end other programs' sessions"
)

# $1 temporary file, $2 target, $3 mode, $4 size in bytes. A connection that breaks ends the input as a complete file
# does: only the size tells them apart.
_PUSH = """\
if [ -d "$2" ]; then echo "$2: Is a directory" >&2; exit 1; fi
umask 077
trap 'rm -f "$1"' EXIT
trap 'exit 1' HUP INT PIPE TERM
cat > "$1" || exit 1
got=$(wc -c < "$1") || exit 1
if [ "$got" -ne "$4" ]; then echo "$got of $4 bytes arrived" >&2; exit 1; fi
chmod "$3" "$1" && mv -f "$1" "$2"
"""


class SshTransport:
    """Runs commands on a board and moves files, over one connection that is made by the first call.

    After a break the call raises TransportError, and the next one connects again. Threads may share it.
    """

    def __init__(
        self,
        device: str,
        host: str,
        *,
        user: str | None = None,
        port: int | None = None,
        home: Path,
        ask: Ask | None = None,
        config_files: Sequence[Path] | None = None,
    ) -> None:
        """`device` is the registered name, for messages; `host` may be an alias of ~/.ssh/config.

        Host keys that the user has confirmed are in `home / "known_hosts"`. `ask` is asked for passwords and
        passphrases. `config_files` are read instead of ~/.ssh/config and /etc/ssh/ssh_config.
        """
        shown = f"[{host}]" if ":" in host else host
        self.address = f"ssh://{f'{user}@' if user else ''}{shown}{f':{port}' if port else ''}"
        self._device = device
        self._target = (host, user, port)
        self._known_hosts = own_known_hosts(home)
        self._secrets = Secrets(ask or NobodyToAsk())
        self._config_files = config_files
        self._link: SshLink | None = None
        self._connecting = threading.Lock()

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        """Run `argv` in a process group of its own, so that a timeout or Ctrl-C ends its children too.

        The clock starts once the connection stands. More than 64 MiB on a stream are an error that ends the command.
        """
        command, name = RemoteCommand(tuple(argv)), program_name(argv)
        output, errors = KeptOutput("standard output"), KeptOutput("standard error")
        link = self._connected()
        start = time.monotonic()
        try:
            code = self._perform(link, command, stdin, output, errors, Patience(total_s=timeout_s), f"running {name!r}")
        except ExpiredError as error:
            raise DeviceTimeoutError(
                f"{self._device}: expected {name!r} to finish within {timeout_s:g} s, got no end: {error}."
            ) from None
        code, ended_by = split_signal(code)
        stdout, stderr = command.output(output.data), command.errors(errors.data)
        return Completed(tuple(argv), code, stdout, stderr, time.monotonic() - start, ended_by)

    def push(self, source: Path, target: PurePosixPath, *, mode: int = 0o644) -> None:
        """Copy `source` to `target` through a temporary file beside it and a rename, both made by the board.

        The board counts the bytes before it renames. TransportError where the copy stands still for a minute.
        """
        temporary = target.with_name(f".pocketbench-{secrets.token_hex(8)}")
        try:
            with source.open("rb") as reader:
                size = os.fstat(reader.fileno()).st_size
                reader.read(0)  # a folder opens, and fails here
                arguments = (str(temporary), str(target), f"{mode:o}", str(size))
                errors = self._transfer(source, target, ("sh", "-c", _PUSH, "sh", *arguments), stdin=reader)
        except OSError as error:
            raise self._copy_error(source, target, error.strerror or str(error)) from error
        if errors is not None:
            raise self._copy_error(source, target, errors)

    def pull(self, source: PurePosixPath, target: Path) -> None:
        """Copy `source` to `target` through a temporary file beside it and a rename.

        SSH delivers every byte in order or breaks, and the exit code of `cat` comes after them: where it is 0, all of
        the file is here. Its size is not compared, since files of /proc and /sys have none.
        """
        try:
            with whole_file(target) as writer:
                errors = self._transfer(source, target, ("cat", "--", str(source)), into=writer)
                if errors is not None:
                    raise self._copy_error(source, target, errors)
        except OSError as error:
            raise self._copy_error(source, target, error.strerror or str(error)) from error

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

    def _transfer(
        self,
        source: object,
        target: object,
        argv: tuple[str, ...],
        *,
        stdin: bytes | BinaryIO = b"",
        into: BinaryIO | None = None,
    ) -> str | None:
        """Run a command that moves a file; None where it exits with 0, else what it said on standard error."""
        command = RemoteCommand(argv)
        output = KeptOutput("standard output") if into is None else FileOutput(command, into)
        errors = KeptOutput("standard error")
        doing = f"copying {source} to {target}"
        try:
            code = self._perform(self._connected(), command, stdin, output, errors, Patience(stall_s=_STALL_S), doing)
        except ExpiredError:
            raise self._copy_error(source, target, f"not a byte in {_STALL_S:g} s") from None
        if code == 0:
            return None
        return clean_line(command.errors(errors.data)) or f"exit code {code}"

    def _perform(
        self,
        link: SshLink,
        command: RemoteCommand,
        stdin: bytes | BinaryIO,
        output: KeptOutput | FileOutput,
        errors: KeptOutput,
        patience: Patience,
        doing: str,
    ) -> int:
        """See `command` through to its exit code; whatever comes in between ends it there first."""
        try:
            channel = self._open_channel(link)
            exchange = Exchange(channel, stdin=stdin, on_output=output.add, on_errors=errors.add, patience=patience)
            try:
                code = exchange.run(command.text)
            except BrokenError:
                raise
            except TooMuchOutputError as error:
                how = self._end(link, command, exchange, output)
                raise TransportError(
                    f"{self._device}: expected less output while {doing}, got {error}: {how}."
                ) from None
            except ExpiredError:
                raise ExpiredError(self._end(link, command, exchange, output)) from None
            except BaseException:  # Ctrl-C, or a file on this side cannot be read or written
                self._end(link, command, exchange, output)
                raise
            finally:
                close_channel(channel)
        except BrokenError as error:
            if not link.is_lost():
                raise TransportError(
                    f"{self._device}: expected an exit code after {doing}, got none: the server refuses commands, or a "
                    "signal ended the shell there (out of memory?); its log says more (journalctl -u ssh, dmesg)."
                ) from error
            link.close()
            raise connection_lost(self._device, doing, link.why_lost()) from error
        if command.process_id(output.data) is None:
            said = clean_line(errors.data) or clean_line(output.data) or f"nothing, and exit code {code}"
            raise TransportError(
                f"{self._device}: expected a login shell that starts /bin/sh, got: {said}. Use a user who may run "
                "commands there, not one with a shell like nologin or one that SSH keeps to other uses."
            )
        return code

    def _end(self, link: SshLink, command: RemoteCommand, exchange: Exchange, output: KeptOutput | FileOutput) -> str:
        """End the process group of `command` over a second channel of the connection; says whether that worked."""
        with contextlib.suppress(BrokenError, ExpiredError, TooMuchOutputError, TransportError, OSError):
            # It may have been started this moment: then its number is on the way.
            exchange.patience = Patience(total_s=_MARK_GRACE_S)
            exchange.read_until(lambda: command.process_id(output.data) is not None or exchange.is_over())
            process_id = command.process_id(output.data)
            if process_id is not None:
                killing = RemoteCommand(tuple(kill_group(process_id))).text
                heard = KeptOutput("standard output")
                patience = Patience(total_s=_KILL_TIMEOUT_S)
                channel = self._open_channel(link)
                try:
                    Exchange(channel, stdin=b"", on_output=heard.add, on_errors=heard.add, patience=patience).run(
                        killing
                    )
                finally:
                    close_channel(channel)
                return "stopped it"
        return "it could not be stopped, and may still run there"

    def _open_channel(self, link: SshLink) -> paramiko.Channel:
        try:
            with opening_channel(self._device, "a further session on the connection", _MORE_SESSIONS):
                return link.transport.open_session(timeout=_CHANNEL_TIMEOUT_S)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise BrokenError from error

    def _connected(self) -> SshLink:
        with self._connecting:
            if self._link is None or not self._link.is_alive():
                if self._link is not None:
                    self._link.close()
                    self._link = None
                self._link = self._connect()
            return self._link

    def _connect(self) -> SshLink:
        files = self._config_files
        if files is None:
            files = (Path("~/.ssh/config").expanduser(), Path("/etc/ssh/ssh_config"))
        link: SshLink | None = None
        for host in find_route(files, *self._target):
            link = SshLink(self._device, host, self._known_hosts, self._secrets, through=link)
        assert link is not None  # a route ends at its target
        return link

    def _copy_error(self, source: object, target: object, words: str) -> TransportError:
        remedy = " Make room there." if "No space left" in words else ""
        return TransportError(f"{self._device}: expected to copy {source} to {target}, got: {words}.{remedy}")
