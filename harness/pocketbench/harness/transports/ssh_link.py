"""One connection to an SSH server: made, its host key checked, logged in, and watched for silence.

A cable that is pulled sends nothing: neither end is told. So this end asks the server for a sign of life whenever it
has been silent, and gives up where none comes, also while a push has filled all buffers and while a command runs.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Protocol, cast

import paramiko

from pocketbench.harness.transports.ssh_config import SshHost
from pocketbench.harness.transports.ssh_errors import connecting, opening_channel
from pocketbench.harness.transports.ssh_host_keys import HostKey, check_host_key, find_known_keys
from pocketbench.harness.transports.ssh_login import log_in
from pocketbench.harness.transports.ssh_secrets import Secrets

__all__ = ["SshLink", "WatchedStream"]

# Without a handler of its own, Python prints paramiko's tracebacks on stderr; what matters of them is in our errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_CONNECT_TIMEOUT_S = 10.0
# A loaded board may take its time for the key exchange, and PAM for a wrong password.
_LOGIN_TIMEOUT_S = 60.0
# Silence of 4 s is noticed at most 4 s later and a sign of life asked for, which leaves 4 s for the answer. So a cut is
# noticed 12 s after the last byte; each question costs a sleeping board one packet and one wake-up.
_PING_S = 4.0
_SILENCE_S = 12.0
# A write that fails is told to its caller at once; paramiko's own thread may take a moment to learn of it.
_BREAKING_S = 1.0
_FORWARDING = (
    "check the host and port as seen from the jump host, that an SSH server runs there, and that the jump host's "
    "sshd_config allows AllowTcpForwarding"
)


class _Stream(Protocol):
    def send(self, data: bytes, /) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...
    def settimeout(self, timeout: float | None, /) -> None: ...


class WatchedStream:
    """A socket, or a channel to a jump host, that fails once the other end has been silent for `limit_s`.

    Paramiko reads with a short timeout all the time, and so writes; after each timeout the clock is looked at.
    """

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._heard = time.monotonic()
        self._closed = False  # paramiko asks for this one of a socket too (Transport.stop_thread)
        self.limit_s: float | None = None

    def silent_s(self) -> float:
        """Seconds since the other end was heard."""
        return time.monotonic() - self._heard

    def recv(self, size: int) -> bytes:
        """As of a socket."""
        try:
            data = self._stream.recv(size)
        except TimeoutError:
            self._check()
            raise
        self._heard = time.monotonic()
        return data

    def send(self, data: bytes) -> int:
        """As of a socket."""
        try:
            return self._stream.send(data)
        except TimeoutError:
            self._check()
            raise

    def settimeout(self, timeout: float | None) -> None:
        """As of a socket."""
        self._stream.settimeout(timeout)

    def close(self) -> None:
        """As of a socket; a channel to a jump host that is gone has nobody left to tell."""
        self._closed = True
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._stream.close()

    def _check(self) -> None:
        if self.limit_s is not None and self.silent_s() > self.limit_s:
            raise ConnectionAbortedError(errno.ETIMEDOUT, f"no sign of life for {self.limit_s:g} s")


class SshLink:
    """A connection to `host`, directly, through its ProxyCommand, or through the link `through` to a jump host."""

    def __init__(
        self, device: str, host: SshHost, own_known_hosts: Path, secrets: Secrets, through: SshLink | None = None
    ) -> None:
        """Connect and log in; TransportError and its branches of ssh_host_keys say what is in the way."""
        self.host = host
        self._through = through
        self._ended = threading.Event()
        self._helper: subprocess.Popen[bytes] | None = None
        try:
            with connecting(device, host.place):
                self._stream = WatchedStream(self._open_stream(device))
                # Paramiko takes anything with these four methods (its docstring says so, its stubs do not).
                self.transport = paramiko.Transport(cast(socket.socket, self._stream))
                self._start(device, own_known_hosts)
                log_in(self.transport, device, host, secrets)
        except BaseException:
            self.close()
            raise
        self._stream.limit_s = _SILENCE_S
        threading.Thread(target=self._ask_for_life, name=f"alive {host.alias}", daemon=True).start()

    def is_alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self.transport.is_active()

    def is_lost(self) -> bool:
        """Whether the connection has broken, for one on which something just failed: it may be about to."""
        self.transport.join(_BREAKING_S)
        return not self.is_alive()

    def why_lost(self) -> str | None:
        """What broke the connection, or the one that it goes through; None where it is not known."""
        if self._through is not None and (reason := self._through.why_lost()):
            return reason
        saved = self.transport.saved_exception
        if isinstance(saved, ConnectionAbortedError):
            return saved.strerror
        return str(saved) if saved is not None else None

    def close(self) -> None:
        """End the connection and the ones it goes through; harmless a second time."""
        self._ended.set()
        for name in ("transport", "_stream"):
            if hasattr(self, name):  # not where connecting failed before it
                getattr(self, name).close()
        if self._helper is not None:
            _end_helper(self._helper)
            self._helper = None
        if self._through is not None:
            self._through.close()

    def _open_stream(self, device: str) -> _Stream:
        host = self.host
        if self._through is not None:
            transport = self._through.transport
            way = f"a way from {self._through.host.place} to {host.hostname}:{host.port}"
            with opening_channel(device, way, _FORWARDING):
                return transport.open_channel(
                    "direct-tcpip", (host.hostname, host.port), ("127.0.0.1", 0), timeout=_CONNECT_TIMEOUT_S
                )
        if host.proxy_command is not None:
            self._helper, stream = _start_helper(host.proxy_command)
            return stream
        direct = socket.create_connection((host.hostname, host.port), timeout=_CONNECT_TIMEOUT_S)
        # Many small requests and answers: waiting to fill a packet (Nagle) costs 30 ms each on loopback.
        direct.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return direct

    def _start(self, device: str, own_known_hosts: Path) -> None:
        host = self.host
        known = find_known_keys((*host.known_hosts_files, own_known_hosts), host.key_name)
        _prefer(self.transport, [k.key.key_type for k in known if not k.marker])
        self.transport.auth_timeout = _LOGIN_TIMEOUT_S
        self.transport.start_client(timeout=_LOGIN_TIMEOUT_S)
        key = self.transport.get_remote_server_key()
        check_host_key(device, host.hostname, host.port, host.key_name, HostKey(key.get_name(), key.asbytes()), known)

    def _ask_for_life(self) -> None:
        """Ask whenever it has been quiet, and wait for the answer; what notices that none comes is the stream."""
        while not self._ended.wait(_PING_S) and self.transport.is_active():
            if self._stream.silent_s() >= _PING_S:
                # The connection may end while it waits: then the caller is told, by its own call.
                with contextlib.suppress(Exception):
                    self.transport.global_request("keepalive@openssh.com", wait=True)


def _prefer(transport: paramiko.Transport, key_types: list[str]) -> None:
    """Ask the server for a host key of a type that is known for it, as OpenSSH does: another one would be unknown."""
    options = transport.get_security_options()
    algorithms = list(options.key_types)
    wanted = {name for name in algorithms if name in key_types or ("ssh-rsa" in key_types and name.startswith("rsa-"))}
    options.key_types = sorted(algorithms, key=lambda name: name not in wanted)


def _start_helper(command: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The user's ProxyCommand with its standard input and output at the other end of a socket."""
    ours, theirs = socket.socketpair()
    with theirs:
        helper = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    return helper, ours


def _end_helper(helper: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended with its socket
        os.killpg(helper.pid, signal.SIGKILL)
    helper.wait()
