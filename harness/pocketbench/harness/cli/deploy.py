"""`pocketbench deploy`: place a variant on a device, look at what is there, go back, remove."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pocketbench.harness.cli.connection import RecordOption, connected
from pocketbench.harness.cli.output import JsonOption, print_line, print_notice, print_rows, progress_view
from pocketbench.harness.deploy.space import QUOTA_BYTES, megabytes
from pocketbench.harness.home import home_directory

if TYPE_CHECKING:
    from pocketbench.harness.deploy.progress import Progress

__all__ = ["app"]

_PLAIN_INTERVAL_S = 5.0


class _PushByDefault(TyperGroup):
    """`deploy VARIANT` is `deploy push VARIANT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["push", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_PushByDefault,
    help="Deploy variants: `deploy VARIANT --on DEVICE`, then status, rollback, remove.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

On = Annotated[str, typer.Option("--on", help="The device.")]
Name = Annotated[str, typer.Argument(help="The deployment's name: that of the variant.")]


@app.command()
def push(
    variant: Annotated[Path, typer.Argument(help="A variant folder, or a .tflite or .onnx file.")],
    on: On = "local",
    quota_mb: Annotated[
        int, typer.Option("--quota-mb", min=1, help="How much our directory on the device may hold, in MB.")
    ] = QUOTA_BYTES // 1_000_000,
    record: RecordOption = None,
) -> None:
    """Deploy a variant: only what is missing travels, verified there, switched when its golden inference is right.

    Example: pocketbench deploy variants/int8-tflite --on local
    """
    from pocketbench.checked.errors import InputError
    from pocketbench.harness.campaign.variants import load_variant
    from pocketbench.harness.deploy.variant import deploy_variant
    from pocketbench.harness.devices.target import read_target
    from pocketbench.harness.engines.catalogue import engine_for_format
    from pocketbench.harness.engines.supply import ensure_engine
    from pocketbench.harness.runner.binaries import runner_binary

    loaded = load_variant(variant)
    if loaded.file is None:
        raise InputError(f"expected a variant with a file, got {variant}, which failed: see its variant.json.")
    told: list[Progress] = []
    with connected(on, changing=True, record=record) as (device, transport):
        name, target = engine_for_format(loaded.format), read_target(transport)
        engine = ensure_engine(name, target, home=home_directory(), say=print_notice)
        with progress_view(plain_interval_s=_PLAIN_INTERVAL_S) as view:

            def show(progress: Progress) -> None:
                told[:] = [progress]
                view(progress)

            deployed = deploy_variant(
                transport,
                device.directory,
                variant_file=loaded.file,
                golden=loaded.golden,
                rtol=loaded.rtol,
                atol=loaded.atol,
                engine=engine,
                runner=runner_binary(engine.runner_platform),
                name=loaded.name,
                progress=show,
                quota_bytes=quota_mb * 1_000_000,
            )
    sent = told[-1].summary() if told else "nothing to send"
    print_line(f"{deployed.deployment.name} is deployed on {on} in {deployed.deployment.root}: {sent}")


@app.command("status")
def show_status(
    on: On = "local",
    verify: Annotated[bool, typer.Option("--verify", help="Hash every file on the device again.")] = False,
    json: JsonOption = False,
) -> None:
    """List what is deployed on a device.

    Example: pocketbench deploy status --on local --verify
    """
    from pocketbench.harness.deploy import status

    with connected(on, changing=False) as (device, transport):
        rows = status.status(transport, device.directory, verify=verify)
        uncollected = status.uncollected_bytes(transport, device.directory, rows)
    print_rows(
        ("name", "deployment_id", "previous_id", "size_bytes", "problem"),
        [asdict(row) for row in rows],
        as_json=json,
        empty="nothing is deployed",
    )
    if uncollected is not None:
        print_notice(
            f"{on} has no flock, without which nothing is ever removed there: {megabytes(uncollected)} are of no use "
            "any more. Install flock (Debian, Alpine: the package util-linux), and the next deployment removes them; "
            f"or, while nobody deploys, delete {device.directory} there and deploy again."
        )


@app.command()
def rollback(name: Name, on: On = "local") -> None:
    """Go back to the previous deployment of a variant.

    Example: pocketbench deploy rollback int8-tflite --on local
    """
    from pocketbench.harness.deploy import deployment

    with connected(on, changing=True) as (device, transport):
        deployment.rollback(transport, device.directory, name)
    print_line(f"{name} on {on} is the previous deployment again")


@app.command()
def remove(name: Name, on: On = "local") -> None:
    """Remove a variant from a device, with every file that nothing else there needs.

    Example: pocketbench deploy remove int8-tflite --on local
    """
    from pocketbench.harness.deploy import deployment

    with connected(on, changing=True) as (device, transport):
        deployment.remove(transport, device.directory, name)
    print_line(f"removed {name} from {on}")
