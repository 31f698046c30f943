"""`pocketbench device`: which devices there are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pocketbench.harness.cli import scan
from pocketbench.harness.cli.connection import RecordOption, connected, device_registry
from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_notice, print_rows
from pocketbench.harness.home import home_directory

__all__ = ["app"]

app = typer.Typer(help="Register, list, check and remove devices.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The device's registered name.")]

profile_app = typer.Typer(help="Write device profiles.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(profile_app, name="profile")


@profile_app.callback()
def profile_options() -> None:
    """Write device profiles."""


@profile_app.command()
def draft(
    name: Name,
    profile: Annotated[str | None, typer.Option(help="The profile's name; default: made of the model.")] = None,
) -> None:
    """Print a profile with what a device says of itself, to be completed and contributed.

    Example: pocketbench device profile draft kitchen-pi > my-board.yaml
    """
    from datetime import UTC, datetime

    from pocketbench.device_profiles.draft import profile_slug
    from pocketbench.harness.devices.identity import read_identity
    from pocketbench.harness.devices.profile_draft import draft_for
    from pocketbench.harness.store.versions import pocketbench_version

    with connected(name, changing=False) as (device, transport):
        identity = read_identity(transport, device.directory)
    chosen = profile or profile_slug(identity.facts.model or name)
    today = datetime.now(UTC).date()
    text = draft_for(identity, name=chosen, pocketbench_version=pocketbench_version(), measured_on=today)
    print_line(text.removesuffix("\n"))


app.command()(scan.scan)


@app.command()
def add(
    address: Annotated[
        str,
        typer.Argument(help="ssh://user@host:port, adb://SERIAL, adb+tcp://host:port, or local: for this computer."),
    ],
    name: Annotated[str, typer.Option(help="The name that plans and commands use.")],
    profile: Annotated[
        str | None, typer.Option(help="Device profile (docs/device-profiles.md); default: the generic one of its kind.")
    ] = None,
    directory: Annotated[
        str | None,
        typer.Option(help="Directory on the device that pocketbench may use; default: pocketbench in the home there."),
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="SHA256:… of the SSH host key, where nobody is there to confirm it.")
    ] = None,
) -> None:
    """Reach a device and register it. The host key of a new SSH host is shown, and trusted once you confirm it.

    Example: pocketbench device add ssh://pi@kitchen.local --name kitchen-pi
    """
    from pocketbench.harness.cli.registration import register

    what = register(address, name, profile=profile, directory=directory, fingerprint=fingerprint)
    print_line(f"registered {name} at {address}: {what}")


@app.command("list")
def list_devices(json: JsonOption = False) -> None:
    """List the registered devices; `local`, this computer, is always there.

    Example: pocketbench device list --json
    """
    rows = [asdict(device) for device in device_registry().list()]
    print_rows(("name", "address", "profile", "directory"), rows, as_json=json, empty="no devices")


@app.command()
def show(name: Name, json: JsonOption = False, record: RecordOption = None) -> None:
    """Show what is known about a device: what it says itself and what its profile says.

    Example: pocketbench device show local
    """
    from pocketbench.device_profiles.loader import load_profile
    from pocketbench.harness.devices.identity import read_identity
    from pocketbench.harness.devices.serial import identity_salt

    salt = identity_salt(home_directory())
    with connected(name, changing=False, record=record) as (device, transport):
        facts = read_identity(transport, device.directory, salt=salt).summary()
    profile = load_profile(device.profile)
    if json:
        print_json({"device": asdict(device), "facts": facts, "profile": profile.model_dump(mode="json")})
        return
    known = {**asdict(device), **facts}
    rows = [{"fact": key, "value": "not known" if value is None else value} for key, value in known.items()]
    rows += [{"fact": "quirk", "value": quirk} for quirk in profile.quirk_texts()]
    print_rows(("fact", "value"), rows, as_json=False, empty="")


@app.command()
def check(name: Name, json: JsonOption = False, record: RecordOption = None) -> None:
    """Ask a device whether what is measured on it can be trusted: a row per question, with what mends it.

    Example: pocketbench device check kitchen-pi
    """
    from pocketbench.device_profiles.loader import load_profile
    from pocketbench.harness.checkup.device import check_device, exit_code
    from pocketbench.harness.devices.target import read_target
    from pocketbench.harness.engines.supply import ensure_engine
    from pocketbench.harness.preparation.holder import this_holder

    rows = []
    with connected(name, changing=True, record=record) as (device, transport):
        for row in check_device(
            device,
            transport,
            load_profile(device.profile),
            holder=this_holder(home_directory()),
            engines=lambda engine: ensure_engine(
                engine, read_target(transport), home=home_directory(), say=print_notice
            ),
        ):
            rows.append(row)
            if not json:
                print_line(_check_line(row.status, row.question, row.found, row.remedy))
    if json:
        print_json([asdict(row) for row in rows])
    if code := exit_code(rows):
        raise typer.Exit(code)


def _check_line(status: str, question: str, found: str, remedy: str | None) -> str:
    return f"{status:10}{question}: {found}" + (f"\n{'':10}{remedy}" if remedy else "")


@app.command()
def remove(name: Name) -> None:
    """Forget a device. What was measured on it stays in the store.

    Example: pocketbench device remove bench-pc
    """
    device_registry().remove(name)
    print_line(f"removed {name}")
