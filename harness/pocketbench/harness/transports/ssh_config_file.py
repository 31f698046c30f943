"""What the files of ssh_config(5) say of one host, value by value, as OpenSSH's own reader finds them.

Paramiko has a reader too, but it knows no `Include`. The first value of a keyword wins; `IdentityFile` collects.
Keywords that pocketbench has no use for (ciphers, forwarding, …) are passed over.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path

from pocketbench.checked.errors import InputError

__all__ = ["ConfigValue", "ConfigValues", "expand_home", "matches"]

_KEYWORDS = {
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityfile",
    "port",
    "proxycommand",
    "proxyjump",
    "user",
    "userknownhostsfile",
}
_INCLUDE_DEPTH = 16  # READCONF_MAX_DEPTH of OpenSSH's readconf.c
_EXEC_TIMEOUT_S = 30.0
# `Keyword value`, `Keyword=value`, `Keyword = value`, and quotes around the value.
_LINE = re.compile(r"\s*(?P<keyword>[A-Za-z]+)(?:\s*=\s*|\s+)(?P<rest>.*?)\s*")


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """The arguments of one line, and `place`, which is `FILE:LINE` for messages."""

    arguments: tuple[str, ...]
    place: str


@dataclass(slots=True)
class ConfigValues:
    """Values for the host that the user calls `alias`; `user` and `local_user` are for `Match` lines."""

    alias: str
    user: str | None
    local_user: str
    values: dict[str, list[ConfigValue]] = field(default_factory=dict)
    _final: bool = False
    _wants_final: bool = False

    def read(self, paths: Sequence[Path]) -> None:
        """Take up what `paths` say; one that does not exist says nothing.

        Where a `Match final` line asks for it they are read a second time, as OpenSSH does. InputError for a file that
        cannot be read or understood, with its line.
        """
        self._read_all(paths)
        if self._wants_final:
            self._final = True
            self._read_all(paths)

    def first(self, keyword: str) -> ConfigValue | None:
        """The value that wins; None where there is none."""
        found = self.values.get(keyword)
        return found[0] if found else None

    def _read_all(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if path.exists():
                self._read(path, depth=0)

    def _read(self, path: Path, *, depth: int) -> None:
        in_block = True
        for place, keyword, rest in _lines(path):
            if keyword == "host":
                in_block = matches(self.alias, _split(rest, place))
            elif keyword == "match":
                in_block = self._match(_split(rest, place), place)
            elif in_block and keyword == "include":
                if depth == _INCLUDE_DEPTH:
                    raise InputError(f"{place}: expected at most {_INCLUDE_DEPTH} files that include each other.")
                for pattern in _split(rest, place):
                    for name in sorted(glob(str(path.parent / expand_home(pattern)))):  # noqa: PTH207 - the pattern may be absolute
                        self._read(Path(name), depth=depth + 1)
            elif in_block and keyword in _KEYWORDS:
                self._take(keyword, rest, place)

    def _take(self, keyword: str, rest: str, place: str) -> None:
        arguments = (rest,) if keyword == "proxycommand" else _split(rest, place)
        if not arguments or not arguments[0]:
            raise InputError(f"{place}: expected a value after {keyword!r}, got none.")
        value = ConfigValue(arguments, place)
        # Whichever of the two comes first keeps the other from having an effect (ssh_config(5), ProxyJump).
        keyword = "proxyjump" if keyword == "proxycommand" and "proxyjump" in self.values else keyword
        keyword = "proxycommand" if keyword == "proxyjump" and "proxycommand" in self.values else keyword
        if keyword == "identityfile":
            known = self.values.setdefault(keyword, [])
            known.extend([value] if value not in known else [])
        elif keyword not in self.values:
            self.values[keyword] = [value]

    def _match(self, words: Sequence[str], place: str) -> bool:
        """Whether all criteria of a `Match` line are met; each may be negated with `!`."""
        queue = list(words)
        result = bool(queue)
        while queue:
            criterion = queue.pop(0).lower()
            wanted = not criterion.startswith("!")
            criterion = criterion.removeprefix("!")
            if criterion in {"all", "canonical", "final"}:
                # Names are never canonicalized here, as is ssh's default: what is left of it is the second reading.
                self._wants_final = self._wants_final or criterion == "final"
                met = criterion == "all" or self._final
            elif not queue:
                raise InputError(f"{place}: expected a value after {criterion!r}, got none.")
            else:
                met = self._meets(criterion, queue.pop(0), place)
            result = result and met is wanted
        return result

    def _meets(self, criterion: str, value: str, place: str) -> bool:
        if criterion == "exec":
            return _succeeds(value.replace("%h", self._hostname()).replace("%n", self.alias))
        subjects = {
            "host": self._hostname(),
            "originalhost": self.alias,
            "user": self._user(),
            "localuser": self.local_user,
        }
        if criterion not in subjects:
            raise InputError(
                f"{place}: expected a criterion of Match that pocketbench knows (all, canonical, exec, final, host, "
                f"localuser, originalhost, user), got {criterion!r}: say the same in a Host block."
            )
        return matches(subjects[criterion], value.split(","))

    def _hostname(self) -> str:
        value = self.first("hostname")
        return value.arguments[0].replace("%h", self.alias) if value else self.alias

    def _user(self) -> str:
        value = self.first("user")
        return self.user or (value.arguments[0] if value else self.local_user)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether `name` meets a pattern of `*` and `?` and none of those that start with `!` (ssh_config(5), PATTERNS)."""
    found = False
    for pattern in patterns:
        # fnmatch knows sets in brackets too, ssh does not: an address such as [::1] is no set.
        plain = pattern.removeprefix("!").lower().replace("[", "[[]")
        if fnmatchcase(name.lower(), plain):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def expand_home(text: str) -> str:
    """`~/x` as a path in the user's home folder."""
    return str(Path.home() / text[2:]) if text.startswith("~/") else text


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            f"expected to read ssh's configuration {path}, got: {error.strerror}: make it readable for you."
        ) from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            place = f"{path}:{number}"
            match = _LINE.fullmatch(line)
            if match is None:
                raise InputError(f"{place}: expected a keyword and a value, got {line.strip()[:80]!r}.")
            yield place, match["keyword"].lower(), match["rest"]


def _split(rest: str, place: str) -> tuple[str, ...]:
    try:
        words = shlex.split(rest)
    except ValueError:
        raise InputError(f"{place}: expected every quote to be closed, got {rest[:80]!r}.") from None
    comment = next((i for i, word in enumerate(words) if word.startswith("#")), len(words))
    return tuple(words[:comment])


def _succeeds(command: str) -> bool:
    """The user's own configuration asks for this command, as it does when `ssh` reads it."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=_EXEC_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
