"""getprop as phones print it, and values that try to be more than one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pocketbench.harness.devices.android_properties import parse_properties
from tests.harness_devices.fake_answers import PHONE_PROPERTIES


def test_a_listing():
    properties = parse_properties(PHONE_PROPERTIES)
    assert len(properties) == 12
    assert properties["ro.product.model"] == "Pixel 6"
    assert properties["ro.build.fingerprint"].endswith(":user/release-keys")


def test_values_hold_brackets_and_lines():
    text = "[a.b]: [one]\ntwo]\n[c]: [x]: [y]\n[d]: [[e]]\n[f]: [last]"
    assert parse_properties(text) == {"a.b": "one] two", "c": "x]: [y", "d": "[e]", "f": "last"}


def test_the_first_of_two_counts():
    text = "[ro.product.model]: [Pixel 6]\n[vendor.text]: [x\n[ro.product.model]: [Galaxy]\n"
    assert parse_properties(text)["ro.product.model"] == "Pixel 6"


def test_what_says_nothing_is_left_out():
    assert parse_properties("[a]: []\n[b]: [ ]\n[c]: [unknown]\n[d]: [UNKNOWN]\n[e]: [\x1b\x07]\n") == {}


def test_control_characters_go_and_length_is_bounded():
    properties = parse_properties(f"[a]: [\x1b[31mred\x07\x00]\n[b]: [{'x' * 100_000}]\n[c]: [\ufffd\u202eok]\n")
    assert (properties["a"], len(properties["b"]), properties["c"]) == ("[31mred", 200, "\ufffd ok")


@given(st.text(alphabet=st.sampled_from("[]: \na.\x1b\r") | st.characters(), max_size=200))
def test_nothing_raises_or_is_unprintable(text):
    assert all(value.isprintable() and value for value in parse_properties(text).values())
