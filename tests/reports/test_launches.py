"""The launches of each job: marks and reasons in words, percentiles, throttling; and the cold start."""

from __future__ import annotations

from dataclasses import replace

from pocketbench.reports.cold_starts import cold_starts
from pocketbench.reports.energies import energies
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.launch_facts import invalid_launches, launch_facts
from pocketbench.reports.verdict import verdict
from tests.reports.outline import section_text
from tests.reports.sensed import add_invalid, with_sensors
from tests.reports.synthetic import DIGITS, make_tables

FEW = DIGITS[:4]


def test_invalid_launches_are_listed_with_reasons_in_words_and_counted():
    tables = add_invalid(make_tables(FEW, rounds=5), 3)
    text = section_text(tables, "launches")

    assert len(invalid_launches(tables)) == 3
    assert "3 of 28 launches are invalid: the device was throttled 3×, the supply's voltage was too low 3×" in text
    assert text.count("the device was throttled; the supply's voltage was too low") == 3
    assert "5 of 8" in text
    assert "3 launches were invalid by a rule" in verdict(tables).text


def test_invalid_launches_count_in_no_figure():
    plain = make_tables(FEW, rounds=5)
    tables = add_invalid(plain, 2)
    tables.launches.loc[tables.launches["status"] == "invalid", "latency_p90_ns"] = 1e12

    assert launch_facts(tables)["jlocal-1-0"].p90_ns == launch_facts(plain)["jlocal-1-0"].p90_ns


def test_marks_of_launches_are_explained():
    tables = make_tables([replace(one, flags="hot_start several_speeds") for one in FEW], rounds=5)
    text = section_text(tables, "launches")

    assert "did not cool to the start line" in text
    assert "latency has more than one level" in text
    assert "float32-tflite (5/5)" in text
    assert "No launch that counts is marked" in section_text(make_tables(FEW), "launches")


def test_mark_that_is_not_known_stands_for_itself():
    text = section_text(make_tables([replace(one, flags="new_thing") for one in FEW]), "launches")

    assert "new_thing not known to this version" in text


def test_percentiles_have_their_floors():
    facts = launch_facts(make_tables(FEW, iterations=700, rounds=3))["jlocal-1-0"]
    few = launch_facts(make_tables(FEW, iterations=120, rounds=3))["jlocal-1-0"]

    assert facts.p99_ns is not None
    assert few.p99_ns is None
    assert few.p90_ns is not None


def test_signs_of_throttling_are_counted():
    tables = with_sensors(make_tables(FEW))
    facts = launch_facts(tables)
    hot = (tables.launches["declared_throttling"] == True).sum()  # noqa: E712  elementwise

    assert sum(fact.throttled["declared"] for fact in facts.values()) == hot > 0
    assert "declared 1×, frequency fell 1×, latency rose 1×" in section_text(tables, "launches")


def test_cold_start_has_its_median_and_interval():
    (colds,) = cold_starts(make_tables(FEW, rounds=10))["jlocal-1-0"]
    (few,) = cold_starts(make_tables(FEW, rounds=5))["jlocal-1-0"]

    assert colds.total is not None
    assert colds.total.low is not None
    assert colds.total.low < colds.total.value
    assert few.total is not None
    assert few.total.low is None, "5 launches cannot give 95 %"


def test_energy_of_invalid_launches_does_not_count():
    tables = with_sensors(make_tables(FEW), invalid=0)
    before = energies(read_campaign(tables), tables)[0].jobs["jlocal-1-0"]
    tables.launches.loc[0, "status"] = "invalid"
    after = energies(read_campaign(tables), tables)[0].jobs["jlocal-1-0"]

    assert after.launches == before.launches - 1


def test_cold_starts_with_and_without_a_page_cache_are_never_mixed():
    tables = make_tables(FEW, rounds=6)
    tables.launches["page_cache"] = ["dropped" if number == 0 else "warm" for number in tables.launches["round"]]
    dropped = tables.launches["page_cache"] == "dropped"
    tables.launches.loc[dropped, "model_init_ns"] = 5e9
    cold, warm = cold_starts(tables)["jlocal-1-0"]

    assert (cold.page_cache, cold.launches) == ("dropped", 1)
    assert (warm.page_cache, warm.launches) == ("warm", 5)
    assert cold.total is not None
    assert warm.total is not None
    assert cold.total.value > 1e9 > warm.total.value
    assert all((job.cold_start_ns or 0) < 1e9 for job in read_campaign(tables).jobs)
    assert "Page cache" in section_text(tables, "latency")


def test_scenario_throughput_and_the_last_minute_are_named():
    tables = make_tables(FEW)
    tables.campaign["scenario"] = "4 streams for 10 min"
    tables.launches[["throughput_per_s", "last_minute_ratio"]] = [812.0, 1.314]
    text = section_text(tables, "launches")

    assert "burst regime, 4 streams for 10 min" in text
    assert "812 1.31×" in text
