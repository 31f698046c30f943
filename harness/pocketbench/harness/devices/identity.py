"""What a device calls itself, for finding its profile, and where its user may write."""

from __future__ import annotations

from pathlib import PurePosixPath

from pocketbench.harness.devices.parsers import clean_text
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.base import Transport

__all__ = ["home_directory_there", "read_properties"]

_TIMEOUT_S = 30.0
_COMPATIBLE = "/sys/firmware/devicetree/base/compatible"  # what /proc/device-tree links to
_MOST_STRINGS = 20


def read_properties(transport: Transport) -> dict[str, tuple[str, ...]]:
    """By the names that device profiles use (IdentityRule); what the device does not say is left out."""
    tree = transport.run(("cat", _COMPATIBLE), timeout_s=_TIMEOUT_S)
    model = transport.run(("getprop", "ro.product.model"), timeout_s=_TIMEOUT_S)
    found = {}
    if tree.exit_code == 0:  # strings that each end in NUL (Devicetree Specification, 2.3.1)
        found["device-tree-compatible"] = _texts(tree.stdout.split(b"\0")[:_MOST_STRINGS])
    if model.exit_code == 0:
        found["ro.product.model"] = _texts([model.stdout])
    return {name: texts for name, texts in found.items() if texts}


def home_directory_there(transport: Transport) -> PurePosixPath:
    """The home directory of the user we are on the device; TransportError where there is none."""
    completed = transport.run(("sh", "-c", "cd && pwd"), timeout_s=_TIMEOUT_S)
    text = completed.stdout.decode(errors="replace").removesuffix("\n")
    if completed.exit_code != 0 or not text.startswith("/") or not text.isprintable():
        raise TransportError(
            f"{transport.address}: expected the user's home directory, got {text[:200]!r}: say where pocketbench may "
            "keep its files there with --directory."
        )
    return PurePosixPath(text)


def _texts(parts: list[bytes]) -> tuple[str, ...]:
    return tuple(text for part in parts if (text := clean_text(part.decode(errors="replace"))))
