"""Who is dominated, in the plain rule and in the plot."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pocketbench.reports.figures.pareto import pareto_figure, pareto_front
from pocketbench.reports.joined import read_campaign
from pocketbench.reports.pareto import dominated
from tests.reports.synthetic import Spec, make_tables

REFERENCE = Spec("reference", 2.0, 0.97, 400_000, role="reference")
FAST = Spec("fast", 1.0, 0.96, 100_000)
SLOW = Spec("slow", 3.0, 0.95, 100_000)


def faint(*specs: Spec, **options: object) -> dict[str, bool]:
    campaign = read_campaign(make_tables(specs, **options))  # type: ignore[arg-type]
    return {job.variant.name: is_faint for job, _, _, is_faint in pareto_front(campaign, "local")}


def test_better_in_one_and_as_good_in_the_other_dominates():
    assert dominated([(1, 1), (1, 2), (2, 1), (0, 3)]) == (False, True, True, False)


def test_equal_points_do_not_dominate_each_other():
    assert dominated([(1, 1), (1, 1)]) == (False, False)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_what_is_dominated_is_beaten_by_one_that_is_not(points: list[tuple[int, int]]):
    marks = dominated(points)
    best = [point for point, mark in zip(points, marks, strict=True) if not mark]

    for point, mark in zip(points, marks, strict=True):
        beaten = any(a <= point[0] and b <= point[1] and (a, b) != point for a, b in best)
        assert beaten == mark


def test_dominated_variant_is_faint():
    assert faint(REFERENCE, FAST, SLOW) == {"reference": False, "fast": False, "slow": True}


def test_control_dominates_nobody():
    control = Spec("control", 0.5, 0.99, 100_000, role="control")

    assert faint(REFERENCE, FAST, control)["fast"] is False


def test_lower_error_is_better():
    tables = {"metric": "mean-absolute-error", "higher_is_better": False}

    assert faint(replace(REFERENCE, quality=0.3), replace(FAST, quality=0.1), **tables)["reference"] is True


def test_without_quality_size_stands_in_its_place():
    campaign = read_campaign(make_tables([REFERENCE, FAST, SLOW], metric=None))
    figure = pareto_figure(campaign, "local", "plot")

    assert figure is not None
    assert figure.layout["yaxis"]["title"]["text"] == "File size, kB (lower is better)"
    assert {job.variant.name: mark for job, _, _, mark in pareto_front(campaign, "local")}["slow"] is True


def test_area_of_a_mark_is_proportional_to_the_size():
    campaign = read_campaign(make_tables([REFERENCE, FAST]))
    figure = pareto_figure(campaign, "local", "plot")

    assert figure is not None
    sizes = next(trace["marker"]["size"] for trace in figure.data if trace.get("hovertext"))
    assert (sizes[0] / sizes[1]) ** 2 == 4


def test_missing_interval_has_no_bar_rather_than_one_of_no_width():
    campaign = read_campaign(make_tables([REFERENCE, FAST], rounds=1))
    figure = pareto_figure(campaign, "local", "plot")

    assert figure is not None
    trace = next(trace for trace in figure.data if trace.get("hovertext"))
    assert trace["error_x"] == {"visible": False}
