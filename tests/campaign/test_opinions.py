"""Second opinions in a campaign: programs of the user's among our launches, stored whatever they say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign import reach
from pocketbench.harness.campaign.plan import Plan, load_plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.run import resume_campaign
from pocketbench.harness.campaign.tables import campaign_tables, job_summary
from pocketbench.harness.errors import TransportError
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.reports.tables import CampaignTables
from tests.campaign.conftest import FAST, Campaign
from tests.opinion.test_take import dense_layer

# LiteRT's script as a shell would write it: 2 ms an inference, of whatever was asked.
SCRIPT = """
for word; do
    value=${word#*=}
    case $word in
        --model=*) model=$value ;;
        --num_threads=*) threads=$value ;;
        --num_runs=*) runs=$value ;;
        --warmup_runs=*) warmup=$value ;;
        --result_json=*) result=$value ;;
    esac
done
cat > "$result" << END
{"model": "$model", "accelerators": ["CPU"], "fully_accelerated": true, "num_threads": $threads, "latency":
 {"init_ms": 3.0, "warmup_first_ms": 2.5, "warmup_avg_ms": 2.2, "num_warmup_runs": $warmup, "avg_ms": 2.0,
  "min_ms": 1.5, "max_ms": 2.6, "median_ms": 1.9, "std_ms": 0.1, "p5_ms": 1.6, "p95_ms": 2.4, "num_runs": $runs}}
END
"""


@pytest.fixture
def script(tmp_path: Path) -> dict[str, Any]:
    """For `opinions`: speaks like LiteRT's own script."""
    path = tmp_path / "benchmark_litert_model.py"
    path.write_text(SCRIPT)
    return {"program": path, "interpreter": ["sh"]}


def left_behind(home: Path) -> list[Path]:
    return list(home.glob("**/.opinion-*"))


def places(tables: CampaignTables, number: int) -> list[int]:
    """Of all launches of a round, ours and others'."""
    both = [*tables.launches.to_dict("records"), *tables.opinions.to_dict("records")]
    return sorted(int(row["position"]) for row in both if row["round"] == number)


def test_a_program_is_launched_in_each_round_on_the_files_that_it_runs(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, script: dict[str, Any]
):
    wanted = plan(opinions=[script], threads=[1, 2], rounds=3)

    tables = campaign_tables(store, run(wanted))

    assert (tables.opinions["status"] == "ok").all()
    jobs = tables.jobs.merge(tables.variants[["variant_id", "name"]], on="variant_id")
    found = tables.opinions.merge(jobs[["job_id", "name"]], on="job_id")
    assert sorted(zip(found["name"], found["threads"], found["round"], strict=True)) == [
        ("dense.tflite", threads, number) for threads in (1, 2) for number in range(3)
    ]
    assert [places(tables, number) for number in range(3)] == [[0, 1, 2, 3, 4, 5]] * 3
    assert set(tables.opinions["runs"]) == {FAST["iterations"]}
    assert set(tables.opinions["warmup_runs"]) == {FAST["warmup_iterations"]}
    assert left_behind(home) == []
    by_variant = {(row["variant"], row["threads"]): row["opinions"] for row in job_summary(tables)}
    [said] = by_variant["dense.tflite", 1]
    assert (said["program"], said["launches"], said["reason"]) == ("benchmark_litert_model.py", 3, None)
    assert said["latency_mean_ns"] == pytest.approx(2e6)
    assert said["latency_median_ns"] == pytest.approx(1.9e6)
    assert by_variant["dense.onnx", 1] == []


def test_litert_s_own_script_has_an_opinion_on_the_deployed_file(
    plan: Callable[..., Plan], run: Campaign, store: Store, tmp_path: Path
):
    import ai_edge_litert

    program = Path(ai_edge_litert.__file__).parent / "tools" / "benchmark_litert_model.py"
    model = dense_layer(tmp_path / "layer.tflite", 1024)
    opinions = [{"program": program, "interpreter": [sys.executable]}]

    tables = campaign_tables(store, run(plan(variants=[model], opinions=opinions, rounds=1)))

    [said] = tables.opinions.to_dict("records")
    assert (said["status"], said["runs"], said["threads"]) == ("ok", 5, 1)
    assert said["latency_min_ns"] <= said["latency_mean_ns"] <= said["latency_max_ns"]


def test_a_program_that_fails_disturbs_nobody_and_is_not_asked_for_ever(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, tmp_path: Path
):
    program = tmp_path / "onnxruntime_perf_test"
    program.write_text("#!/bin/sh\necho no such model >&2\nexit 3\n")

    tables = campaign_tables(store, run(plan(opinions=[{"program": program}], rounds=4)))

    assert (tables.launches["status"] == "ok").all()
    assert len(tables.launches) == 8
    assert list(tables.opinions["status"]) == ["failed", "failed"]
    assert "exit code 3" in tables.opinions["reason"].iloc[0]
    [said] = next(row["opinions"] for row in job_summary(tables) if row["variant"] == "dense.onnx")
    assert (said["latency_mean_ns"], said["launches"]) == (None, 0)
    assert "no such model" in said["reason"]
    assert tables.campaign["status"].item() == "finished"
    assert left_behind(home) == []


def test_a_resumed_campaign_asks_for_no_opinion_twice(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path, script: dict[str, Any]
):
    wanted = plan(opinions=[script], rounds=3)

    def stop(event: CampaignProgress) -> None:
        if "round 3" in event.message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(wanted, progress=stop)
    assert left_behind(home) == []

    tables = campaign_tables(store, run(wanted, campaign=resume_campaign))

    assert sorted(tables.opinions["round"]) == [0, 1, 2]
    assert len(tables.launches) == 6


def test_a_device_that_is_lost_meanwhile_is_asked_again(
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    script: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
):
    class Loose(LocalTransport):
        asked = 0

        def run(self, argv, *, timeout_s, stdin=b""):
            if any(str(word).startswith("--result_json") for word in argv):
                self.asked += 1
                if self.asked == 2:
                    raise TransportError("the cable was pulled")
            return super().run(argv, timeout_s=timeout_s, stdin=stdin)

    transport = Loose()
    monkeypatch.setattr(reach, "open_transport", lambda device, **options: transport)

    tables = campaign_tables(store, run(plan(opinions=[script], rounds=2)))

    assert list(tables.opinions["status"]) == ["ok", "lost", "ok"]
    assert tables.opinions["reason"].iloc[1] == "the cable was pulled"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        pytest.param("benchmark_model", {}, "benchmark program and its libraries as files", id="not there"),
        pytest.param("my_benchmark", {}, "one of the names", id="unknown"),
        pytest.param("benchmark_litert_model.py", {"flags": ["--num_runs=3"]}, "got '--num_runs=3'", id="our flag"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_reached(
    name: str,
    values: dict[str, object],
    expected: str,
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    home: Path,
    tmp_path: Path,
    script: dict[str, Any],
):
    with pytest.raises(InputError, match=expected):
        run(plan(opinions=[{"program": tmp_path / name, **values}]))

    assert store.campaigns() == []
    assert not (home / "device").exists()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"scenario": {"streams": 2}}, "expected 'scenario: single-stream'", id="streams"),
        pytest.param(
            {"opinions": [{"program": "a/benchmark_model"}, {"program": "benchmark_model"}]}, "names", id="two"
        ),
    ],
)
def test_opinions_that_contradict_the_plan(values: dict[str, object], expected: str, plan: Callable[..., Plan]):
    with pytest.raises(ValueError, match=expected):
        plan(**{"opinions": [{"program": "benchmark_model"}], **values})


def test_paths_are_relative_to_the_plan(tmp_path: Path):
    (tmp_path / "plan.yaml").write_text(
        "version: 1\nname: x\nvariants: [a.tflite]\nopinions: [{program: bin/benchmark_model, libraries: [b.so]}]\n"
    )

    [spec] = load_plan(tmp_path / "plan.yaml").opinions

    assert (spec.program, spec.libraries) == (tmp_path / "bin/benchmark_model", (tmp_path / "b.so",))
