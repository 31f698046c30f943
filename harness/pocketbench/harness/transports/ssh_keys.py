"""The user's keys: in ssh's agent and in files, in the order in which they are offered to a server."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from pocketbench.harness.transports.ssh_config import SshHost
from pocketbench.harness.transports.ssh_host_keys import HostKey

__all__ = ["KeyRing"]

# What ssh tries where its configuration names no identity (ssh_config(5), IdentityFile); those kinds that are safe.
_DEFAULT_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_KINDS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_PASSPHRASE_ATTEMPTS = 3


@dataclass(slots=True)
class KeyRing:
    """Keys for one login on `host`; `passphrase` asks for that of a file, None for an answer that will not come.

    `unusable` fills with what was passed over, and why.
    """

    host: SshHost
    passphrase: Callable[[Path, bool], str | None]
    unusable: list[str] = field(default_factory=list)

    def keys(self, opened: ExitStack) -> Iterator[tuple[str, paramiko.PKey]]:
        """Each key with what to call it: no question comes before all keys that need none have been tried.

        The agent's are first, those that the configuration names before its others. It is let go with `opened`.
        """
        files = self._files()
        offered: set[bytes] = set()
        for label, key in self._from_agent(files, opened):
            offered.add(key.asbytes())
            yield label, key
        locked = []
        for path in files:
            try:
                key = _load(path, None)
            except paramiko.PasswordRequiredException:
                locked.append(path)
                continue
            except (OSError, ValueError, paramiko.SSHException) as error:
                self._pass_over(path, error)
                continue
            if key.asbytes() not in offered:
                yield f"key {path}", key
        for path in locked:
            if _public_blob(path) not in offered and (unlocked := self._unlock(path)) is not None:
                yield f"key {path}", unlocked

    def _files(self) -> list[Path]:
        chosen = self.host.identity_files
        if chosen is None:
            usual = (Path(text).expanduser() for text in _DEFAULT_IDENTITIES)
            return [path for path in usual if path.exists()]
        # The configuration may name the public half of a key that only the agent has.
        return [path.with_suffix("") if path.suffix == ".pub" else path for path in chosen]

    def _from_agent(self, files: list[Path], opened: ExitStack) -> Iterator[tuple[str, paramiko.PKey]]:
        if "SSH_AUTH_SOCK" not in os.environ:
            return
        try:
            agent = paramiko.Agent()
        except (OSError, paramiko.SSHException) as error:
            self.unusable.append(f"ssh's agent ({error})")
            return
        opened.callback(agent.close)
        named = {_public_blob(path) for path in files}
        keys = agent.get_keys()
        mine = [key for key in keys if key.asbytes() in named]
        others = [] if self.host.identities_only else [key for key in keys if key.asbytes() not in named]
        for key in (*mine, *others):
            yield f"agent key {HostKey(key.get_name(), key.asbytes())}", key

    def _unlock(self, path: Path) -> paramiko.PKey | None:
        for attempt in range(_PASSPHRASE_ATTEMPTS):
            passphrase = self.passphrase(path, attempt > 0)
            if passphrase is None:
                break
            try:
                return _load(path, passphrase)
            except (ValueError, paramiko.SSHException):
                continue
        self.unusable.append(f"key {path} (no passphrase for it: `ssh-add {path}` unlocks it for the agent)")
        return None

    def _pass_over(self, path: Path, error: Exception) -> None:
        if isinstance(error, FileNotFoundError):
            if _public_blob(path) is None:  # else it is the agent's
                self.unusable.append(f"key {path} (no such file)")
        else:
            reason = error.strerror if isinstance(error, OSError) else "not a private key of a type that is supported"
            self.unusable.append(f"key {path} ({reason})")


def _load(path: Path, passphrase: str | None) -> paramiko.PKey:
    """The key in the file `path`, with its certificate where one lies beside it (ssh_config(5), CertificateFile)."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path} is no file")
    problem: Exception = ValueError(f"{path} holds no key")
    for kind in _KINDS:
        try:
            key = kind.from_private_key_file(str(path), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (ValueError, paramiko.SSHException) as error:
            problem = error
        else:
            certificate = path.with_name(f"{path.name}-cert.pub")
            if certificate.exists():
                key.load_certificate(str(certificate))
            return key
    raise problem


def _public_blob(path: Path) -> bytes | None:
    """What the public half beside the private key `path` holds."""
    try:
        blob = paramiko.pkey.PublicBlob.from_file(str(path.with_name(f"{path.name}.pub")))
    except (OSError, ValueError, IndexError):
        return None
    return bytes(blob.key_blob)
