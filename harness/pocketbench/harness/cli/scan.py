"""`pocketbench device scan`: what could be measured on, and each of it registered with a keypress."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pocketbench.checked.errors import InputError, PocketbenchError
from pocketbench.harness.cli.connection import device_registry
from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_notice, print_rows

if TYPE_CHECKING:
    from pocketbench.harness.devices.sighting import FoundDevice

__all__ = ["scan"]

_SSH = "ssh://"
_NAME_CHARACTERS = 40
_NOTHING = "nothing found: plug a phone in, or name a device with `pocketbench device add ADDRESS --name NAME`"


@dataclass(slots=True)
class _Offer:
    """A device that was found and what becomes of it; `name` is the one to propose."""

    device: FoundDevice
    name: str
    failure: PocketbenchError | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be registered, and was not yet tried."""
        return self.device.can_be_added and self.failure is None

    @property
    def is_board(self) -> bool:
        """Whether it has a host key, which only the user can trust."""
        return (self.device.address or "").startswith(_SSH)

    def command(self) -> str:
        """What registers it."""
        command = f"pocketbench device add {shlex.quote(self.device.address or '')} --name {shlex.quote(self.name)}"
        return f"{command} --fingerprint SHA256:…" if self.is_board else command

    def row(self) -> dict[str, Any]:
        """For JSON."""
        to_do = str(self.failure) if self.failure else self.command() if self.is_open else self.device.to_do
        return {
            "address": self.device.address,
            "what": self.device.what,
            "found_by": self.device.found_by,
            "registered": self.device.registered,
            "can_be_added": self.is_open,
            "name": self.name if self.is_open else None,
            "to_do": to_do,
        }


def scan(
    add: Annotated[
        bool, typer.Option("--add", help="Register what is found without asking, but for host keys, which you confirm.")
    ] = False,
    json: JsonOption = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=600.0, help="Seconds to listen to what announces itself in the network.")
    ] = 3.0,
) -> None:
    """Look for phones and boards on USB, at the adb server and in the network; at a terminal, offer to register them.

    Example: pocketbench device scan
    """
    from pocketbench.harness.devices.scan import look_around

    asking = _at_a_terminal() and not json
    if asking:
        print_notice(f"looking for phones and boards on USB, at the adb server, and for {timeout:g} s in the network")
    result = look_around(device_registry().list, timeout_s=timeout)
    offers = _offers(result.found)
    if not json:
        _show(offers, result.problems, numbered=asking and not add)
    if add:
        # A board is only met where somebody is there to confirm its key.
        for offer in offers:
            if offer.is_open and (asking or not offer.is_board):
                _register(offer, offer.device.address or "", offer.name, say=print_notice if json else print_line)
    elif asking:
        _offer_each([offer for offer in offers if offer.is_open])
    if json:
        print_json({"devices": [offer.row() for offer in offers], "problems": result.problems})
    elif not asking:
        for offer in offers:
            if offer.is_open:
                print_line(offer.command())
    if failures := [offer.failure.exit_code for offer in offers if offer.failure is not None]:
        raise typer.Exit(max(failures))


def _offers(found: Sequence[FoundDevice]) -> list[_Offer]:
    from pocketbench.device_profiles.draft import profile_slug

    taken = {name.casefold() for device in found for name in device.registered} | {"local"}
    offers = []
    for device in found:
        stem = profile_slug(device.name_hint or "")[:_NAME_CHARACTERS].rstrip("-")
        names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
        name = next(name for name in names if name not in taken)
        if device.can_be_added:
            taken.add(name)
        offers.append(_Offer(device, name))
    return offers


def _show(offers: Sequence[_Offer], problems: dict[str, str], *, numbered: bool) -> None:
    for source, problem in problems.items():
        print_notice(f"{source}: {problem}")
    rows = [
        {
            "number": number if offer.is_open else None,
            "address": offer.device.address,
            "what": offer.device.what,
            "found_by": ", ".join(offer.device.found_by),
            "registered": ", ".join(offer.device.registered),
        }
        for number, offer in enumerate(offers, start=1)
    ]
    columns = ("address", "what", "found_by", "registered")
    print_rows(("number", *columns) if numbered else columns, rows, as_json=False, empty=_NOTHING)
    for offer in offers:
        if offer.device.to_do is not None:
            print_line(offer.device.to_do)


def _register(offer: _Offer, address: str, name: str, *, say: Callable[[str], None]) -> None:
    """Register a device; what is in the way is told and kept, and the others have their turn."""
    from pocketbench.harness.cli.registration import register

    try:
        what = register(address, name, profile=None, directory=None, fingerprint=None)
    except PocketbenchError as error:
        offer.failure = error
        print_notice(f"pocketbench: {error}")
    else:
        offer.device = replace(offer.device, address=address, registered=(name,))
        say(f"registered {name} at {address}: {what}")


def _offer_each(offers: Sequence[_Offer]) -> None:
    """Those that can be registered come first in the table, so their numbers are 1, 2, 3, …"""
    waiting = dict(enumerate(offers, start=1))
    one_key = len(offers) < 10
    while waiting:
        number = min(waiting)
        question = f"Register {number}, {waiting[number].device.address}? (y, n, another number, q)"
        answer = _ask_key(question) if one_key else typer.prompt(question, prompt_suffix=" ", err=True).strip().lower()
        if answer == "q":
            return
        if answer == "n":
            del waiting[number]
        chosen = number if answer == "y" else int(answer) if answer.isascii() and answer.isdigit() else 0
        if chosen in waiting:
            _register_by_name(waiting.pop(chosen))


def _ask_key(question: str) -> str:
    """The key that is pressed, without Enter; "q" where there is no terminal any more."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    try:
        key = typer.getchar()[:1].lower() or "q"
    except EOFError:
        key = "q"
    print_notice(key if key.isprintable() else "")
    return key


@contextmanager
def _told_again() -> Iterator[None]:
    """Where the input is not good, typer says why and asks again."""
    try:
        yield
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _register_by_name(offer: _Offer) -> None:
    """Let the user choose the name, and for a board the user there."""
    address = offer.device.address or ""

    def checked_name(text: str) -> str:
        from pocketbench.harness.devices.registry import ANDROID_DIRECTORY, new_device

        with _told_again():
            device_registry().check_free(new_device(text, address, directory=str(ANDROID_DIRECTORY)))
        return text

    def checked_user(text: str) -> str:
        from pocketbench.harness.devices.address import parse_address

        whole = f"{_SSH}{text}@{address.removeprefix(_SSH)}" if text else address
        with _told_again():
            parse_address(whole)
        return whole

    name = typer.prompt("Name", default=offer.name, value_proc=checked_name, err=True)
    if offer.is_board:
        text = "User there (Enter: as ~/.ssh/config says, or your own)"
        address = typer.prompt(text, default="", show_default=False, value_proc=checked_user, err=True)
    _register(offer, address, name, say=print_line)
