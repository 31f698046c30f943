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


def test_the_devices_that_we_promise_are_there():
    assert profile_names() == [
        "galaxy-s21-exynos",
        "galaxy-s21-snapdragon",
        "galaxy-s22-exynos",
        "galaxy-s22-snapdragon",
        "galaxy-s23",
        "galaxy-s24-exynos",
        "galaxy-s24-snapdragon",
        "generic-android",
        "generic-linux",
        "pixel-6",
        "pixel-7",
        "pixel-8",
        "pixel-9",
        "raspberry-pi-3b",
        "raspberry-pi-3b-plus",
        "raspberry-pi-4b",
        "raspberry-pi-5",
        "raspberry-pi-zero-2-w",
        "this-computer",
    ]


def test_no_two_profiles_claim_the_same_device():
    rules = [(rule.property, rule.equals) for name in profile_names() for rule in load_profile(name).identity]
    assert len(rules) == len(set(rules))


@pytest.mark.parametrize("name", profile_names())
def test_a_device_is_either_generic_or_recognised_and_described(name):
    profile = load_profile(name)
    assert profile.generic != bool(profile.identity)
    assert profile.generic != bool(profile.clusters)
    assert profile.sensors
    assert profile.generic or (profile.soc is not None and profile.cores is not None and 4 <= profile.cores <= 10)


@pytest.mark.parametrize("name", profile_names())
def test_clusters_go_from_slow_to_fast_and_number_all_cpus(name):
    clusters = load_profile(name).clusters
    speeds = [cluster.max_khz.value for cluster in clusters if cluster.max_khz]
    assert speeds == sorted(speeds)
    cpus = [cpu for cluster in clusters if cluster.cpus for cpu in cluster.cpus.value]
    assert cpus in ([], list(range(sum(cluster.count.value for cluster in clusters))))


def test_the_facts_of_a_raspberry_pi_5():
    profile = load_profile("raspberry-pi-5")
    (cluster,) = profile.clusters
    assert (cluster.core.value, cluster.count.value) == ("Cortex-A76", 4)
    assert cluster.part is not None
    assert (cluster.part.value, profile.sources[cluster.part.source].title) == (
        0xD0B,
        "Linux kernel, arch/arm64/include/asm/cputype.h",
    )
    assert [method.method for method in profile.power] == ["pmic-adc", "external-meter"]
    assert any("16 KiB" in text for text in profile.quirk_texts())


def test_what_is_not_known_is_absent():
    assert all(cluster.max_khz is None for cluster in load_profile("pixel-8").clusters)
    assert load_profile("raspberry-pi-4b").clusters[0].max_khz is None


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
