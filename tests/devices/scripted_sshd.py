"""An SSH server that logs in as scripted: with the methods, steps and questions that OpenSSH needs PAM for.

It runs whatever command is asked for, as this user, and knows nothing else of the protocol. Loopback only.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

from tests.devices.sshd import make_key

__all__ = ["ScriptedSshd"]

_COMMAND_TIMEOUT_S = 60


class ScriptedSshd:
    """A server that wants `steps`, one method after the other, before it lets `user` in.

    `answers` are the questions of keyboard-interactive with what has to be answered. What was tried is in `attempts`.
    """

    host = "127.0.0.1"
    user = "pi"

    def __init__(
        self, folder: Path, steps: Sequence[str], *, password: str = "", answers: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir()
        self.steps = tuple(steps)
        self.password = password
        self.answers = dict(answers or {})
        self.attempts: list[str] = []
        self.key_file = folder / "client_key"
        make_key(self.key_file)
        make_key(folder / "host_key")
        self._host_key = paramiko.Ed25519Key.from_private_key_file(str(folder / "host_key"))
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve)

    def known_hosts_line(self) -> str:
        """What a known_hosts file says of it."""
        return f"[{self.host}]:{self.port} {self._host_key.get_name()} {self._host_key.get_base64()}\n"

    def drop(self) -> None:
        """End all connections."""
        for transport in self._transports:
            transport.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed: the end
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._host_key)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError):  # a client that goes away
                transport.start_server(server=_Login(self))


class _Login(paramiko.ServerInterface):
    def __init__(self, server: ScriptedSshd) -> None:
        self._server = server
        self._left = list(server.steps)
        public = paramiko.Ed25519Key.from_private_key_file(str(server.key_file))
        self._key = public.asbytes()

    def get_allowed_auths(self, username: str) -> str:
        return self._left[0] if self._left else "none"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._step("publickey", username, key.asbytes() == self._key)

    def check_auth_password(self, username: str, password: str) -> int:
        return self._step("password", username, password == self._server.password)

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        if self._left[:1] != ["keyboard-interactive"]:
            return AUTH_FAILED
        query = InteractiveQuery("", "")
        for question in self._server.answers:
            query.add_prompt(question, False)
        return query

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return self._step("keyboard-interactive", self._server.user, responses == list(self._server.answers.values()))

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=_run, args=(channel, command), daemon=True).start()
        return True

    def _step(self, method: str, username: str, right: bool) -> int:
        self._server.attempts.append(method)
        if self._left[:1] != [method] or not right or username != self._server.user:
            return AUTH_FAILED
        del self._left[0]
        return AUTH_PARTIALLY_SUCCESSFUL if self._left else AUTH_SUCCESSFUL


def _run(channel: paramiko.Channel, command: bytes) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_COMMAND_TIMEOUT_S,
        start_new_session=True,
    )
    with contextlib.suppress(OSError, EOFError):  # the client may have gone
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()
