"""Small libraries that export what is asked, for any platform, built with the compiler that builds the runner.

Nothing in them works: they are there to be looked at. Each is linked with a C library that has one function, `malloc`,
under the symbol version of the real one.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pocketbench.harness.engines.interface import REQUIRED

__all__ = ["CLASSIC", "EXPORTS", "aar", "build_library"]

EXPORTS: dict[str, tuple[str, ...]] = dict(REQUIRED)  # type: ignore[arg-type]
CLASSIC = ("TfLiteInterpreterCreate", "TfLiteModelCreate")
_ZIG = (sys.executable, "-m", "ziglang")
_MACHINES = {"aarch64": "aarch64-linux-musl", "riscv64": "riscv64-linux-musl", "x86_64": "x86_64-linux-musl"}
# C library: its name, and the version of its symbols
_LIBCS: dict[str, tuple[str, str | None] | None] = {
    "bionic": ("libc.so", "LIBC"),
    "bionic of Android 15": ("libc.so", "LIBC_V"),
    "glibc": ("libc.so.6", "GLIBC_2.17"),
    "glibc of the future": ("libc.so.6", "GLIBC_2.99"),
    "musl": ("libc.so", None),
    "none": None,
}


def build_library(
    path: Path,
    exports: Sequence[str],
    *,
    machine: str = "x86_64",
    libc: str = "glibc",
    needs: Sequence[str] = (),
    imports: Sequence[str] = (),
    version: str | None = None,
    pages: int = 16384,
) -> Path:
    """A library at `path`. `needs` are names beside the C library's, `version` is that of its own symbols, `imports`
    are functions that it calls and does not have.

    `libc` is a key of _LIBCS.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scrap = path.parent / f".{path.name}.parts"
    scrap.mkdir()
    wanted = _LIBCS[libc]
    text = "".join(f"int {name}(void) {{ return 0; }}\n" for name in exports)
    text += "".join(f"int {name}(void); int uses_{name}(void) {{ return {name}(); }}\n" for name in imports)
    if wanted is not None:
        text += "extern void *malloc(unsigned long);\nvoid *uses_libc(void) { return malloc(1); }\n"
    linked = [] if wanted is None else [_stub(scrap, machine, *wanted)]
    linked += [_stub(scrap, machine, name, None) for name in needs]
    options = ["-z", f"max-page-size={pages}", "-z", f"common-page-size={pages}", "--no-as-needed"]
    _link(scrap, machine, path, text, [*options, *map(str, linked)], version)
    return path


def aar(path: Path, members: Mapping[str, Path | bytes]) -> Path:
    """A zip file with these members, and the manifest that every .aar has."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AndroidManifest.xml", '<manifest package="org.example"/>')
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes) else content.read_bytes())
    return path


def _stub(scrap: Path, machine: str, name: str, version: str | None) -> Path:
    function = "malloc" if name.startswith("libc.so") else "other"
    folder = scrap / f"stub-{name}"
    folder.mkdir()
    return _link(folder, machine, folder / name, f"void {function}(void) {{}}\n", [], version)


def _link(scrap: Path, machine: str, target: Path, text: str, options: Sequence[str], version: str | None) -> Path:
    source, compiled, script = scrap / "source.c", scrap / "compiled.o", scrap / "versions"
    source.write_text(text)
    flags = ("-target", _MACHINES[machine], "-fno-sanitize=all", "-fno-builtin", "-w", "-O1", "-fPIC")
    subprocess.run([*_ZIG, "cc", *flags, "-c", "-o", compiled, source], check=True)
    if version is not None:
        script.write_text(f"{version} {{ global: *; }};\n")
        options = [*options, "--version-script", str(script)]
    subprocess.run(
        [*_ZIG, "ld.lld", "-shared", "-soname", target.name, "--hash-style=gnu", *options, "-o", target, compiled],
        check=True,
    )
    return target
