"""Host keys: which are known for a host, and what to say of one that is not (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

Known are the keys in the user's files, the machine's, and our own `known_hosts` in the home folder, the only one that
is written here. Paramiko's reader passes over patterns and the markers @revoked and @cert-authority: what cannot be
checked has to be refused, so the files are read here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh_config_file import matches

__all__ = [
    "ChangedHostKeyError",
    "HostKey",
    "HostKeyError",
    "KnownKey",
    "RevokedHostKeyError",
    "UnknownHostKeyError",
    "check_host_key",
    "find_known_keys",
    "own_known_hosts",
    "trust_host_key",
]

_REVOKED = "@revoked"
_AUTHORITY = "@cert-authority"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key: its type as known_hosts files have it, and its bytes as they travel (RFC 4253, 6.6)."""

    key_type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as `ssh-keygen -l` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.key_type} {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A line that speaks of the host: `marker` is empty, `@revoked` or `@cert-authority`; `place` is FILE:LINE."""

    marker: str
    key: HostKey
    place: str


class HostKeyError(TransportError):
    """The host did not prove that it is the one it should be: nothing was sent to it."""


class UnknownHostKeyError(HostKeyError):
    """No key is known for the host. Show `key` to the user; `trust_host_key` is for their yes."""

    def __init__(self, message: str, *, host: str, port: int, name: str, key: HostKey) -> None:
        super().__init__(message)
        self.host = host
        self.port = port
        self.name = name
        self.key = key


class ChangedHostKeyError(HostKeyError):
    """Another key is known for the host than the one it shows."""


class RevokedHostKeyError(HostKeyError):
    """The key is marked as one never to be trusted again."""


def own_known_hosts(home: Path) -> Path:
    """Our own file in the home folder of pocketbench."""
    return home / "known_hosts"


def trust_host_key(home: Path, name: str, key: HostKey) -> None:
    """Remember `key` for the host that known_hosts files call `name`; for a user who has confirmed it.

    InputError where our file cannot be written.
    """
    path = own_known_hosts(home)
    line = f"{name} {key.key_type} {base64.b64encode(key.blob).decode()}\n"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            # One write: two processes that add a key at once leave two lines.
            os.write(descriptor, (("\n" if torn else "") + line).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(
            f"expected to write the host key to {path}, got {error.strerror}: make room, or set POCKETBENCH_HOME to "
            "a folder you can write to."
        ) from error


def find_known_keys(files: Sequence[Path], name: str) -> list[KnownKey]:
    """All lines of `files` that speak of the host `name`; lines that make no sense are passed over, as ssh does."""
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # not there, or not for us: it vouches for nobody
        for number, line in enumerate(text.splitlines(), start=1):
            known = _parse(line, name, f"{path}:{number}")
            if known is not None:
                found.append(known)
    return found


def check_host_key(device: str, host: str, port: int, name: str, offered: HostKey, known: Sequence[KnownKey]) -> None:
    """Return where `offered` is known for the host; otherwise raise the HostKeyError that says why not."""
    revoked = next((k for k in known if k.marker == _REVOKED and k.key == offered), None)
    if revoked is not None:
        raise RevokedHostKeyError(
            f"{device}: expected a host key that is not revoked from {name}, got {offered}, which {revoked.place} "
            "marks as @revoked: give the board a new host key (ssh-keygen -A there), or ask who runs it."
        )
    plain = [k for k in known if not k.marker]
    if any(k.key == offered for k in plain):
        return
    if plain:
        raise ChangedHostKeyError(_changed(device, name, offered, plain))
    authority = next((k for k in known if k.marker == _AUTHORITY), None)
    certificates = (
        f" {authority.place} trusts a certificate authority for it, which pocketbench cannot check."
        if authority
        else ""
    )
    raise UnknownHostKeyError(
        f"{device}: expected a host key that is known for {name}, got a new one: {offered}.{certificates} Compare it "
        "with the board's own (there: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, or the type's file), and "
        "confirm it with `pocketbench device add`.",
        host=host,
        port=port,
        name=name,
        key=offered,
    )


def _changed(device: str, name: str, offered: HostKey, plain: Sequence[KnownKey]) -> str:
    # The one of the same type is what was replaced; a host that shows only another type is no better.
    old = next((k for k in plain if k.key.key_type == offered.key_type), plain[0])
    file = old.place.rpartition(":")[0]
    return (
        f"{device}: expected the host key {old.key} from {name} ({old.place}), got {offered}: somebody may be "
        "listening in, or the board was set up anew. If you know it was, compare the new fingerprint with the "
        f"board's own, remove the old line with `ssh-keygen -f {file} -R '{name}'`, and confirm the new key with "
        "`pocketbench device add`."
    )


# kitchen.local,192.0.2.7 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA… comment
# |1|tKZ4uPRkNEGmCWVpBq6BqDqJ1Xg=|0ezTzfyVwG4hQLIyXrbnVA0YyX0= ssh-rsa AAAAB3NzaC1yc2EAAAA…
# @revoked * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA…
def _parse(line: str, name: str, place: str) -> KnownKey | None:
    fields = line.split()
    marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
    if len(fields) < 3 or fields[0].startswith("#") or marker not in {"", _REVOKED, _AUTHORITY}:
        return None
    names, key_type, encoded = fields[:3]
    if not (_is_hashed(names, name) if names.startswith("|") else matches(name, names.split(","))):
        return None
    try:
        return KnownKey(marker, HostKey(key_type, base64.b64decode(encoded, validate=True)), place)
    except binascii.Error:
        return None


def _is_hashed(text: str, name: str) -> bool:
    """Whether `text`, |1|SALT|HASH, is the HMAC-SHA1 of `name`."""
    parts = text.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
