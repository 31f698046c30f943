"""`pocketbench`: the commands, and how an error becomes a sentence and an exit code.

Exit codes: 0 done, 1 the answer is no, 2 bad usage or input, 3 a device failed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pocketbench.checked.errors import PocketbenchError
from pocketbench.harness.cli import bench, compare, compress, demo, deploy, device, engine, recipe, report, results, run

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    name="pocketbench",
    help="Which variant of my neural network should run on this device, and why? Answered by measuring there.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo.demo)
app.add_typer(device.app, name="device")
app.command()(compress.compress)
app.add_typer(deploy.app, name="deploy")
app.command()(bench.bench)
app.command()(run.run)
app.add_typer(results.app, name="results")
app.command()(compare.compare)
app.command()(report.report)
app.add_typer(engine.app, name="engine")
app.add_typer(recipe.app, name="recipe")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"pocketbench {metadata.version('pocketbench')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Which variant of my neural network should run on this device, and why? Answered by measuring there."""


def main() -> None:
    """Run the command line; the entry point of the `pocketbench` script."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before ONNX Runtime starts, here or in a child process
    try:
        app()
    except PocketbenchError as error:
        sys.stderr.write(f"pocketbench: {error}\n")
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # Typer makes this of KeyboardInterrupt
            sys.stderr.write(
                "pocketbench: interrupted; launches that were measured are kept (`pocketbench results list`), and "
                "`pocketbench run PLAN --resume` goes on.\n"
            )
        raise
