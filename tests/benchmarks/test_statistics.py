"""benchmarks/statistics: goals are judged by the tables, the whole way works, docs/statistics.md is of this code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import statistics
from benchmarks.outcome import Row
from benchmarks.statistics_campaigns import LIMITS, SCENARIOS
from benchmarks.statistics_launches import SHAPES

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
GOALS = ["lowest", "highest", "false", "2.6", "4.3", "8.6", "steady", "warm-up"]


def tables(
    coverage: float = 0.95,
    looks: float = 0.95,
    false: float = 0.03,
    found: tuple[float, float, float] = (0.5, 0.9, 1.0),
    steady: float = 0.03,
    left: float = 0.008,
) -> dict[str, list[Row]]:
    shares = dict(zip(SHAPES, (steady, *found), strict=False))
    return {
        "campaigns": [
            {"coverage": 0.95, "false_differences": 0.04},
            {"coverage": coverage, "false_differences": false},
        ],
        "looks": [{"coverage": looks}],
        "drift": [
            {"launch": shape, "lag_1_correlation": correlation, "drift_found": share if correlation else 0.0}
            for shape, share in shares.items()
            for correlation in (0.0, 0.5)
        ],
        "warm-up": [{"mean_left": 0.002}, {"mean_left": left}],
    }


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        pytest.param(tables(), set(), id="all met"),
        pytest.param(tables(coverage=0.91), {"lowest"}, id="too narrow on one device"),
        pytest.param(tables(looks=0.91), {"lowest"}, id="too narrow by looking"),
        pytest.param(tables(coverage=0.985), {"highest"}, id="too wide"),
        pytest.param(tables(coverage=0.928), set(), id="too narrow, but by chance"),
        pytest.param(tables(false=0.07), {"false"}, id="false differences"),
        pytest.param(tables(found=(0.3, 0.8, 0.98)), {"2.6", "4.3", "8.6"}, id="ramps are not found"),
        pytest.param(tables(steady=0.08), {"steady"}, id="steady launches are called drifting"),
        pytest.param(tables(left=0.02), {"warm-up"}, id="ends too early"),
    ],
)
def test_goals(found: dict[str, list[Row]], missed: set[str]):
    goals = statistics.judge(found, campaigns=4000, launches=1000)

    assert {name for name, goal in zip(GOALS, goals, strict=True) if not goal.met} == missed


def test_a_small_one_goes_the_whole_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(statistics, "QUICK_CAMPAIGNS", 4)
    monkeypatch.setattr(statistics, "QUICK_LAUNCHES", 4)
    written, page = tmp_path / "out.json", tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["statistics", "--quick", "--json", str(written), "--page", str(page)])
    statistics.main()

    content = json.loads(written.read_text())
    assert {row["table"] for row in content["rows"]} == {
        "campaigns", "limits", "looks", "drift", "warm-up", "speeds", "intervals",
    }  # fmt: skip
    assert len(content["goals"]) == len(GOALS)
    assert "false_if_stopped_at_a_difference" in capsys.readouterr().out
    assert "4 made-up campaigns" in page.read_text()


def test_the_page_of_the_manual_is_of_this_code():
    """Its figures take two minutes to make; its rows and its size do not."""
    text = PAGE.read_text(encoding="utf-8")

    assert f"{statistics.CAMPAIGNS} made-up campaigns a row ({statistics.LAUNCHES} launches" in text
    assert all(f"| {scenario.name} |" in text for scenario in (*SCENARIOS, *LIMITS))
    assert "not met" not in text.replace("a goal is not met where", "")
