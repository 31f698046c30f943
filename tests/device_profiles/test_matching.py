"""A device's profile is found by what it says of itself, or the generic one of its platform serves."""

from __future__ import annotations

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.device_profiles import matching
from pocketbench.device_profiles.loader import load_profile, profile_names
from pocketbench.device_profiles.matching import match_profile


@pytest.mark.parametrize("name", [name for name in profile_names() if load_profile(name).identity])
def test_every_rule_of_every_profile_finds_it(name):
    profile = load_profile(name)
    for rule in profile.identity:
        assert match_profile({rule.property: ("other,board", rule.equals)}, profile.platform) == name


@pytest.mark.parametrize(
    ("properties", "platform", "expected"),
    [
        ({}, "linux", "generic-linux"),
        ({}, "android", "generic-android"),
        ({"ro.product.model": ("Fairphone 5",)}, "android", "generic-android"),
        ({"device-tree-compatible": ("radxa,rock-5b", "rockchip,rk3588")}, "linux", "generic-linux"),
        ({"device-tree-compatible": ("raspberrypi,3-model-b-plus", "brcm,bcm2837")}, "linux", "raspberry-pi-3b-plus"),
        ({"ro.product.model": ("raspberrypi,5-model-b",)}, "android", "generic-android"),  # another property says it
        ({"ro.product.model": ("Pixel 6 Pro",)}, "android", "generic-android"),  # whole values only
        ({"serial": ("Pixel 6",)}, "android", "generic-android"),
    ],
)
def test_what_no_rule_names_gets_the_generic_profile(properties, platform, expected):
    assert match_profile(properties, platform) == expected


def test_two_that_claim_it_are_refused_with_their_names(monkeypatch):
    def claim_all(name):
        profile = load_profile(name)
        return profile.model_copy(update={"identity": load_profile("pixel-6").identity}) if "pixel" in name else profile

    monkeypatch.setattr(matching, "load_profile", claim_all)
    with pytest.raises(InputError, match="pixel-6, pixel-7, pixel-8, pixel-9: choose one with --profile"):
        match_profile({"ro.product.model": ("Pixel 6",)}, "android")
