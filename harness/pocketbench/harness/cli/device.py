"""`pocketbench device`: which devices there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_rows

if TYPE_CHECKING:
    from pocketbench.harness.devices.registry import Registry

__all__ = ["app"]

app = typer.Typer(help="Register, list and remove devices.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The device's registered name.")]


def _registry() -> Registry:
    from pocketbench.harness.devices.registry import Registry
    from pocketbench.harness.home import home_directory

    return Registry(home_directory() / "devices.yaml")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="`local:` for this computer.")],
    name: Annotated[str, typer.Option(help="The name that plans and commands use.")],
    profile: Annotated[
        str | None, typer.Option(help="Device profile (docs/device-profiles.md); default: the generic one of its kind.")
    ] = None,
    directory: Annotated[str | None, typer.Option(help="Directory on the device that pocketbench may use.")] = None,
) -> None:
    """Register a device.

    Example: pocketbench device add local: --name bench-pc --directory /var/tmp/pocketbench
    """
    from pocketbench.harness.devices.registry import new_device

    device = new_device(name=name, address=address, profile=profile, directory=directory)
    _registry().add(device)
    print_line(f"registered {device.name} at {device.address}")


@app.command("list")
def list_devices(json: JsonOption = False) -> None:
    """List the registered devices; `local`, this computer, is always there.

    Example: pocketbench device list --json
    """
    rows = [asdict(device) for device in _registry().list()]
    print_rows(("name", "address", "profile", "directory"), rows, as_json=json, empty="no devices")


@app.command()
def show(name: Name, json: JsonOption = False) -> None:
    """Show what is known about a device: what it says itself and what its profile says.

    Example: pocketbench device show local
    """
    from pocketbench.device_profiles.loader import load_profile
    from pocketbench.harness.devices.connect import open_transport
    from pocketbench.harness.devices.facts import read_facts

    device = _registry().get(name)
    with open_transport(device) as transport:
        facts = asdict(read_facts(transport))
    profile = load_profile(device.profile)
    if json:
        print_json({"device": asdict(device), "facts": facts, "profile": profile.model_dump(mode="json")})
        return
    known = {**asdict(device), **facts}
    rows = [{"fact": key, "value": "not known" if value is None else value} for key, value in known.items()]
    rows += [{"fact": "quirk", "value": quirk} for quirk in profile.quirk_texts()]
    print_rows(("fact", "value"), rows, as_json=False, empty="")


@app.command()
def remove(name: Name) -> None:
    """Forget a device. What was measured on it stays in the store.

    Example: pocketbench device remove bench-pc
    """
    _registry().remove(name)
    print_line(f"removed {name}")
