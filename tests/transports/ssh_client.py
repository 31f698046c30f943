"""A user with a home folder of their own, who reaches test servers with SshTransport: nothing of ours is read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from pocketbench.harness.transports.ssh import SshTransport
from pocketbench.harness.transports.ssh_secrets import Ask

__all__ = ["DEVICE", "Answers", "Client", "Server", "block", "client_in"]

DEVICE = "kitchen-pi"


class Server(Protocol):
    """What Sshd and Board have in common."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def key_file(self) -> Path: ...

    def known_hosts_line(self) -> str: ...


class Answers:
    """Answers questions from a list, and keeps what was asked."""

    def __init__(self, *answers: str | None) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def password(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self._answers.pop(0) if self._answers else None


class Client:
    """`folder` is the user's home folder; `home` that of pocketbench."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "pocketbench"
        self.config = folder / ".ssh/config"
        self.known_hosts = folder / ".ssh/known_hosts"
        self.home.mkdir(parents=True)
        self.config.parent.mkdir(mode=0o700)

    def trust(self, *servers: Server) -> None:
        """Put the host keys of `servers` where pocketbench keeps what the user has confirmed."""
        with (self.home / "known_hosts").open("a") as file:
            file.writelines(server.known_hosts_line() for server in servers)

    def configure(self, text: str) -> None:
        """Write the user's configuration; the computer's own files are kept out of it."""
        self.config.write_text(f"{text}\nHost *\n  GlobalKnownHostsFile none\n")

    def transport(self, host: str = "board", ask: Ask | None = None, **place: object) -> SshTransport:
        """A transport to `host` as the configuration has it."""
        return SshTransport(DEVICE, host, home=self.home, ask=ask, config_files=[self.config], **place)  # type: ignore[arg-type]

    def reach(self, server: Server, ask: Ask | None = None) -> SshTransport:
        """A transport to `server`, whose host key is trusted and which takes the user's key."""
        self.trust(server)
        self.configure(block("board", server))
        return self.transport(ask=ask)


def block(name: str, server: Server, more: str = "") -> str:
    """What the configuration says of `server` under `name`."""
    return (
        f"Host {name}\n  HostName {server.host}\n  Port {server.port}\n  User {server.user}\n"
        f"  IdentityFile {server.key_file}\n  IdentitiesOnly yes\n  {more}\n"
    )


def client_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A user who lives in `folder` for the length of a test, without an agent or a keyring."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return Client(folder)
