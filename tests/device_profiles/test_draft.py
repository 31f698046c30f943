"""A draft loads through the strict loader, whatever the device says, and has nothing in it that is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketbench.checked.errors import InputError
from pocketbench.checked.yaml import parse_yaml
from pocketbench.device_profiles.core_cluster import CoreCluster
from pocketbench.device_profiles.draft import draft_profile, profile_slug
from pocketbench.device_profiles.schema import DeviceProfile

SMALL = CoreCluster("Cortex-A55", (0, 1, 2, 3), 1803000, 0x41, 0xD05)
BIG = CoreCluster("Cortex-X1", (4, 5), None, 0x41, 0xD44)
NOTHING: dict[str, Any] = {
    "name": "a-phone",
    "title": "A phone",
    "platform": "android",
    "properties": {},
    "soc": None,
    "clusters": (),
    "page_size_bytes": None,
    "note": "one device",
}


def draft(**known: Any) -> DeviceProfile:
    return parse_yaml(draft_profile(**{**NOTHING, **known}), DeviceProfile, source="draft")


def test_everything_known_is_filled_in():
    profile = draft(
        properties={"ro.product.model": ("A phone",)}, soc="Chip 1", clusters=(SMALL, BIG), page_size_bytes=16384
    )

    assert [(rule.property, rule.equals) for rule in profile.identity] == [("ro.product.model", "A phone")]
    assert profile.soc is not None
    assert profile.soc.value == "Chip 1"
    first, second = profile.clusters
    assert (first.core.value, first.cpus.value, first.part.value, first.max_khz.value) == (  # type: ignore[union-attr]
        "Cortex-A55",
        (0, 1, 2, 3),
        0xD05,
        1803000,
    )
    assert second.max_khz is None
    assert "16 KiB" in profile.quirk_texts()[0]
    assert profile.sources["own-capture"].title == "measured on the device"


def test_nothing_known_is_nothing_said():
    assert draft().model_dump(exclude_defaults=True) == {
        "version": 1,
        "name": "a-phone",
        "title": "A phone",
        "platform": "android",
    }


def test_parts_are_written_as_the_kernel_writes_them():
    assert "part: {value: 0xd05, source: own-capture}" in draft_profile(**{**NOTHING, "clusters": (SMALL,)})


def test_a_core_that_nobody_knows_leaves_the_clusters_out():
    assert draft(clusters=(SMALL, CoreCluster(None, (4,), 2000000))).clusters == ()


def test_the_part_number_of_another_maker_is_not_taken_for_arm_s():
    """Kirin 980: part 0xd40 of HiSilicon is a Cortex-A76, of Arm a Neoverse-V1."""
    (cluster,) = draft(clusters=(CoreCluster("Cortex-A76", (0,), None, 0x48, 0xD40),)).clusters
    assert cluster.part is None


def test_usual_pages_are_no_quirk():
    assert draft(page_size_bytes=4096).quirks == ()


@pytest.mark.parametrize("name", ["", "A Phone", "../x", "x" * 65, "-x", "ü"])
def test_a_name_that_is_none_is_refused_with_one_that_is(name):
    with pytest.raises(InputError, match="lower case letters"):
        draft(name=name)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5-model-b-rev-1-0"),
        ("samsung SM-S921B", "samsung-sm-s921b"),
        ("…", "my-device"),
        ("x" * 200, "x" * 64),
    ],
)
def test_a_model_becomes_a_name(text, slug):
    assert profile_slug(text) == slug
    assert draft(name=slug).name == slug


printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=200)


@given(printable, printable, printable)
def test_whatever_a_device_says_is_text(title, model, soc):
    profile = draft(title=title, properties={"ro.product.model": (model,)}, soc=soc)

    assert (profile.title, profile.identity[0].equals) == (title, model)
    assert profile.soc is not None
    assert profile.soc.value == soc
