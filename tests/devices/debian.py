"""Files out of Debian packages, without installing any: apt with a root of its own, dpkg-deb to unpack.

The mirror, and the keys that it is checked with, are those of this computer's own apt sources.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.needs import require_path, require_program, require_that

__all__ = ["unpack_packages"]

_TIMEOUT_S = 300.0
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_INSTALL_KEYRING = "apt-get install debian-archive-keyring"
# apt.conf(5). No package counts as installed, so apt finds everything that the wanted ones need.
_SETTINGS = """\
Dir "{root}";
Dir::State::status "{root}/status";
APT::Architecture "{architecture}";
APT::Architectures {{"{architecture}";}};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
"""


def unpack_packages(
    packages: Sequence[str], architecture: str, target: Path, work: Path, *, release: str | None = None, needed: bool
) -> None:
    """Unpack `packages` into `target`, with all that they depend on where `needed`; `work` may be removed afterwards.

    `release` is Debian's name of another release than this computer's. Skips the test where there is no such mirror.
    """
    for program in ("apt-get", "dpkg-deb"):
        require_program(program, "apt-get install apt dpkg, on Debian or a system that has them")
    require_path(_KEYRING, _INSTALL_KEYRING)
    root = work.resolve() / "apt"
    for folder in ("etc/apt", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").write_text("")
    (root / "apt.conf").write_text(_SETTINGS.format(root=root, architecture=architecture))
    (root / "etc/apt/sources.list").write_text("".join(_sources(release)))
    environment = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    verb = ["install", "--download-only", "--yes"] if needed else ["download"]
    archives = root / "var/cache/apt/archives"
    for arguments in (["update", "--error-on=any"], [*verb, *packages]):
        completed = subprocess.run(
            ["apt-get", "--quiet=2", *arguments],
            cwd=archives,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        require_that(
            completed.returncode == 0,
            f"expected Debian's packages {', '.join(packages)} for {architecture} from this computer's mirror, got: "
            f"{completed.stderr.strip()[-500:]}",
        )
    target.mkdir(parents=True, exist_ok=True)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", archive, target], check=True)


def _sources(release: str | None) -> list[str]:
    """One line of sources.list(5) for each of this computer's lists of Debian, or for `release`."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(LABEL)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = {tuple(line.split()) for line in listed if line.endswith((" Debian", " Debian-Security"))}
    chosen = {
        (uri, release or name, component)
        for uri, name, component, label in found
        if component == "main" and (release is None or label == "Debian")
    }
    require_that(bool(chosen), "expected Debian among this computer's apt sources, got none: run `apt-get update`")
    return [f"deb [signed-by={_KEYRING}] {uri} {name} {component}\n" for uri, name, component in sorted(chosen)]
