"""`pocketbench engine`: which builds of the inference libraries there are."""

from __future__ import annotations

from typing import Annotated

import typer

from pocketbench.harness.cli.output import JsonOption, print_line, print_notice, print_rows

__all__ = ["app"]

app = typer.Typer(help="List and fetch inference engines.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def fetch(
    platform: Annotated[str, typer.Argument(help="linux-aarch64, linux-x86_64, android-arm64 or android-x86_64.")],
) -> None:
    """Fetch the engines for a kind of device, so that later commands need no network.

    Commands that measure fetch what they need by themselves. Example: pocketbench engine fetch linux-aarch64
    """
    from pocketbench.harness.engines.supply import fetch_platform
    from pocketbench.harness.home import home_directory

    for build in fetch_platform(platform, home=home_directory(), say=print_notice):
        print_line(build.engine_id)


@app.command("list")
def list_engines(json: JsonOption = False) -> None:
    """List the engine builds that can run a variant, with version and sha256.

    Example: pocketbench engine list
    """
    from pocketbench.checked.errors import InputError
    from pocketbench.harness.engines.catalogue import DISPLAY_NAMES, ENGINE_NAMES, local_engine

    rows = []
    for name in ENGINE_NAMES:
        try:
            build = local_engine(name)
        except InputError as error:
            rows.append({"engine": DISPLAY_NAMES[name], "version": f"not available: {error}"})
        else:
            rows.append(
                {
                    "engine": DISPLAY_NAMES[name],
                    "version": build.version,
                    "platform": build.platform,
                    "sha256": build.sha256,
                    "library": str(build.library),
                }
            )
    print_rows(("engine", "version", "platform", "sha256"), rows, as_json=json, empty="no engines")
