"""Every plot is data that Plotly knows, and says what the tables say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pocketbench.reports.cold_starts import cold_starts
from pocketbench.reports.distributions import TAIL_POINTS, distributions
from pocketbench.reports.energies import energies
from pocketbench.reports.figures.cold_start import cold_start_figure
from pocketbench.reports.figures.energy import energy_figure
from pocketbench.reports.figures.figure import Figure, job_label, log_ticks, plot_text
from pocketbench.reports.figures.heat import heat_figure
from pocketbench.reports.figures.latency import latency_figure
from pocketbench.reports.figures.launches import launches_figure
from pocketbench.reports.figures.memory import memory_figure
from pocketbench.reports.figures.operators import operators_figure
from pocketbench.reports.figures.pareto import pareto_figure
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.memory_stages import memory_stages
from pocketbench.reports.operators import profiles
from pocketbench.reports.paired import launch_medians
from pocketbench.reports.traces import device_traces
from tests.reports.sensed import FALLEN_BACK, operators_of, with_sensors
from tests.reports.synthetic import DIGITS, empty_tables, make_tables

STYLE = Path(__file__).parents[2] / "reports/pocketbench/reports/assets/page.css"


NAMES = ["pareto", "latency", "cold start", "launches", "memory", "heat", "energy", "operators"]


def figures(**options: Any) -> dict[str, Figure | None]:
    tables = with_sensors(make_tables(**options))
    campaign = read_campaign(tables)
    jobs = [job for job in campaign.jobs_on("local") if job.usable]
    by_id = {job.job_id: job for job in (*campaign.jobs, *campaign.copies)}
    return {
        "pareto": pareto_figure(campaign, "local", "a"),
        "latency": latency_figure(campaign, jobs, distributions(tables), "b"),
        "cold start": cold_start_figure(campaign, jobs, cold_starts(tables), "c"),
        "launches": launches_figure(campaign, jobs, launch_medians(tables), "d"),
        "memory": memory_figure(campaign, jobs, memory_stages(tables), "e"),
        "heat": heat_figure(campaign, by_id, device_traces(tables, by_id), 42.0, "f"),
        "energy": energy_figure(campaign, jobs, energies(campaign, tables)[0].jobs, "board input", "g"),
        "operators": operators_figure(campaign, jobs, profiles(tables), "h"),
    }


def colours(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from colours(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from colours(part, key)
    elif key.endswith("color") and isinstance(value, str) and value.startswith("--"):
        yield value


def plain_colours(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain_colours(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_colours(part) for part in value]
    return "#123456" if isinstance(value, str) and value.startswith("--") else value


@pytest.mark.parametrize("name", NAMES)
def test_plotly_knows_every_attribute(name: str):
    from plotly import graph_objects

    figure = figures(threads=(1, 2))[name]

    assert figure is not None
    payload = plain_colours(figure.payload())
    graph_objects.Figure(data=payload["data"], layout=payload["layout"])


@pytest.mark.parametrize("name", NAMES)
def test_every_colour_is_in_the_style_sheet(name: str):
    figure = figures()[name]
    defined = set(re.findall(r"(--[a-z0-9-]+):", STYLE.read_text(encoding="utf-8")))

    assert figure is not None
    used = set(colours(figure.payload()))
    assert used
    assert used - defined == set()


def test_nothing_measured_has_no_plot():
    tables = empty_tables()
    campaign = read_campaign(tables)

    assert pareto_figure(campaign, "local", "a") is None
    assert latency_figure(campaign, [], distributions(tables), "b") is None
    assert cold_start_figure(campaign, [], cold_starts(tables), "c") is None
    assert launches_figure(campaign, [], launch_medians(tables), "d") is None
    assert memory_figure(campaign, [], memory_stages(tables), "e") is None
    assert heat_figure(campaign, {}, device_traces(tables, []), None, "f") is None
    assert energies(campaign, tables) == ()
    assert energy_figure(campaign, [], {}, "rails", "g") is None
    assert operators_figure(campaign, [], profiles(tables), "h") is None


def test_distribution_is_of_all_steady_samples():
    tables = make_tables(iterations=500, rounds=4)
    found = distributions(tables)["jlocal-1-0"]
    launches = set(tables.launches.loc[tables.launches["job_id"] == "jlocal-1-0", "launch_id"])
    samples = tables.samples[tables.samples["launch_id"].isin(launches) & (tables.samples["kind"] == "steady")]
    values = samples["latency_ns"].to_numpy()

    assert found.samples == 2000
    assert found.median == pytest.approx(np.median(values))
    assert found.p95 == pytest.approx(np.quantile(values, 0.95))
    assert len(found.tail) == TAIL_POINTS
    assert found.largest == found.tail[-1] == values.max()


def test_memory_parts_add_up_to_the_peak():
    tables = make_tables()
    figure = figures()["memory"]
    peak = tables.memory.groupby("job_id")["peak_resident_bytes"].max()["jlocal-1-0"]

    assert figure is not None
    bars = [trace for trace in figure.data if trace["type"] == "bar"]
    assert sum(bar["x"][0] for bar in bars) == pytest.approx(peak / 1e6)


def test_private_memory_that_is_not_known_has_no_mark():
    tables = make_tables()
    tables.memory["private_bytes"] = None
    campaign = read_campaign(tables)
    figure = memory_figure(campaign, campaign.jobs_on("local"), memory_stages(tables), "e")

    assert figure is not None
    assert [trace["name"] for trace in figure.data if trace["type"] == "scatter"] == ["PSS at the end"]


def test_cold_start_part_that_is_not_known_has_no_bar():
    tables = make_tables()
    tables.launches["engine_load_ns"] = None
    campaign = read_campaign(tables)
    figure = cold_start_figure(campaign, campaign.jobs_on("local"), cold_starts(tables), "c")

    assert figure is not None
    assert set(figure.data[0]["x"]) == {None}
    assert "not known" in figure.data[0]["hovertext"][0]


def test_launches_are_shown_against_the_mean_of_their_job():
    figure = figures()["launches"]

    assert figure is not None
    assert all(abs(float(np.mean(trace["y"]))) < 0.1 for trace in figure.data)
    assert len(figure.data) == len([one for one in DIGITS if one.failed is None])


def test_throttled_launches_are_marked_with_their_sign():
    figure = figures()["heat"]

    assert figure is not None
    marks = figure.data[-1]
    assert marks["name"] == "signs of throttling"
    assert len(marks["x"]) % 3 == 0
    assert "throttling: frequency fell" in " ".join(marks["hovertext"])
    assert "yaxis3" in figure.layout


def test_conversions_are_hatched_and_parts_coloured_by_what_ran_them():
    tables = make_tables()
    rows = operators_of("jlocal-1-3", FALLEN_BACK)
    campaign = read_campaign(tables)
    profiled = profiles(replace(tables, operators=pd.DataFrame(rows)))
    figure = operators_figure(campaign, campaign.jobs_on("local"), profiled, "h")

    assert figure is not None
    parts = [trace for trace in figure.data if trace.get("hovertext")]
    assert sum(trace["x"][0] for trace in parts) == pytest.approx(2.0)
    assert [trace["marker"]["pattern"]["shape"][0] for trace in parts] == ["", "", "/", "/"]
    assert len({trace["marker"]["color"][0] for trace in parts}) == 2
    assert [trace["name"] for trace in figure.data if "name" in trace] == [
        "interpreter",
        "XNNPACK",
        "quantize, dequantize",
    ]


def test_energy_that_is_not_known_has_no_bar():
    tables = with_sensors(make_tables())
    launches = tables.launches.loc[tables.launches["job_id"] == "jlocal-1-3", "launch_id"]
    tables.energies.loc[tables.energies["launch_id"].isin(launches), ["gross_mj", "net_mj"]] = None
    campaign = read_campaign(tables)
    meter = energies(campaign, tables)[0]
    figure = energy_figure(campaign, campaign.jobs_on("local"), meter.jobs, meter.boundary, "g")

    assert figure is not None
    assert "int8-tflite" not in figure.rows
    assert len(figure.rows) == 7


def test_logarithmic_axis_only_where_values_are_far_apart():
    assert log_ticks([1, 9]) == {}
    assert log_ticks([]) == {}
    assert log_ticks([0.5, 60])["type"] == "log"
    assert "20" in log_ticks([0.5, 60])["ticktext"]


def test_names_in_plots_are_text_and_never_tags():
    assert plot_text("<a href='javascript:x'>&amp;") == "&lt;a href='javascript:x'&gt;&amp;amp;"


def test_threads_are_named_only_where_there_are_several():
    one, several = (read_campaign(make_tables(threads=threads)) for threads in ((1,), (1, 2)))

    assert job_label(one, one.jobs_on("local")[0]) == "float32-tflite"
    assert job_label(several, several.jobs_on("local")[0]) == "float32-tflite, 1T"
