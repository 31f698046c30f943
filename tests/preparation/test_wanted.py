"""What `--prepare` takes."""

from __future__ import annotations

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.preparation.wanted import Frequency, Wanted, parse_wanted


def test_nothing_is_asked_for_by_default():
    assert parse_wanted(()) == Wanted(None, (), None, None)


def test_everything():
    words = ("governor=performance", "frequency=75%", "frequency=policy4:1803MHz", "fan=full", "screen=off")

    assert parse_wanted(words) == Wanted(
        "performance", (Frequency(None, None, 75), Frequency(4, 1_803_000, None)), "full", "off"
    )


@pytest.mark.parametrize(
    "word",
    [
        *("", "governor", "governor=", "governor=a b", "governor=$(x)", "governor=../x", "frequency=1500"),
        *("frequency=-1MHz", "frequency=1.5GHz", "frequency=cpu0:1MHz", "fan=half", "screen=dim", "turbo=off"),
    ],
)
def test_a_word_that_means_nothing(word):
    with pytest.raises(InputError, match=r"expected something to prepare, got .*governor=NAME, frequency=1500MHz"):
        parse_wanted((word,))


@pytest.mark.parametrize("word", ["frequency=0%", "frequency=101%"])
def test_a_share_that_is_none(word):
    with pytest.raises(InputError, match="from 1% to 100%"):
        parse_wanted((word,))


@pytest.mark.parametrize(
    "words",
    [
        ("governor=performance", "governor=schedutil"),
        ("screen=on", "screen=off"),
        ("frequency=50%", "frequency=1500MHz"),
        ("frequency=policy4:50%", "frequency=policy4:1500MHz"),
    ],
)
def test_one_thing_asked_for_twice(words):
    with pytest.raises(InputError, match="once, got it again"):
        parse_wanted(words)
