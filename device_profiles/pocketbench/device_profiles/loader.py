"""Load device profiles: the ones that come with pocketbench (`data/*.yaml`) by name, a user's own by path."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from pocketbench.checked.errors import InputError, nearest
from pocketbench.checked.yaml import load_yaml, parse_yaml
from pocketbench.device_profiles.schema import DeviceProfile

__all__ = ["DeviceProfile", "load_profile", "load_profile_file", "profile_names"]


@cache
def profile_names() -> list[str]:
    """Names of the profiles that come with pocketbench, sorted."""
    entries = files("pocketbench.device_profiles").joinpath("data").iterdir()
    return sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml"))


def load_profile(name: str) -> DeviceProfile:
    """The profile called `name`; InputError with the nearest names where there is none."""
    if name not in profile_names():
        raise InputError(f"expected the name of a device profile, got {name!r}; {nearest(name, profile_names())}.")
    resource = files("pocketbench.device_profiles").joinpath("data", f"{name}.yaml")
    profile = parse_yaml(resource.read_text(encoding="utf-8"), DeviceProfile, source=str(resource))
    _check_name(profile, name, str(resource))
    return profile


def load_profile_file(path: Path) -> DeviceProfile:
    """A profile from a file of the user's; its name must be that of the file."""
    if path.suffix != ".yaml":
        raise InputError(f"expected a device profile with the ending .yaml, got {str(path)!r}.")
    profile = load_yaml(path, DeviceProfile)
    _check_name(profile, path.stem, str(path))
    return profile


def _check_name(profile: DeviceProfile, expected: str, source: str) -> None:
    if profile.name != expected:
        raise InputError(
            f"{source}: expected the name {expected!r} as the file is called, got {profile.name!r}: "
            "rename the file or correct the key 'name'."
        )
