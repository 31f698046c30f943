"""How a host is reached by ssh: what the address says, else what ssh's configuration says, else ssh's defaults."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.ssh_config_file import ConfigValue, ConfigValues, expand_home

__all__ = ["SshHost", "find_route"]

_JUMPS = 8  # a longer chain is a circle
_PORT = 22
# `user@host:port`, `ssh://user@host:port`, `[::1]:22`
_JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<six>[0-9A-Fa-f:.%A-Za-z]+)\]|(?P<host>[^\[\]:@/]+))"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)


@dataclass(frozen=True, slots=True)
class SshHost:
    """One host on the way. `alias` is what the user calls it, `hostname` what is looked up in the network.

    `identity_files` are those of the configuration; None where it names none and the usual ones are tried.
    `proxy_jump` are the hosts in between, the first one nearest to us.
    """

    alias: str
    hostname: str
    port: int
    user: str
    identity_files: tuple[Path, ...] | None
    identities_only: bool
    host_key_alias: str | None
    known_hosts_files: tuple[Path, ...]
    proxy_command: str | None
    proxy_jump: tuple[tuple[str, str | None, int | None], ...]

    @property
    def place(self) -> str:
        """`user@host:port` for messages."""
        host = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return f"{self.user}@{host}:{self.port}"

    @property
    def key_name(self) -> str:
        """By what name known_hosts files know it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        if self.host_key_alias is not None:
            return self.host_key_alias.lower()
        name = self.hostname.lower()
        return name if self.port == _PORT else f"[{name}]:{self.port}"


def find_route(files: Sequence[Path], host: str, user: str | None, port: int | None) -> tuple[SshHost, ...]:
    """The hosts to connect to, one through the other: jump hosts first, the target last.

    InputError where the configuration cannot be used.
    """
    return _route(files, (host, user, port), None, _JUMPS)


def _route(
    files: Sequence[Path],
    target: tuple[str, str | None, int | None],
    jumps: tuple[tuple[str, str | None, int | None], ...] | None,
    left: int,
) -> tuple[SshHost, ...]:
    if left < 0:
        raise InputError(f"expected at most {_JUMPS} jump hosts to {target[0]!r}, got more: is ProxyJump a circle?")
    host = _look_up(files, *target)
    # The last jump host is the one that reaches the target; those before it lead there (OpenSSH's parse_jump()).
    # A host that is its own jump host (`Host *` names it) is reached directly.
    through = host.proxy_jump if jumps is None else jumps
    if not through or through[-1][0] == target[0]:
        return (host,)
    before = _route(files, through[-1], through[:-1] or None, left - 1)
    return (*before, replace(host, proxy_command=None))


def _look_up(files: Sequence[Path], alias: str, user: str | None, port: int | None) -> SshHost:
    local_user = getpass.getuser()
    values = ConfigValues(alias, user, local_user)
    values.read(files)
    hostname = _text(values.first("hostname"), alias).replace("%%", "%").replace("%h", alias)
    user = user or _text(values.first("user"), local_user)
    port = port or _port(values.first("port"))
    key_alias = values.first("hostkeyalias")
    tokens = {
        "d": str(Path.home()),
        "h": hostname,
        "i": str(os.getuid()),
        "k": key_alias.arguments[0] if key_alias else alias,
        "L": socket.gethostname().split(".")[0],
        "l": socket.gethostname(),
        "n": alias,
        "p": str(port),
        "r": user,
        "u": local_user,
    }
    identities = values.values.get("identityfile")
    command = values.first("proxycommand")
    return SshHost(
        alias=alias,
        hostname=hostname,
        port=port,
        user=user,
        identity_files=None if identities is None else tuple(p for v in identities for p in _paths(v, tokens)),
        identities_only=_text(values.first("identitiesonly"), "no").lower() in {"yes", "true"},
        host_key_alias=key_alias.arguments[0] if key_alias else None,
        known_hosts_files=(
            *_files(values, "userknownhostsfile", ("~/.ssh/known_hosts", "~/.ssh/known_hosts2"), tokens),
            *_files(values, "globalknownhostsfile", ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"), tokens),
        ),
        proxy_command=None if command is None or _none(command) else _expand(command.arguments[0], command, tokens),
        proxy_jump=_jumps(values.first("proxyjump")),
    )


def _text(value: ConfigValue | None, default: str) -> str:
    return value.arguments[0] if value else default


def _none(value: ConfigValue) -> bool:
    return value.arguments[0].lower() == "none"


def _port(value: ConfigValue | None) -> int:
    if value is None:
        return _PORT
    text = value.arguments[0]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise InputError(f"{value.place}: expected a port from 1 to 65535, got {text!r}.")
    return int(text)


def _files(values: ConfigValues, keyword: str, default: Sequence[str], tokens: dict[str, str]) -> tuple[Path, ...]:
    value = values.first(keyword)
    if value is None:
        return tuple(Path(expand_home(text)) for text in default)
    return () if _none(value) else _paths(value, tokens)


def _paths(value: ConfigValue, tokens: dict[str, str]) -> tuple[Path, ...]:
    if _none(value):
        return ()
    return tuple(Path(expand_home(_expand(text, value, tokens))) for text in value.arguments)


def _expand(text: str, value: ConfigValue, tokens: dict[str, str]) -> str:
    """Fill in %-tokens and, as OpenSSH does in paths, `${NAME}` from the environment."""

    def token(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1] not in tokens:
            known = ", ".join(f"%{name}" for name in tokens)
            raise InputError(f"{value.place}: expected one of the tokens {known}, got {match[0]!r}.")
        return tokens[match[1]]

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise InputError(f"{value.place}: expected the environment variable {match[1]} to be set, it is not.")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", variable, re.sub(r"%(.?)", token, text))


def _jumps(value: ConfigValue | None) -> tuple[tuple[str, str | None, int | None], ...]:
    if value is None or _none(value):
        return ()
    jumps = []
    for text in value.arguments[0].split(","):
        match = _JUMP.fullmatch(text.strip())
        if match is None or not 1 <= int(match["port"] or _PORT) <= 65535:
            raise InputError(f"{value.place}: expected jump hosts like user@host:port, got {text!r}.")
        jumps.append((match["six"] or match["host"], match["user"], int(match["port"]) if match["port"] else None))
    return tuple(jumps)
