"""`pocketbench engine`: which builds of the inference libraries there are, and builds that the user brings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pocketbench.harness.cli.output import JsonOption, print_line, print_notice, print_rows

__all__ = ["app"]

app = typer.Typer(help="List, fetch, add and remove inference engines.", no_args_is_help=True, rich_markup_mode=None)

_PLATFORMS = "linux-aarch64, linux-x86_64, android-arm64 or android-x86_64"


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A library (.so), or an .aar that has one.")],
    engine: Annotated[
        str | None, typer.Option("--engine", help="litert or onnxruntime, where the file has both.")
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            help=f"{_PLATFORMS}; else what it is built for. A Linux build with glibc serves Android too.",
        ),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="Its version, where the file does not say it.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of one added before.")] = False,
) -> None:
    """Add an engine build of your own: it is checked, kept, and used for its platform from then on.

    Example: pocketbench engine add libonnxruntime.so --platform android-arm64
    """
    from pocketbench.harness.engines.adding import add_engine
    from pocketbench.harness.engines.supply import engines_folder
    from pocketbench.harness.home import home_directory

    cache = engines_folder(home_directory())
    for build in add_engine(
        file, cache=cache, engine=engine, platform=platform, version=version, replace=replace, say=print_notice
    ):
        print_line(build.engine_id)


@app.command()
def fetch(platform: Annotated[str, typer.Argument(help=f"{_PLATFORMS}.")]) -> None:
    """Fetch the engines for a kind of device, so that later commands need no network.

    Commands that measure fetch what they need by themselves. Example: pocketbench engine fetch linux-aarch64
    """
    from pocketbench.harness.engines.supply import fetch_platform
    from pocketbench.harness.home import home_directory

    for build in fetch_platform(platform, home=home_directory(), say=print_notice):
        print_line(build.engine_id)


@app.command("list")
def list_engines(json: JsonOption = False) -> None:
    """List the engine builds: of this computer, added, fetched, and those that can be fetched.

    `used for` has the platforms whose devices get a build. Example: pocketbench engine list
    """
    from pocketbench.harness.engines.catalogue import DISPLAY_NAMES
    from pocketbench.harness.engines.inventory import list_builds
    from pocketbench.harness.engines.supply import engines_folder
    from pocketbench.harness.home import home_directory

    builds, missing = list_builds(engines_folder(home_directory()))
    rows = [
        {
            "engine": DISPLAY_NAMES[build.name],
            "version": build.version,
            "platform": build.platform,
            "source": build.source,
            "libc": build.libc,
            "sha256": build.sha256,
            "size_mb": round(build.size_bytes / 1e6, 1),
            "size_bytes": build.size_bytes,
            "used_for": list(build.used_for) if json else ", ".join(build.used_for),
            "engine_id": build.engine_id,
            "library": None if build.library is None else str(build.library),
        }
        for build in builds
    ]
    columns = ("engine", "version", "platform", "source", "libc", "size_mb", "used_for", "engine_id")
    print_rows(columns, rows, as_json=json, empty="no engines")
    for reason in missing:
        print_notice(reason)


@app.command()
def remove(
    engine_id: Annotated[str, typer.Argument(help="As `pocketbench engine list` calls the build.")],
) -> None:
    """Remove a build that was added or fetched; what was measured with it stays.

    Example: pocketbench engine remove onnxruntime-1.32.0-android-arm64+added-49852228a939
    """
    from pocketbench.harness.engines.inventory import remove_build
    from pocketbench.harness.engines.supply import engines_folder
    from pocketbench.harness.home import home_directory

    remove_build(engine_id, engines_folder(home_directory()))
    print_line(f"removed {engine_id}")
