"""Campaigns on this computer: what is stored, what fails without stopping the rest, what is refused before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.progress import CampaignProgress
from pocketbench.harness.campaign.tables import campaign_tables, job_summary
from pocketbench.harness.measure.rounds import round_order
from pocketbench.harness.store.hold import Hold
from pocketbench.harness.store.store import Store
from tests.campaign.conftest import Campaign
from tests.runner.tiny_models import dense_onnx, one_to_one_onnx


def test_a_campaign_ends_with_every_figure_in_the_store(
    plan: Callable[..., Plan], run: Campaign, store: Store, evaluation: str
):
    wanted = plan(threads=[1, 2], data={"evaluation": evaluation})

    tables = campaign_tables(store, run(wanted))

    campaign = tables.campaign.iloc[0]
    assert (campaign["status"], campaign["rounds_done"], campaign["quality_metric"]) == ("finished", 2, "top-1")
    assert list(tables.jobs["status"]) == ["ok"] * 4
    assert tables.jobs["engine_id"].notna().all()
    assert len(tables.launches) == 8
    assert (tables.launches["iterations"] == 5).all()
    assert len(tables.samples) == 8 * 7
    assert (tables.samples.groupby("launch_id")["kind"].value_counts().unstack()["warmup"] == 2).all()
    assert set(tables.memory["stage"]) == {"start", "engine_loaded", "model_loaded", "first_inference", "end"}
    assert len(tables.quality) == 4
    assert (tables.quality["samples"] == 20).all()
    assert set(tables.engines["name"]) == {"LiteRT", "ONNX Runtime"}
    assert tables.devices["cpu"].notna().all()


def test_both_engines_judge_the_same_model_alike(
    plan: Callable[..., Plan], run: Campaign, store: Store, evaluation: str
):
    """The labels are the answers of one file: it must be right on all of them, on the device as here."""
    from pocketbench.compression.reference import FileModel, run_samples

    wanted = plan()
    data = dict(np.load(evaluation))
    data["y"] = run_samples(FileModel(wanted.variants[0]), [data["x"]])[0].argmax(axis=1)
    np.savez(evaluation, **data)

    quality = campaign_tables(store, run(plan(data={"evaluation": evaluation}))).quality

    assert quality["value"].iloc[0] == 1.0


def test_rounds_are_launched_in_the_stored_order(plan: Callable[..., Plan], run: Campaign, store: Store):
    campaign_id = run(plan(threads=[1, 2], rounds=3, seed=11))

    launches = campaign_tables(store, campaign_id).launches
    texts = {job.job_id: f"{job.variant}, {job.threads}, None" for job in store.jobs(campaign_id)}
    for number in range(3):
        launched = launches[launches["round"] == number].sort_values("launch_id")
        assert [texts[job] for job in launched["job_id"]] == round_order(
            list(texts.values()), seed=11, round_number=number
        )
        assert list(launched["position"]) == [0, 1, 2, 3]


def test_estimates_are_over_launches_and_paired_by_round(plan: Callable[..., Plan], run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(rounds=4)))

    jobs = tables.jobs.set_index("job_id")
    other = jobs.index[~jobs["is_reference"]][0]
    reference = jobs.index[jobs["is_reference"]][0]
    assert jobs.loc[other, "reference_job_id"] == reference
    medians = tables.launches.pivot_table(index="round", columns="job_id", values="latency_median_ns")
    estimate = tables.estimates.set_index("job_id").loc[other]
    assert estimate["launches"] == estimate["rounds_compared"] == 4
    assert estimate["latency_ns"] == pytest.approx(float(np.exp(np.log(medians[other]).mean())))
    ratios = np.log(medians[other] / medians[reference])
    assert estimate["ratio"] == pytest.approx(float(np.exp(ratios.mean())))
    assert estimate["ratio_low"] < estimate["ratio"] < estimate["ratio_high"]
    assert tables.estimates.set_index("job_id").loc[reference, "ratio"] == 1.0


def test_what_fails_on_the_device_stands_with_its_reason_and_the_rest_goes_on(
    plan: Callable[..., Plan], run: Campaign, store: Store, files: tuple[Path, Path]
):
    """Cores that this computer has not: the runner refuses each launch, after two in a row no more are made."""
    tables = campaign_tables(store, run(plan(variants=files[:1], cores=[4000], rounds=5)))

    assert list(tables.jobs["status"]) == ["failed"]
    assert "4000" in tables.jobs["reason"].iloc[0]
    assert list(tables.launches["status"]) == ["failed", "failed"]
    assert tables.launches["latency_median_ns"].isna().all()
    assert tables.estimates.empty
    assert tables.campaign["status"].iloc[0] == "finished"


def test_a_variant_that_cannot_be_made_does_not_stop_the_others(
    plan: Callable[..., Plan], run: Campaign, store: Store, tmp_path: Path
):
    model = dense_onnx(tmp_path / "model.onnx")

    tables = campaign_tables(store, run(plan(model=model, variants=(), recipes=["float32", "int8", "float16"])))

    status = dict(zip(tables.variants["name"], tables.variants["status"], strict=True))
    assert status == {"float32-onnx": "ok", "int8-onnx": "failed", "float16-onnx": "ok"}
    assert list(tables.jobs["status"]) == ["ok", "ok"]
    rows = job_summary(tables)
    failed = next(row for row in rows if row["variant"] == "int8-onnx")
    assert failed["status"] == "failed"
    assert "calibration" in failed["reason"]
    assert next(row for row in rows if row["variant"] == "float32-onnx")["ratio"] == "reference"


def test_without_evaluation_data_quality_is_not_known(plan: Callable[..., Plan], run: Campaign, store: Store):
    tables = campaign_tables(store, run(plan(rounds=1)))

    assert tables.quality.empty
    assert tables.campaign["quality_metric"].isna().all()
    assert tables.estimates["latency_low_ns"].isna().all()  # one launch says nothing about spread
    assert {row["quality"] for row in job_summary(tables)} == {None}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"devices": ["locl"]}, "did you mean 'local'", id="unregistered device"),
        pytest.param({"data": {"evaluation": "nothing.npz"}}, "nothing.npz", id="missing data"),
        pytest.param({"data": {"evaluation": "wide.npz"}}, r"expected samples of shape (64)", id="shape"),
        pytest.param({"data": {"evaluation": "integers.npz"}}, "expected float32", id="dtype"),
        pytest.param({"data": {"evaluation": "unlabelled.npz"}}, "expected labels", id="no labels"),
        pytest.param({"data": {"evaluation": "classes.npz"}}, "expected labels from 0 to 31", id="labels"),
        pytest.param({"reference": "dens.onnx"}, "did you mean 'dense.onnx'", id="reference"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(
    change: dict[str, object],
    expected: str,
    plan: Callable[..., Plan],
    run: Campaign,
    store: Store,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    x, y = np.zeros((4, 64), np.float32), np.zeros(4, np.int64)
    np.savez("wide.npz", x=np.zeros((4, 65), np.float32), y=y)
    np.savez("integers.npz", x=x.astype(np.int32), y=y)
    np.savez("unlabelled.npz", x=x)
    np.savez("classes.npz", x=x, y=y + 32)

    with pytest.raises(InputError) as error:
        run(plan(**change))

    assert expected in str(error.value)
    assert store.campaigns() == []
    assert not (home / "device").exists()


def test_a_device_is_measured_by_one_campaign_at_a_time(
    plan: Callable[..., Plan], run: Campaign, store: Store, home: Path
):
    with Hold(home / "locks", "device-local", "the device"), pytest.raises(InputError, match="working on"):
        run(plan())

    assert store.campaigns() == []


def test_progress_ends_near_one_and_tells_the_time_left(plan: Callable[..., Plan], run: Campaign):
    events: list[CampaignProgress] = []

    run(plan(rounds=3), progress=events.append)

    assert any("round 3 of 3" in event.message for event in events)
    assert events[-1].done > 0.5
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert all(event.seconds_left is not None and event.seconds_left >= 0 for event in events)


def test_a_quality_that_is_no_number_stands_with_its_reason(
    plan: Callable[..., Plan], run: Campaign, store: Store, tmp_path: Path
):
    root = one_to_one_onnx(tmp_path / "root.onnx", "Sqrt", "FLOAT", (1, 4))
    np.savez(tmp_path / "negative.npz", x=np.full((20, 4), -1, np.float32), y=np.zeros((20, 4), np.float32))
    data = {"evaluation": str(tmp_path / "negative.npz"), "metric": "mean-absolute-error"}
    tables = campaign_tables(store, run(plan(variants=[root], data=data)))

    assert set(tables.jobs["status"]) == {"partial"}
    assert "expected a finite mean-absolute-error, got nan" in tables.jobs["reason"].iloc[0]
    assert (tables.launches["status"] == "ok").all()
    assert tables.quality.empty


def test_a_variant_that_cannot_be_fed_does_not_stop_the_others(
    plan: Callable[..., Plan], run: Campaign, store: Store, tmp_path: Path
):
    """Two inputs with a batch of their own each: no sample can be put into both."""
    add = onnx.helper.make_node("ReduceSum", ["a"], ["sa"], keepdims=0)
    graph = onnx.helper.make_graph(
        [add, onnx.helper.make_node("Add", ["b", "sa"], ["c"])],
        "odd",
        [
            onnx.helper.make_tensor_value_info("a", onnx.TensorProto.FLOAT, [8, 3]),
            onnx.helper.make_tensor_value_info("b", onnx.TensorProto.FLOAT, [1, 4]),
        ],
        [onnx.helper.make_tensor_value_info("c", onnx.TensorProto.FLOAT, [1, 4])],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[opset]), tmp_path / "odd.onnx")
    samples = {"a": np.ones((8, 3), np.float32), "b": np.ones((8, 4), np.float32)}
    np.savez(tmp_path / "both.npz", **samples, y=np.zeros(8, np.int64))  # type: ignore[arg-type]

    tables = campaign_tables(
        store, run(plan(variants=[tmp_path / "odd.onnx"], data={"evaluation": str(tmp_path / "both.npz")}))
    )

    assert list(tables.jobs["status"]) == ["failed"]
    assert "expected one batch size for all inputs" in tables.jobs["reason"].iloc[0]
    assert tables.campaign["status"].iloc[0] == "finished"


def test_a_misspelt_reference_is_refused_before_anything_is_made(
    plan: Callable[..., Plan], run: Campaign, home: Path, files: tuple[Path, Path]
):
    with pytest.raises(InputError, match="did you mean 'float32-onnx'"):
        run(plan(model=files[1], variants=(), recipes=["float32"], reference="float32-onx"))

    assert not (home / "cache").exists()
