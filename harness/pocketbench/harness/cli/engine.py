"""`pocketbench engine`: which builds of the inference libraries there are."""

from __future__ import annotations

import typer

from pocketbench.harness.cli.output import JsonOption, print_rows

__all__ = ["app"]

app = typer.Typer(help="List inference engines.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def options() -> None:
    """List inference engines."""


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
