"""Profiles: every one that is packaged loads, and a wrong one is refused with file, line and key."""

from __future__ import annotations

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.device_profiles.loader import load_profile, load_profile_file, profile_names

GOOD = """\
version: 1
name: board
title: A board
platform: linux
sources:
  datasheet: {title: Datasheet of the board}
soc: {value: RK3588, source: datasheet}
clusters:
  - core: {value: Cortex-A55, source: datasheet}
    count: {value: 4, source: datasheet}
    part: {value: 0xd05, source: datasheet}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "board.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", profile_names())
def test_every_packaged_profile_loads_and_every_fact_has_a_source(name):
    profile = load_profile(name)
    assert profile.name == name
    facts = list(profile.facts())
    assert facts
    assert {source for _, source in facts} <= set(profile.sources)


def test_a_good_file_loads(write):
    profile = load_profile_file(write(GOOD))
    assert profile.cores == 4
    assert profile.clusters[0].part is not None
    assert profile.clusters[0].part.value == 0xD05
    assert profile.clusters[0].max_khz is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        pytest.param("count: {", "cuont: {", 10, ["unknown key 'clusters.0.cuont'", "'count'"], id="key"),
        pytest.param("part: {", "max_mhz: {", 11, ["unknown key", "'max_khz'"], id="unit"),
        pytest.param("{value: 4, source: datasheet}", "{value: 4}", 10, ["source", "missing"], id="no-source"),
        pytest.param("value: 4", "value: four", 10, ["clusters.0.count.value", "'four'"], id="type"),
        pytest.param("platform: linux", "platform: beos", 4, ["platform", "'beos'"], id="platform"),
        pytest.param("version: 1", "version: 2", 1, ["version", "got 2"], id="version"),
        pytest.param("0xd05", "0xd08", 9, ["part 0xd08 is Cortex-A72"], id="part-of-another-core"),
        pytest.param("RK3588, source: datasheet", "RK3588, source: blog", None, ["soc", "'blog'"], id="source"),
        pytest.param("name: board", "name: bord", None, ["'board'", "'bord'"], id="name-not-of-the-file"),
    ],
)
def test_a_wrong_file_is_refused_by_file_line_and_key(write, old, new, line, words):
    path = write(GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        load_profile_file(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}:" if line else f"{path}:")
    for word in words:
        assert word in message


def test_a_source_that_no_fact_names_is_refused(write):
    path = write(GOOD.replace("soc:", "  spare: {title: Spare}\nsoc:"))
    with pytest.raises(InputError, match=r"no fact names the sources \['spare'\]"):
        load_profile_file(path)


def test_an_unknown_profile_offers_the_nearest():
    with pytest.raises(InputError, match="'generic-linux'"):
        load_profile("generic-linus")


def test_a_file_with_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.yaml"):
        load_profile_file(tmp_path / "board.json")
